"""Weight decay beside the gradient, and which parameters it leaves alone.

With learning rate a and decay d, before each step of the optimizer's own, as in Keras::

    w = w - a d w

References
----------
I. Loshchilov and F. Hutter, "Decoupled Weight Decay Regularization", ICLR 2019.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rnnfast.optimizers.nested import Path, label

Array = NDArray[Any]


def decay(variable: Array, share: float, scratch: Array) -> None:
    """Take a share of a parameter from it, in place."""
    np.multiply(variable, share, out=scratch)
    variable -= scratch


class Exclusion:
    """Parameters that do not decay.

    Parameters
    ----------
    var_list : iterable of ndarray, optional
        The arrays themselves.
    var_names : iterable of str, optional
        Regular expressions, of which one is found in the name.
    """

    def __init__(
        self, var_list: Iterable[Array] | None = None, var_names: Iterable[str] | None = None
    ) -> None:
        self._arrays = list(var_list or ())
        if isinstance(var_names, str):
            raise TypeError(
                f"var_names must be a list of strings, got {var_names!r}; give [{var_names!r}]"
            )
        names = list(var_names or ())
        self._pattern = re.compile("|".join(names)) if names else None

    def mask(self, variables: Sequence[tuple[Path, Array]]) -> NDArray[np.bool_]:
        """Tell which parameters decay.

        Parameters
        ----------
        variables : sequence of (path, ndarray)
            All of them. The last name on the path is the parameter's.

        Returns
        -------
        ndarray of bool
            One for each.

        Raises
        ------
        ValueError
            When one of `var_list` is none of them, or names are asked for where there are none.
        """
        for index, array in enumerate(self._arrays):
            if not any(array is variable for _, variable in variables):
                raise ValueError(
                    f"exclude_from_weight_decay: var_list[{index}] is none of trainable_variables"
                )
        return np.array([not self._excludes(path, variable) for path, variable in variables], bool)

    def _excludes(self, path: Path, variable: Array) -> bool:
        if any(array is variable for array in self._arrays):
            return True
        if self._pattern is None:
            return False
        names = [key for key in path if isinstance(key, str)]
        if not names:
            raise ValueError(
                f"exclude_from_weight_decay: trainable_variables{label(path)} has no name that "
                f"var_names could be found in; give parameters and gradients as dicts or named "
                f"tuples, or exclude arrays by var_list"
            )
        return self._pattern.search(names[-1]) is not None
