"""Backup and restore, the check that mends, pruning, workers' reports.

Never run by a person's click. Begin with `backup.py`.
"""
