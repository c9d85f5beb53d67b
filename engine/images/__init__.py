"""What people upload → pixels, and what a mask says of them.

Knows no torch but in `preprocessing.py`. Begin with `decoding.py`, and `mask_files.py` for masks.
"""
