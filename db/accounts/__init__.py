"""Users, what they prove who they are with, failed log-ins, and who did what.

Never a password: only hashes. Begin with `users.py`.
"""
