"""The same layer by `tf.numpy_function`, where TensorFlow's C interface lacks what ours needs.

    forward     operands -> y, h_n, c_n
    backward    operands, dy, dh_n, dc_n -> a gradient of each that has one

Numbers are those of the operations. Nothing of a pass is kept: the backward pass runs the forward
pass once more.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple, TypeAlias

import tensorflow as tf

from ..._check import cells, inputs
from ...engine.drawn_masks import DrawnMasks
from ...engine.network import Network
from .._layer import FLOWING, pull
from ._refusals import refuse_second_derivative

Tensor: TypeAlias = Any

_calls = 0


def kernel_calls() -> int:
    """Return how many passes have run so."""
    return _calls


class Layer(NamedTuple):
    """What is known of a layer before its operands: `present` says which of these there are."""

    cell: cells.Cell
    batch_first: bool
    reverse: bool
    present: tuple[bool, ...]

    @property
    def flowing(self) -> list[bool]:
        """Of each operand that may have a gradient, whether it is there."""
        return list(self.present[: len(FLOWING)])

    def network(self, arrays: Sequence[Any]) -> Network:
        """Return the layer, ready for a pass over the operands that there are, and count it."""
        global _calls
        _calls += 1
        given = iter(arrays)
        x, h0, c0, *others = (next(given) if there else None for there in self.present)
        *weights, lengths, resets, recurrent_mask = others
        return Network(
            self.cell,
            x,
            inputs.RawWeights(*weights),
            h0,
            c0,
            lengths=lengths,
            resets=resets,
            reverse=self.reverse,
            bidirectional=False,
            noise=DrawnMasks(recurrent_mask),
            batch_first=self.batch_first,
        )

    def forward(self, *arrays: Any) -> list[Any]:
        """Return y, h_n and, where there is one, c_n."""
        return list(self.network(arrays).forward())

    def backward(self, *arrays: Any) -> list[Any]:
        """Return the gradients, from operands and those of the results."""
        count = sum(self.present)
        _, recording = self.network(arrays[:count]).forward_saving()
        found = pull(recording, self.flowing, arrays[count:])
        return [gradient for gradient in found if gradient is not None]


def recurrence(layer: Layer, operands: Sequence[Tensor]) -> tuple[Tensor, ...]:
    """Return y, h_n and, where there is one, c_n; `operands` are those that there are."""
    dtype = operands[0].dtype
    results = [dtype] * (3 if layer.cell.has_c else 2)
    gradients = [dtype] * sum(layer.flowing)

    @tf.custom_gradient  # type: ignore[untyped-decorator]
    def forward(*operands: Tensor) -> Any:
        def pull_back(*above: Tensor) -> list[Tensor | None]:
            return [*backward(*operands, *above), *[None] * (len(operands) - len(gradients))]

        return tf.numpy_function(layer.forward, operands, results), pull_back

    @tf.custom_gradient  # type: ignore[untyped-decorator]
    def backward(*operands: Tensor) -> Any:
        return tf.numpy_function(layer.backward, operands, gradients), refuse_second_derivative

    return tuple(forward(*operands))
