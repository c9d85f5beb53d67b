"""What others try: every way in, by every role, with hostile contents; docs/security.md has a table of it."""
