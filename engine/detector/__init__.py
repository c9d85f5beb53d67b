"""What a version is: prompts, heads, a refiner of pixels, an image head; and what it says of an image's features.

Never how any of it is learnt (engine/learning). Begin with `detector.py`.
"""
