"""Who may do what: every request passes here before anything else sees it. Off accounts, everyone is `local`.

Never what is then done. Begin with `gate.py`, and `rules.py` for the table.
"""
