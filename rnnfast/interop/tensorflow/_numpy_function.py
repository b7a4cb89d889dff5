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

from ..._check import gradients, inputs
from ...engine.drawn_masks import DrawnMasks
from ...engine.network import Network
from ._layer import Layer
from ._refusals import refuse_second_derivative

Tensor: TypeAlias = Any

_FLOWING = ("x", "h0", "c0", *inputs.RawWeights._fields)  # the first operands
_calls = 0


def kernel_calls() -> int:
    """Return how many passes have run so."""
    return _calls


class _Present(NamedTuple):
    """A layer, and which operands there are of all."""

    layer: Layer
    present: tuple[bool, ...]

    @property
    def flowing(self) -> list[str]:
        """The operands that may have a gradient and are there."""
        return [name for name, there in zip(_FLOWING, self.present, strict=False) if there]

    def network(self, arrays: Sequence[Any]) -> Network:
        """Return what runs on the operands that there are, and count it."""
        global _calls
        _calls += 1
        given = iter(arrays)
        all_of_them: list[Any] = [next(given) if there else None for there in self.present]
        x, h0, c0, *others = all_of_them
        *weights, lengths, resets, recurrent_mask, kept_h, kept_c = others
        return Network(
            self.layer.cell,
            x,
            inputs.RawWeights(*weights),
            h0,
            c0,
            lengths=lengths,
            resets=resets,
            reverse=self.layer.reverse,
            bidirectional=False,
            noise=DrawnMasks(recurrent_mask, kept_h, kept_c),
            batch_first=self.layer.batch_first,
        )

    def forward(self, *arrays: Any) -> list[Any]:
        """Return the results."""
        return list(self.network(arrays).forward())

    def backward(self, *arrays: Any) -> list[Any]:
        """Return the gradients of what flows, from operands and gradients of the results."""
        count = sum(self.present)
        _, recording = self.network(arrays[:count]).forward_saving()
        dy, dh_n, dc_n = (*arrays[count:], None)[:3]
        above = gradients.upstream(dy, dh_n, dc_n, recording.network.given)
        found = recording.backward(self.layer.truncate, frozenset(self.flowing), *above)
        return [found[name] for name in self.flowing]


def run(layer: Layer, given: Sequence[Any]) -> tuple[Tensor, ...]:
    """Return y, h_n and, where there is one, c_n; `given` are all operands or None."""
    called = _Present(layer, tuple(one is not None for one in given))
    operands = [one for one in given if one is not None]
    dtype = operands[0].dtype
    width = len(called.flowing)

    @tf.custom_gradient  # type: ignore[untyped-decorator]
    def forward(*operands: Tensor) -> Any:
        def pull_back(*above: Tensor) -> list[Tensor | None]:
            return [*backward(*operands, *above), *[None] * (len(operands) - width)]

        return tf.numpy_function(called.forward, operands, [dtype] * layer.results), pull_back

    @tf.custom_gradient  # type: ignore[untyped-decorator]
    def backward(*operands: Tensor) -> Any:
        found = tf.numpy_function(called.backward, operands, [dtype] * width)
        return found, refuse_second_derivative

    return tuple(forward(*operands))
