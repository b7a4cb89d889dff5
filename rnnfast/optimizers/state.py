"""What an optimizer remembers from one call to the next: named arrays, saved and set as one.

A saved state is read with care: what is wrong with it is said before anything is changed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rnnfast._check.spelling import meant
from rnnfast.optimizers.learning_rate import LearningRate
from rnnfast.utils.hyperparameters import at_least_zero

Array = NDArray[Any]
Form = tuple[tuple[int, ...], np.dtype[Any]]
"""The shape and dtype of an array."""

_MASK = "weight_decay_mask"


class State:
    """The state of an optimizer.

    Attributes
    ----------
    iterations : int64 array of shape ()
        Calls of `apply` so far.
    learning_rate : LearningRate
        Part of the state where it is a number.
    mask : bool array of shape (parameters,), or None
        Which parameters decay; None for all.
    kept : tuple of str
        Names of what is kept for each parameter.
    own : list of tuple of arrays, or None
        For each parameter what is kept, in the order of `kept`; None before they are known.
    forms : list of (shape, dtype)
        Of each parameter.
    """

    def __init__(self, learning_rate: LearningRate) -> None:
        self.learning_rate = learning_rate
        self.iterations = np.zeros((), np.int64)
        self.mask: NDArray[np.bool_] | None = None
        self.kept: tuple[str, ...] = ()
        self.own: list[tuple[Array, ...]] | None = None
        self.forms: list[Form] = []

    def start(self, variables: Iterable[Array], kept: tuple[str, ...]) -> None:
        """Keep zeros for each parameter."""
        variables = list(variables)
        self.kept = kept
        self.own = [tuple(np.zeros_like(variable) for _ in kept) for variable in variables]
        self.forms = [(variable.shape, variable.dtype) for variable in variables]

    def by_name(self) -> dict[str, Array]:
        """Give all arrays, live."""
        arrays = self._of_all()
        for index, own in enumerate(self.own or ()):
            arrays |= {f"{index}/{kind}": array for kind, array in zip(self.kept, own, strict=True)}
        return arrays

    def restore(self, state: object, kept: tuple[str, ...]) -> None:
        """Take over a saved state; what is kept is taken from it where nothing is kept yet."""
        if not isinstance(state, Mapping):
            raise TypeError(
                f"state must be a dict of arrays as get_state returns it, got a "
                f"{type(state).__name__}"
            )
        given = {str(name): np.asarray(value) for name, value in state.items()}
        of_all = self._of_all()
        forms = self.forms if self.own is not None else list(_forms(given))
        mask = given.get(_MASK)
        if mask is not None:
            of_all[_MASK] = np.ones(len(forms) or mask.size, bool)
        _require_names([name for name in given if "/" not in name], list(of_all))
        for name, array in of_all.items():
            _require_form(name, given[name], (array.shape, array.dtype))
        for name in of_all.keys() & {"iterations", "learning_rate"}:
            at_least_zero(f"state[{name!r}]", float(given[name]))
        own = _of_parameters(given, kept, forms)

        for name in of_all.keys() & {"iterations", "learning_rate"}:
            of_all[name][...] = given[name]
        self.mask = None if mask is None else mask.copy()
        if self.own is not None:
            for live, saved in zip(self.own, own, strict=True):
                for array, value in zip(live, saved, strict=True):
                    array[...] = value
        elif own:
            self.kept, self.own, self.forms = kept, own, forms

    def _of_all(self) -> dict[str, Array]:
        arrays = {
            "iterations": self.iterations,
            "learning_rate": self.learning_rate.number,
            _MASK: self.mask,
        }
        return {name: array for name, array in arrays.items() if array is not None}


def _of_parameters(
    state: Mapping[str, Array], kept: Sequence[str], forms: Sequence[Form]
) -> list[tuple[Array, ...]]:
    """Copy what a state keeps for each parameter."""
    names = [[f"{index}/{kind}" for kind in kept] for index in range(len(forms))]
    _require_names([name for name in state if "/" in name], [name for own in names for name in own])
    for own, form in zip(names, forms, strict=True):
        for name in own:
            _require_form(name, state[name], form)
    return [tuple(state[name].copy() for name in own) for own in names]


def _forms(state: Mapping[str, Array]) -> Iterator[Form]:
    """Read from a state the shape and dtype of each parameter, from the first it keeps of it."""
    first: dict[str, Array] = {}
    for name, array in state.items():
        if "/" in name:
            first.setdefault(name.partition("/")[0], array)
            if array.dtype not in (np.float32, np.float64):
                raise ValueError(f"state[{name!r}] must be float32 or float64, got {array.dtype}")
    for index in range(len(first)):
        if str(index) not in first:
            raise ValueError(
                f"state must have arrays '{index}/...' for parameter {index}, "
                f"it has {_listed(list(state))}"
            )
        yield first[str(index)].shape, first[str(index)].dtype


def _require_names(given: Sequence[str], wanted: Sequence[str]) -> None:
    for name in wanted:
        if name not in given:
            raise ValueError(f"state lacks {name!r}; of this kind it has {_listed(given)}")
    for name in given:
        if name not in wanted:
            raise ValueError(
                f"state has {name!r}, which this optimizer has no place for"
                f"{meant(name, wanted)}; it has {_listed(wanted)}"
            )


def _require_form(name: str, value: Array, form: Form) -> None:
    if (value.shape, value.dtype) != form:
        raise ValueError(
            f"state[{name!r}] must be {form[1]} of shape {form[0]}, "
            f"got {value.dtype} of shape {value.shape}"
        )


def _listed(names: Sequence[str]) -> str:
    few = ", ".join(repr(name) for name in names[:8])
    return f"{few} and {len(names) - 8} more" if len(names) > 8 else few or "nothing"
