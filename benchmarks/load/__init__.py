"""Many annotators at once on the whole product: `python -m benchmarks.load`."""
