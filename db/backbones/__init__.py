"""Which backbone the installation uses.

Never its weights. It is one file: `choice.py`.
"""
