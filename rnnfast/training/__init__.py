"""The training loop behind `Sequential`: compile, fit, evaluate, predict."""
