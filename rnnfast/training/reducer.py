"""Processes that train one model together: what they need of each other is a mean.

    mean_(flat)          flat[i] = (flat_0[i] + ... + flat_{n-1}[i]) / n, on each of n processes

Each process keeps its rank r = 0 .. n-1; the rest follows:

    what the first has   n mean(a_0, 0, ..., 0)
    a sum                n mean(a_0, ..., a_{n-1})
    whether any          mean(0 or 1, ...) > 0
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import wraps
from typing import Any, ParamSpec, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from rnnfast.layers.layer import Array

_Arguments = ParamSpec("_Arguments")
_Result = TypeVar("_Result")

_HALF = 2**32  # a seed has two halves, each of which a float64 holds


class Reducer(Protocol):
    """What `fit` takes as `reducer`; it may have more.

    Attributes
    ----------
    rank, size : int
        Which of how many processes this is, 0 of 1 where they are missing: then no process leaves
        out rows of its batches.
    abort : callable
        Ends all processes; called when one fails. By default nothing does.
    """

    def mean_(self, flat: NDArray[Any], /) -> object:
        """Replace each number by its mean over all processes.

        Parameters
        ----------
        flat : ndarray of float32 or float64
            One axis, contiguous; as long in every process.
        """


class Processes:
    """A reducer, and what follows from it.

    Parameters
    ----------
    reducer : Reducer
        See there.

    Attributes
    ----------
    rank, size : int
        Which of how many processes this is.

    Raises
    ------
    TypeError
        When it has no `mean_`.
    ValueError
        When `rank` is not one of `size`.
    """

    def __init__(self, reducer: Reducer) -> None:
        given: Any = reducer
        if isinstance(given, type):
            raise TypeError(
                f"reducer must be an object, got the class {given.__name__}; call it: "
                f"{given.__name__}()"
            )
        if not callable(getattr(given, "mean_", None)):
            raise TypeError(
                "reducer must have a method mean_(flat), as rnnfast.training.MPI() has, got "
                f"{type(given).__name__}"
            )
        self.rank, self.size = int(getattr(given, "rank", 0)), int(getattr(given, "size", 1))
        if not 0 <= self.rank < self.size:
            raise ValueError(
                f"reducer must have a rank from 0 to below its size, got rank {self.rank} of "
                f"size {self.size}"
            )
        self.mean_: Callable[[NDArray[Any]], object] = given.mean_

    def sum(self, numbers: Iterable[float]) -> NDArray[np.float64]:
        """Add up numbers over all processes."""
        flat = np.array([*numbers], np.float64)
        self.mean_(flat)
        return flat * self.size

    def any(self, condition: bool) -> bool:
        """Tell whether a condition holds anywhere."""
        return bool(self.sum([condition])[0] > 0)

    def of_first(self, array: Array) -> Array:
        """Return what the process of rank 0 has, in every process."""
        own = array.ravel() if self.rank == 0 else np.zeros(array.size)
        total = self.sum(own)
        exact = np.rint(total) if array.dtype.kind in "biu" else total
        return exact.astype(array.dtype).reshape(array.shape)

    def seed_of_first(self, seed: int) -> int:
        """Return the seed of the process of rank 0."""
        high, low = self.of_first(np.array(divmod(seed, _HALF)))
        return int(high) * _HALF + int(low)

    def start(self, arrays: Iterable[Array], place: tuple[int, int]) -> None:
        """Give every process the arrays of the first, in place.

        Parameters
        ----------
        arrays : iterable of ndarray
            Weights, and what the optimizer remembers.
        place : (int, int)
            The epoch and the step in it.

        Raises
        ------
        ValueError
            When another process is at another place.
        """
        epoch, step = self.of_first(np.array(place))
        if self.any((epoch, step) != place):
            raise ValueError(
                f"processes must begin at the same place: the first one is at epoch {epoch}, step "
                f"{step}, this one, of rank {self.rank}, at epoch {place[0]}, step {place[1]}; "
                "backup_dir of BackupAndRestore must be a folder that all of them see"
            )
        for array in arrays:
            array[...] = self.of_first(array)


def ending_together(
    fit: Callable[_Arguments, _Result],
) -> Callable[_Arguments, _Result]:
    """Have a function end all processes when it fails in one, or they would wait for it for ever.

    A loss that is no number is the same in all of them, and all of them raise.
    """

    @wraps(fit)
    def ending(*arguments: _Arguments.args, **options: _Arguments.kwargs) -> _Result:
        try:
            return fit(*arguments, **options)
        except FloatingPointError:
            raise
        except BaseException:
            reducer: Any = options.get("reducer")
            if hasattr(reducer, "abort") and not isinstance(reducer, type):
                reducer.abort()
            raise

    return ending
