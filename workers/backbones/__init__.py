"""Which model scores: choosing one, bringing it into use beside the one that is, and its published prompts.

Never a model's code. Begin with `choosing.py`.
"""
