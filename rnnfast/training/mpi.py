"""Means over the processes of MPI, by mpi4py: `mpiexec -n 4 python -m mpi4py train.py`."""

from __future__ import annotations

import sys
import traceback
from typing import Any

import numpy as np
from numpy.typing import NDArray


class MPI:
    """The processes that mpiexec has started, as `reducer` of `fit`.

    Parameters
    ----------
    comm : mpi4py.MPI.Comm, optional
        Those that train together, COMM_WORLD by default.

    Attributes
    ----------
    rank, size : int
        Which of how many processes this is; 0 of 1 without mpiexec.

    Raises
    ------
    ImportError
        When mpi4py, or the library of MPI that it loads, is not installed.
    """

    def __init__(self, comm: Any = None) -> None:
        try:
            from mpi4py import MPI as mpi
        except (ImportError, RuntimeError) as error:  # the latter without a library of MPI
            raise ImportError(
                "MPI needs mpi4py and a library of MPI: pip install mpi4py mpich"
            ) from error
        self._in_place: Any = mpi.IN_PLACE
        self._comm: Any = mpi.COMM_WORLD if comm is None else comm
        self.rank: int = self._comm.Get_rank()
        self.size: int = self._comm.Get_size()

    def mean_(self, flat: NDArray[Any]) -> None:
        """Replace each number by its mean over all processes.

        Parameters
        ----------
        flat : ndarray of float32 or float64
            One axis, contiguous; as long in every process.
        """
        self._comm.Allreduce(self._in_place, flat)
        np.divide(flat, flat.dtype.type(self.size), out=flat)

    def abort(self) -> None:
        """End all processes, with the traceback of the exception that is being handled.

        The others wait in a mean for one that will never come. Alone nothing happens.
        """
        if self.size == 1:
            return
        print(
            f"rnnfast: process {self.rank} of {self.size} failed and ends all:\n"
            f"{traceback.format_exc()}",
            file=sys.stderr,
            flush=True,
        )
        sys.stdout.flush()
        self._comm.Abort(1)
