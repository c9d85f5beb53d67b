"""What `benchmarks.fuzz` draws, damages and looks at."""
