"""Kinds of defect, the regions of corrections that have one, and how many there are of each.

Never pixels: which region a kind belongs to is found by `workers.defects`. Begin with `kinds.py`.
"""
