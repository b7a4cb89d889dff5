"""A call of one of the functions: which cell it asks for, and its layer."""

from __future__ import annotations

from typing import Any

from ..._check import cells, inputs, options
from ._recurrence import recurrence


def one_layer(
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
    truncate: int | None = None,
    **of_cell: Any,
) -> list[Any]:
    """Return y, h_n and, where there is one, c_n."""
    beside = {"w_hr": w_hr, "peephole": peephole, "layer_norm": layer_norm}
    cell = cells.choose(function, activations=activations, clip=clip, **beside, **of_cell)
    if state is not None:
        h0, c0 = inputs.state_of_call(cell, state, h0, c0)
    results = recurrence(
        cell,
        x,
        (w_ih, w_hh, b_ih, b_hh, *beside.values()),
        h0,
        c0,
        lengths=lengths,
        resets=resets,
        batch_first=options.flag("batch_first", batch_first),
        reverse=options.flag("reverse", reverse),
        truncate=options.interval("truncate", truncate),
    )
    return [result for result in results if result is not None]
