"""Where scores and maps are cut, what probability a score means, and when that has drifted.

Never changes a score. Begin with `calibrating.py`.
"""
