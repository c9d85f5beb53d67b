"""People, their passwords, tokens and log-ins.

Who may do what is asked in `webapp.access`. Begin with `managing.py`.
"""
