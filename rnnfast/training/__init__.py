"""Training: what stands behind `fit` of a model, and what it takes to train on many machines.

MPI         means over the processes of MPI: `fit(..., reducer=rnnfast.training.MPI())`
"""

from rnnfast.training.mpi import MPI

__all__ = ["MPI"]
