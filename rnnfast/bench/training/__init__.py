"""Whole programs, as people write them, here and elsewhere: python -m rnnfast.bench.training.

programs    models and data, written once for Keras and for us, since the names are the same
fitted      a program run by `compile` and `fit`: Keras's, and ours
by_hand     the same programs in PyTorch, with a loop as its tutorials have it
processes   a process for each of them, since each has a pool of threads
epochs      losses compared, then epochs timed in turns
own_time    what the loop takes beside the kernels
"""
