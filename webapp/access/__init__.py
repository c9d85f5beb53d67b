"""Who may do what: every request passes here before anything else sees it. Off accounts, everyone is `local`."""
