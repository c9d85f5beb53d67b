"""`python -m benchmarks.development_sets CLONES OUT`."""

from benchmarks.development_sets import main

main()
