"""The tables, by subject, and all of them together in `metadata.py`.

Never a question: those lie in the folders beside. Begin with `core.py`.
"""
