"""What tests and benchmarks share: the cells, random problems, gradient checks, tolerances."""
