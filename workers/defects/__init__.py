"""Which region of a correction has which kind of defect, and what is kept of that when its mask changes.

The book of kinds lies in `db.defects`. Begin with `naming.py`.
"""
