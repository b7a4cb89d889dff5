"""A recurrence in one direction: what comes before the engine that takes the steps, and after it.

The engine sees (time, batch, ...), the steps that are there and states, and gives results beside
their steps whichever way it goes:

    y, after = scan(x, lengths, before)           dx, gradients, dbefore = pull(dy, dafter)

Here stand the direction of the results, the last of them, masks, and states from batch to batch.
"""

from __future__ import annotations

import copy
from abc import abstractmethod
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import numpy as np
from numpy.typing import DTypeLike

from rnnfast._check.options import flag
from rnnfast._check.precision import Precision
from rnnfast.layers.layer import Array, Mask, Shape
from rnnfast.layers.masks import MaskedSteps, over
from rnnfast.layers.missing_axis import meant_by
from rnnfast.layers.recurrent_layer import Outcome, RecurrentLayer, States, StatesPullback
from rnnfast.layers.value import Value

Scanned = tuple[Array, States]
ScanPullback = Callable[
    [Array | None, Sequence[Array | None]], tuple[Array | None, list[Array], list[Array] | None]
]

_Same = TypeVar("_Same", bound="Unidirectional")


class Unidirectional(RecurrentLayer):
    """A recurrence in one direction.

    Parameters
    ----------
    return_sequences : bool, default False
        Whether the result is that of all steps, (batch, time, H), or of the last, (batch, H).
    return_state : bool, default False
        Whether the layer, when it is called, gives its states beside the result.
    go_backwards : bool, default False
        Whether steps are taken from the last to the first; all results come in that order.
    stateful : bool, default False
        Whether the states after a batch are those before the next.
    zero_output_for_mask : bool, default False
        Whether the result of a masked step is zero, instead of that of the step before.
    name, dtype, **options
        As for every layer.
    """

    def __init__(
        self,
        *,
        return_sequences: bool = False,
        return_state: bool = False,
        go_backwards: bool = False,
        stateful: bool = False,
        zero_output_for_mask: bool = False,
        name: str | None = None,
        dtype: DTypeLike | None = None,
        **options: Any,
    ) -> None:
        super().__init__(name=name, dtype=dtype, **options)
        self.return_sequences = flag("return_sequences", return_sequences)
        self.return_state = flag("return_state", return_state)
        self.go_backwards = flag("go_backwards", go_backwards)
        self.stateful = flag("stateful", stateful)
        self.zero_output_for_mask = flag("zero_output_for_mask", zero_output_for_mask)
        self._last_states: States | None = None

    def _check_input_shape(self, input_shape: Shape) -> None:
        """Raise ValueError unless the input is (batch, time, I)."""
        if len(input_shape) != 3:
            raise ValueError(
                f"the input of layer {self.name!r} must be (batch, time, features), "
                f"got shape {input_shape}; a recurrent layer before this one needs "
                f"return_sequences=True" + meant_by(input_shape, (None, None, self._features))
            )

    @property
    def _features(self) -> int | None:
        """Length of the vectors that the layer was built for."""
        return None

    def compute_output_shape(self, input_shape: Shape) -> Any:
        """Give the shape of the result.

        Parameters
        ----------
        input_shape : tuple
            (batch, time, I).

        Returns
        -------
        tuple
            (batch, time, H) or (batch, H); with `return_state` a tuple of that and (batch, H)
            for each state.
        """
        kept = input_shape[:-1] if self.return_sequences else input_shape[:1]
        shape = (*kept, self.state_sizes[self._output_state])
        return (shape, *self._state_shapes(shape[0])) if self.return_state else shape

    def twin(self: _Same, name: str, *, go_backwards: bool) -> _Same:
        """Make a layer of the same arguments that has no weights and no states yet.

        Parameters
        ----------
        name : str
            Of the new layer.
        go_backwards : bool
            Its direction.

        Returns
        -------
        Unidirectional
            The layer. Masks of dropout come from one sequence of random numbers for both, so
            that they differ.
        """
        layer = copy.copy(self)
        layer.name = name
        layer.go_backwards = go_backwards
        layer._forget_weights()
        layer._last_states = None
        return layer

    # ------------------------------------------------------------------------------ engine

    # Which of the states is the result of a step.
    _output_state: int = 0

    @abstractmethod
    def _scan(self, x: Array, lengths: Array | None, states: States | None) -> Scanned:
        """Run over x (time, batch, I), in the direction of `go_backwards`."""

    @abstractmethod
    def _scan_vjp(
        self,
        x: Array,
        lengths: Array | None,
        states: States | None,
        *,
        wrt_input: bool,
        wrt_states: bool,
    ) -> tuple[Scanned, ScanPullback]:
        """Run as `_scan`, with the pullback."""

    def run(self, x: Array, states: States | None = None, mask: Mask | None = None) -> Outcome:
        """Compute result and states; see `RecurrentLayer.run`."""
        before = self._states_before(states, len(x)) if self.stateful else states
        steps = None if mask is None else self._masked_steps(mask)
        sequence = _swap_batch_and_time(x)
        if steps is None:
            y, after = self._scan(sequence, None, before)
        else:
            y, after = self._scan(steps.pack(sequence), steps.lengths, before)
        if self.stateful:
            self._carry(after)
        return Outcome(self._select(y, after, steps), after)

    def run_vjp(
        self,
        x: Array,
        states: States | None = None,
        mask: Mask | None = None,
        *,
        wrt_input: bool,
        wrt_states: bool,
    ) -> tuple[Outcome, StatesPullback]:
        """Compute result, states and pullback; see `RecurrentLayer.run_vjp`."""
        before = self._states_before(states, len(x)) if self.stateful else states
        steps = None if mask is None else self._masked_steps(mask)
        sequence = _swap_batch_and_time(x)
        (y, after), pull = self._scan_vjp(
            sequence if steps is None else steps.pack(sequence),
            None if steps is None else steps.lengths,
            before,
            wrt_input=wrt_input,
            wrt_states=wrt_states,
        )
        if self.stateful:
            self._carry(after)

        def pullback(
            dy: Array | None, dstates: Sequence[Array | None] | None = None
        ) -> tuple[Array | None, list[Array], list[Array] | None]:
            dafter = list(dstates or [None] * len(after))
            dx, gradients, dbefore = pull(self._unselect(dy, dafter, steps), dafter)
            if dx is not None:
                dx = _swap_batch_and_time(dx if steps is None else steps.unpack(dx))
            return dx, gradients, dbefore

        return Outcome(self._select(y, after, steps), after), pullback

    # ------------------------------------------------------------------------------ served

    def pack(self, precision: Precision | None = None) -> None:
        """Pack the layer; it begins every sequence with zeros, also where it was stateful."""
        super().pack(precision)
        self.stateful = False
        self._last_states = None

    @abstractmethod
    def _step(self, x: Array, before: States | None) -> States:
        """Return the states after one step (batch, I) of a packed layer that runs forward."""

    def forward_step(self, values: Sequence[Value], state: Any) -> tuple[list[Value], Any]:
        """Take one step; see `Layer.forward_step`. A masked one leaves the states as they are."""
        if self.go_backwards:
            raise ValueError(
                f"layer {self.name!r} goes backwards and cannot take single steps: the last one of "
                "a sequence comes first; call the packed model on the sequence"
            )
        (x, mask), *initial = values
        if initial:
            raise ValueError(
                f"layer {self.name!r} has an initial_state that other layers give, and cannot take "
                "single steps: call the packed model on the sequence"
            )
        mask_after = self.compute_mask(x, mask)
        after = self._step(x, state)
        if mask is not None:
            unchanged = [np.zeros_like(one) for one in after] if state is None else state
            pairs = zip(after, unchanged, strict=True)
            after = tuple(np.where(over(mask, new), new, old) for new, old in pairs)
        y = after[self._output_state]
        if mask is not None and self.return_sequences and self.zero_output_for_mask:
            y = np.where(over(mask, y), y, np.zeros((), y.dtype))
        states = after if self.return_state else ()
        return [Value(y, mask_after), *map(Value, states)], after

    # ---------------------------------------------------------------------------- with masks

    def _masked_steps(self, mask: Mask) -> MaskedSteps | None:
        if mask.all():
            return None
        return MaskedSteps(mask, self.go_backwards, self.zero_output_for_mask)

    def _select(self, y: Array, states: States, steps: MaskedSteps | None) -> Array:
        """Give the result of the layer from those of all steps and the last states."""
        if not self.return_sequences:
            h = states[self._output_state]
            return h if steps is None else steps.last(h)
        return _swap_batch_and_time(self._in_order(y if steps is None else steps.place(y)))

    def _unselect(
        self, dy: Array | None, dstates: list[Array | None], steps: MaskedSteps | None
    ) -> Array | None:
        """Give the gradient by all steps; add that by the last result to that of its state."""
        if dy is None:
            return None
        if self.return_sequences:
            sequence = self._in_order(_swap_batch_and_time(dy))
            return sequence if steps is None else steps.collect(sequence)
        dh = dy if steps is None else steps.last(dy)
        of_state = dstates[self._output_state]
        dstates[self._output_state] = dh if of_state is None else of_state + dh
        return None

    def _in_order(self, sequence: Array) -> Array:
        """Return all steps in the order in which they are taken, or the other way round."""
        return sequence[::-1] if self.go_backwards else sequence

    # ---------------------------------------------------------------- from batch to batch

    @property
    def states(self) -> States | None:
        """What the last batch has left, copied; None without one, or when not stateful."""
        return (
            None
            if self._last_states is None
            else tuple(state.copy() for state in self._last_states)
        )

    def reset_state(self) -> None:
        """Forget the states that the last batch has left: the next one begins with zeros.

        It may have another number of sequences.
        """
        self._last_states = None

    def _states_before(self, initial: States | None, batch: int) -> States | None:
        """Return the states before a batch; None is zeros."""
        if self._last_states is not None and len(self._last_states[0]) != batch:
            raise ValueError(
                f"layer {self.name!r} is stateful: all batches must have as many sequences as "
                f"the first, {len(self._last_states[0])}, got {batch}; reset_states() begins anew"
            )
        return self._last_states if initial is None else initial

    def _carry(self, states: States) -> None:
        # What a caller gets is the caller's to change.
        self._last_states = tuple(state.copy() for state in states)


def _swap_batch_and_time(x: Array) -> Array:
    return x.swapaxes(0, 1)
