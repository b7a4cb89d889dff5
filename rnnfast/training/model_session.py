"""One stream of a packed model: the state goes on from step to step by itself.

s = packed.session()     y_t = s.step(x_t)     as a stateful model's predict, step by step
"""

from __future__ import annotations

import copy
from typing import Any, Protocol, TypeAlias

State: TypeAlias = tuple[Any, ...]
"""What each layer hands from step to step, in order; None of those that hand on nothing."""


class Stepping(Protocol):
    """What is asked of a packed model: see `rnnfast.training.packed_model.PackedModel`."""

    def step(self, x_t: Any, state: State | None = None) -> tuple[Any, State]:
        """Take one step."""


class ModelSession:
    """A stream of sequences through a packed model; `PackedModel.session` makes it.

    Give each thread a session of its own. Copying and pickling take the state along.

    Parameters
    ----------
    model : PackedModel
        What takes the steps.
    """

    __slots__ = ("_model", "_state")

    def __init__(self, model: Stepping) -> None:
        self._model = model
        self._state: State | None = None

    def step(self, x_t: Any) -> Any:
        """Take one step of the B sequences.

        Parameters
        ----------
        x_t : array_like, shape (B, ...)
            The inputs of this step, without the axis of time: (B, I), or (B,) of indices. B is
            that of the first step.

        Returns
        -------
        ndarray or list of ndarray, shape (B, ...)
            What the model gives for the steps so far; where it gives sequences, their last step.
            Fresh arrays.

        Raises
        ------
        ValueError
            When a layer needs whole sequences, as `Bidirectional` does, or a shape does not fit.
            The state is as it was before.
        TypeError
            When `x_t` is not an array of numbers.
        """
        y_t, self._state = self._model.step(x_t, self._state)
        # Of a recurrent layer it is the state itself, which a caller must not come to change.
        return [one.copy() for one in y_t] if isinstance(y_t, list) else y_t.copy()

    def state(self) -> State | None:
        """Return a copy of the state, to go back to; None before the first step."""
        return copy.deepcopy(self._state)

    def reset(self, state: State | None = None) -> None:
        """Go back to a state.

        Parameters
        ----------
        state : tuple, optional
            As `state` gives it; by default that before the first step.
        """
        self._state = copy.deepcopy(state)
