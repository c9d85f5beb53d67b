"""Keeping an installation well: its command line, backups, pruning, readiness, figures, logs.

Never what a person inspects. Begin with `readiness.py`.
"""
