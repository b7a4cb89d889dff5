"""What all layers that carry states along a sequence are called with, and what they give.

    y, states = run(x, states, mask)          states before the first step, then after the last
    (y, states), pullback = run_vjp(...)
    dx, gradients, dstates = pullback(dy, dstates)

`call` and `vjp`, for a chain of layers, leave the states aside; a layer that is called takes
`initial_state`, and gives (y, *states) if it was made with `return_state`.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Sequence
from typing import Any, ClassVar, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from rnnfast._check.arrays import booleans
from rnnfast.layers import symbol
from rnnfast.layers.layer import Array, Layer, Mask, Pullback
from rnnfast.layers.value import Value, ValuesPullback
from rnnfast.utils.numbers import as_numbers

States = tuple[Array, ...]
StatesPullback = Callable[..., tuple[Array | None, list[Array], "list[Array] | None"]]


class Outcome(NamedTuple):
    """What a run gives: `y`, and the states after the step that was taken last."""

    y: Any  # an array, or a pair where directions stay apart
    states: States


class RecurrentLayer(Layer):
    """A layer that carries states along a sequence.

    Attributes
    ----------
    return_sequences : bool
        Whether the result is that of all steps or of the last one.
    return_state : bool
        Whether the layer, when it is called, gives its states beside the result.
    stateful : bool
        Whether the states after a batch are those before the next.
    """

    supports_masking: ClassVar[bool] = True
    _takes_steps: ClassVar[bool] = True

    return_sequences: bool
    return_state: bool
    stateful: bool

    # ------------------------------------------------------------------------------ states

    @property
    @abstractmethod
    def state_sizes(self) -> list[int]:
        """Units of each state, one after another."""

    @property
    def state_shapes(self) -> list[tuple[int, ...]]:
        """Shape of each state, without the batch axis."""
        return [(size,) for size in self.state_sizes]

    @property
    @abstractmethod
    def states(self) -> States | None:
        """What the last batch has left, copied; None without one, or when not stateful."""

    @abstractmethod
    def reset_state(self) -> None:
        """Forget the states that the last batch has left: the next one begins with zeros."""

    def reset_states(self) -> None:
        """Do what `reset_state` does, under Keras's older name."""
        self.reset_state()

    def get_carried_state(self) -> list[Array] | None:
        """Give what the last batch has left for the next; see `Layer.get_carried_state`."""
        states = self.states
        return None if states is None else list(states)

    def set_carried_state(self, state: Sequence[ArrayLike] | None) -> None:
        """Go on from states as if a batch had left them; see `Layer.set_carried_state`."""
        if state is None:
            self.reset_state()
            return
        if not self.stateful:
            super().set_carried_state(state)
        batch = len(np.atleast_1d(state[0])) if len(state) else 0
        self._carry(self._as_states(list(state), batch, "state"))

    @abstractmethod
    def _carry(self, states: States) -> None:
        """Take states for those that the last batch has left."""

    @property
    def gives_one_array(self) -> bool:
        """Whether a call gives one array: without `return_state`."""
        return not self.return_state

    # ------------------------------------------------------------------------- computation

    @abstractmethod
    def run(self, x: Array, states: States | None = None, mask: Mask | None = None) -> Outcome:
        """Compute result and states, for inference.

        Parameters
        ----------
        x : ndarray
            Shape (batch, time, I), of the layer's dtype.
        states : tuple of ndarray, optional
            Before the first step, (batch, H) each; by default zeros, or what the last batch has
            left when the layer is stateful.
        mask : ndarray of bool, shape (batch, time), optional
            False for steps to be left out.

        Returns
        -------
        Outcome
            `y`, and `states` after the step taken last.

        Raises
        ------
        ValueError
            When a stateful layer gets another number of sequences than before.
        """

    @abstractmethod
    def run_vjp(
        self,
        x: Array,
        states: States | None = None,
        mask: Mask | None = None,
        *,
        wrt_input: bool,
        wrt_states: bool,
    ) -> tuple[Outcome, StatesPullback]:
        """Compute result and states, for training, and the pullback of their gradients.

        Parameters
        ----------
        x, states, mask
            As for `run`.
        wrt_input, wrt_states : bool
            Whether the gradients by `x` and by `states` will be used.

        Returns
        -------
        outcome : Outcome
            As from `run`.
        pullback : callable
            From dL/dy and a list of dL/dstate (None, there or in place of it, is zero) to dL/dx
            or None, a list of dL/dp for each p of `parameters`, and a list of the gradients by
            the states before the first step, or None.
        """

    def call(self, x: Array) -> Array:
        """Compute y of all steps or the last from x (batch, time, I); see `Layer.call`."""
        y: Array = self.run(x).y
        return y

    def call_masked(self, x: Array, mask: Mask) -> Array:
        """Compute the result of the steps that are not masked; see `Layer.call_masked`."""
        y: Array = self.run(x, mask=mask).y
        return y

    def vjp(self, x: Array, *, wrt_input: bool) -> tuple[Array, Pullback]:
        """Compute as `call`, with the pullback; see `Layer.vjp`."""
        return _without_states(self.run_vjp(x, wrt_input=wrt_input, wrt_states=False))

    def vjp_masked(self, x: Array, mask: Mask, *, wrt_input: bool) -> tuple[Array, Pullback]:
        """Compute as `vjp`, of the steps that are not masked; see `Layer.vjp_masked`."""
        return _without_states(self.run_vjp(x, mask=mask, wrt_input=wrt_input, wrt_states=False))

    def compute_mask(self, x: Array, mask: Mask | None = None) -> Mask | None:
        """Give the mask of the input where all steps come out, else None: see `Layer`."""
        return mask if self.return_sequences else None

    def __call__(
        self,
        x: ArrayLike | symbol.Symbol,
        initial_state: ArrayLike | Sequence[Any] | symbol.Symbol | None = None,
        mask: ArrayLike | None = None,
    ) -> Any:
        """Compute the result for any array; builds the layer if it is not.

        Parameters
        ----------
        x : array_like or Symbol
            Shape (batch, time, I); or a symbol, with symbols for states, for a `Model` to come.
        initial_state : array_like or sequence of array_like, optional
            The states before the first step, (batch, H) each, in the order in which
            `return_state` gives them; zeros by default, or what the last batch has left when the
            layer is stateful.
        mask : array_like of bool, shape (batch, time), optional
            False for steps to be left out.

        Returns
        -------
        ndarray or tuple
            The result; with `return_state` a tuple of it and the states after the last step.

        Raises
        ------
        ValueError
            When a shape does not fit, or the number of states.
        TypeError
            When an array is not one of numbers, or `mask` not of truth values.
        """
        if symbol.is_symbolic(x, initial_state):
            symbol.require_no_mask(self, mask)
            states = [] if initial_state is None else _leaves(initial_state)
            takes: list[Any] = [x, *states]
            return self._in_form(self.call_symbols(takes))
        array = self._convert_and_build(x)
        before = None if initial_state is None else self._as_states(initial_state, len(array))
        valid = None if mask is None else booleans("mask", mask, "(batch, time)", array.shape[:2])
        return self._results(self.run(array, before, valid))

    def call_symbols(self, takes: Sequence[symbol.Symbol]) -> list[symbol.Symbol]:
        """Note that the layer is called; states come after the input; see `Layer.call_symbols`."""
        x, *states = takes
        if not isinstance(x, symbol.Symbol):
            raise TypeError(
                f"layer {self.name!r} must get symbols alone or arrays alone, got x as "
                f"{type(x).__name__} and initial_state as symbols"
            )
        self.build(x.shape)
        shapes = [one.shape for one in states]
        if states and [shape[1:] for shape in shapes] != self.state_shapes:
            raise ValueError(
                f"initial_state of layer {self.name!r} must be of shapes "
                f"{[(None, *shape) for shape in self.state_shapes]}, got {shapes}"
            )
        after = [(x.shape[0], *shape) for shape in self.state_shapes] if self.return_state else []
        return symbol.call(self, takes, [*self._result_shapes(x.shape), *after])

    def _in_form(self, given: list[symbol.Symbol]) -> Any:
        """Give symbols in the form in which a call gives arrays."""
        states = len(self.state_sizes) if self.return_state else 0
        results = given[: len(given) - states]
        if len(given) == 1:
            return given[0]
        return (*results, *self._nested(given[len(results) :])) if states else tuple(results)

    def _result_shapes(self, input_shape: Any) -> list[Any]:
        """Give the shapes of the results, without those of the states."""
        shape = self.compute_output_shape(input_shape)
        return [shape[0] if self.return_state else shape]

    # ------------------------------------------------------------------ in a graph of layers

    def forward(self, values: Sequence[Value]) -> list[Value]:
        """Compute the result and, with `return_state`, the states; see `Layer.forward`.

        States before the first step come after the input.
        """
        if len(values) == 1 and self.gives_one_array:
            return super().forward(values)
        (x, mask), *before = values
        return self._values(x, mask, self.run(x, _arrays(before), mask))

    def forward_vjp(
        self, values: Sequence[Value], wrt: Sequence[bool]
    ) -> tuple[list[Value], ValuesPullback]:
        """Compute as `forward`, with the pullback; see `Layer.forward_vjp`."""
        if len(values) == 1 and self.gives_one_array:
            return super().forward_vjp(values, wrt)
        (x, mask), *before = values
        out, pull = self.run_vjp(
            x, _arrays(before), mask, wrt_input=wrt[0], wrt_states=any(wrt[1:])
        )

        def pullback(
            dresults: Sequence[Array | None],
        ) -> tuple[Sequence[Array | None], list[Array]]:
            count = len(_leaves(out.y))
            dstates = list(dresults[count:]) or None
            dx, gradients, dbefore = pull(self._joined(dresults[:count]), dstates)
            of_states: Sequence[Array | None] = dbefore or [None] * len(before)
            return [dx, *of_states], gradients

        return self._values(x, mask, out), pullback

    def _values(self, x: Array, mask: Mask | None, out: Outcome) -> list[Value]:
        after = self.compute_mask(x, mask)
        results = [Value(y, after) for y in _leaves(out.y)]
        return results + [Value(state) for state in out.states] * self.return_state

    def _joined(self, dys: Sequence[Array | None]) -> Any:
        """Give the gradient of the result in the form of the result."""
        return dys[0]

    def _results(self, out: Outcome) -> Any:
        """Give what a call gives."""
        if not self.return_state:
            return out.y
        # The last result and the state are one array, of which the caller may change either.
        return (out.y if self.return_sequences else out.y.copy(), *self._nested(out.states))

    def _nested(self, flat: Sequence[Any]) -> Sequence[Any]:
        """Put what belongs to each state into the form in which a call gives the states."""
        return flat

    def _state_shapes(self, batch: int | None) -> Sequence[Any]:
        """Give the shapes of the states in that form."""
        return self._nested([(batch, *shape) for shape in self.state_shapes])

    def _as_states(
        self, given: ArrayLike | Sequence[Any], batch: int, argument: str = "initial_state"
    ) -> States:
        states = tuple(
            as_numbers(argument, one).astype(self.dtype, copy=False) for one in _leaves(given)
        )
        wanted = [(batch, *shape) for shape in self.state_shapes]
        shapes = [state.shape for state in states]
        if shapes != wanted:
            raise ValueError(
                f"{argument} of layer {self.name!r} must be arrays of shapes {wanted}, got {shapes}"
            )
        return states


def is_stateful(layer: Layer) -> bool:
    """Return whether a layer goes on from the states that the last batch has left."""
    return isinstance(layer, RecurrentLayer) and layer.stateful


def _without_states(ran: tuple[Outcome, StatesPullback]) -> tuple[Array, Pullback]:
    """Leave the states aside."""
    out, pull = ran

    def pullback(dy: Array) -> tuple[Array | None, list[Array]]:
        dx, gradients, _ = pull(dy)
        return dx, gradients

    return out.y, pullback


def _arrays(values: Sequence[Value]) -> States | None:
    return tuple(value.array for value in values) or None


def _leaves(nested: Any) -> list[Any]:
    """Give what is in nested lists and tuples, one after another."""
    if not isinstance(nested, (list, tuple)):
        return [nested]
    return [leaf for one in nested for leaf in _leaves(one)]
