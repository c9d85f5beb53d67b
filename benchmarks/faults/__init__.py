"""Faults at random moments, and whether anything that was acknowledged is lost: `python -m benchmarks.faults`."""
