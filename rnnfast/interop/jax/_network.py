"""Layers on layers, each in one direction or in both, over `recurrence`.

x_0 = x,   y_l = [forward(x_l), reverse(x_l)],   x_{l+1} = noise(y_l),   y = y of the last
"""

from __future__ import annotations

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from ..._check import cells, inputs, options
from ...engine.noise import noise as checked_rates
from ._arguments import arguments
from ._noise import Noise
from ._recurrence import recurrence


class Output(NamedTuple):
    """Outputs of a cell without a memory: y (T, B, H), h_n (B, H)."""

    y: jax.Array
    h_n: jax.Array

    @property
    def state(self) -> jax.Array:
        """h_n: where the next call goes on with ``state=``."""
        return self.h_n


class LSTMOutput(NamedTuple):
    """Outputs of an LSTM: y (T, B, H), h_n and c_n (B, H)."""

    y: jax.Array
    h_n: jax.Array
    c_n: jax.Array

    @property
    def state(self) -> tuple[jax.Array, jax.Array]:
        """(h_n, c_n): where the next call goes on with ``state=``."""
        return self.h_n, self.c_n


def network(
    function: str,
    x: Any,
    w_ih: Any,
    w_hh: Any,
    b_ih: Any,
    b_hh: Any,
    *,
    h0: Any = None,
    c0: Any = None,
    state: Any = None,
    w_hr: Any = None,
    peephole: Any = None,
    layer_norm: Any = None,
    activations: Any = None,
    clip: float | None = None,
    lengths: Any = None,
    resets: Any = None,
    batch_first: bool = False,
    reverse: bool = False,
    bidirectional: bool = False,
    truncate: int | None = None,
    dropout: float = 0.0,
    input_dropout: float = 0.0,
    recurrent_dropout: float = 0.0,
    weight_dropout: float = 0.0,
    zoneout: float | tuple[float, ...] = 0.0,
    key: Any = None,
    **of_cell: object,
) -> Output | LSTMOutput:
    """Run the layers of a call of the public functions."""
    cell = cells.choose(
        function,
        w_hr=w_hr,
        peephole=peephole,
        layer_norm=layer_norm,
        activations=activations,
        clip=clip,
        **of_cell,
    )
    if state is not None:
        h0, c0 = inputs.state_of_call(cell, state, h0, c0)
    backwards, both = options.directions(reverse, bidirectional)
    rates = checked_rates(
        cell, dropout, input_dropout, recurrent_dropout, weight_dropout, zoneout, None
    )
    given = arguments(
        cell,
        x,
        inputs.RawWeights(w_ih, w_hh, b_ih, b_hh, w_hr, peephole, layer_norm),
        h0,
        c0,
        lengths=lengths,
        resets=resets,
        bidirectional=both,
        batch_first=options.flag("batch_first", batch_first),
    )
    noise = Noise(key, *rates[:-1])
    interval = options.interval("truncate", truncate)
    batch_axis = 0 if batch_first else 1
    y, last = given.x, []
    for first in range(0, len(given.layers), given.directions):
        y = noise.on_inputs(first // given.directions, y, batch_axis)
        ways = []
        for number in range(first, first + given.directions):
            w_ih, w_hh, *others = given.layers[number]
            outputs, units = w_hh.shape[1], w_hh.shape[0] // cell.gates
            shapes = [(*y.shape[:2], width) for width in (outputs, units)]
            kept = noise.kept(number, shapes if cell.has_c else shapes[:1], y.dtype)
            out = recurrence(
                cell,
                y,
                (w_ih, noise.on_weights(number, w_hh), *others),
                given.h0[number],
                given.c0[number],
                lengths=given.lengths,
                resets=given.resets,
                recurrent_mask=noise.of_h(number, (y.shape[batch_axis], outputs), y.dtype),
                **dict(zip(("kept_h", "kept_c"), kept, strict=False)),
                batch_first=batch_first,
                reverse=backwards or number > first,
                truncate=interval,
            )
            ways.append(out[0])
            last.append(out[1:] if cell.has_c else out[1:2])
        y = ways[0] if len(ways) == 1 else jnp.concatenate(ways, -1)
    states = [jnp.stack(one) if given.stacked else one[0] for one in zip(*last, strict=True)]
    results = [array.astype(given.dtype) for array in (y, *states)]
    return LSTMOutput(*results) if cell.has_c else Output(*results)
