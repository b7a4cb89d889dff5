"""Which cell of the core a cell of Flax is, and which of its dense layers are the weights.

    LSTM        i f g o of either product; the recurrent layers alone have biases
    GRU         r z n, reset after; biases of the input, and of n where it meets h
    MGU         a GRU whose r and z are one gate; without its reset a light GRU
    simple      one layer of either product; a residual one adds h to what the activation takes

A dense layer is x @ kernel + bias, its kernel (I, H). There is one for each gate, or one for all.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import jax.numpy as jnp

from ...._check.cells import Cell, choose
from .._activations import name_of
from .._layer import Array, Layer, require_known


class Dense(NamedTuple):
    """The weights of a dense layer: kernel (I, H), bias (H,) or None."""

    kernel: Array
    bias: Array | None


class Form(NamedTuple):
    """A cell of Flax: a function of rnnfast, its dense layers by name, its activations."""

    function: str
    of_input: tuple[str, ...]
    of_h: tuple[str, ...]
    activations: tuple[str, ...]

    def core(self, cell: Any) -> Cell:
        """Return the cell of the core, with the activations that a cell of Flax has.

        Raises
        ------
        LeftToHostError
            If it has others, or computes in a type, that the kernels lack.
        """
        if cell.dtype is not None:
            require_known(cell.dtype)
        chosen = [name_of(argument, getattr(cell, argument)) for argument in self.activations]
        return choose(self.function, activations=chosen)

    def layer(self, cell: Any, dense: Callable[[str], Dense]) -> Layer:
        """Return a cell of Flax with its weights, which lie in dense layers known by name."""
        core = self.core(cell)
        w_ih, b_ih = _joined([dense(name) for name in self.of_input])
        w_hh, b_hh = _joined([dense(name) for name in self.of_h])
        if getattr(cell, "residual", False):
            w_hh = w_hh + jnp.eye(len(w_hh), dtype=w_hh.dtype)
        return Layer(core, w_ih, w_hh, b_ih, b_hh)


LSTM = ("gate_fn", "activation_fn", "activation_fn")
GATED = ("gate_fn", "activation_fn")
SIMPLE = ("activation_fn",)


def _joined(gates: Sequence[Dense]) -> tuple[Array, Array | None]:
    """Return the weights (G*H, I) and biases (G*H,) of gates that lie beside each other."""
    weights = jnp.concatenate([gate.kernel for gate in gates], axis=1).T
    if all(gate.bias is None for gate in gates):
        return weights, None
    biases = [
        jnp.zeros(gate.kernel.shape[1], gate.kernel.dtype) if gate.bias is None else gate.bias
        for gate in gates
    ]
    return weights, jnp.concatenate(biases)
