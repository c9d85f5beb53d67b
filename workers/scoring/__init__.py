"""From an unscored image to its prediction, map and first verdict.

Never learns. Begin with `scorer.py`.
"""
