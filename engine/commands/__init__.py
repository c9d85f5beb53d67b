"""What `python -m engine …` does, one file a command."""
