"""How a detector is learnt from corrections: fitted, judged out of fold, decided on.

Never where corrections come from. Begin with `fitting.py`.
"""
