"""Tuning runs and prompt versions.

Never what was learnt: that is a blob. Begin with `runs.py`.
"""
