"""Making projects, changing them, and the versions that they start with.

Never scores or learns. Begin with `changes.py`.
"""
