"""`python -m benchmarks`: the benchmarks that end within minutes, one after another."""

from benchmarks import times

times.main()
