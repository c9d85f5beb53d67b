"""The page and the REST interface: ask `db` what is, and `workers` to have things done.

Never torch, and no model code. Begin with `server.py`.
"""
