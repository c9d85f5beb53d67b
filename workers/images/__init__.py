"""Images on their way in, what people say of them, and how they are shown.

Never a score. Begin with `intake.py`.
"""
