"""Images that a program draws, with exact masks and captions: what the embedded backbone learns from."""
