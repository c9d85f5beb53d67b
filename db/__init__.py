"""The database room: tables, the questions asked of them, and content-addressed files.

Never a model, nor the web. Begin with `store.py`, then `tables/core.py`.
"""
