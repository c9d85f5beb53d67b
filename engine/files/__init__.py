"""Files that appear whole, and tables of text as people have them.

Never an image. Begin with `whole.py`.
"""
