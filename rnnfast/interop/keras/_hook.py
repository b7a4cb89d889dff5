"""What stands in place of `inner_loop` in one layer: Keras's own `call` is around it."""

from __future__ import annotations

from collections.abc import Sequence
from types import MethodType
from typing import Any
from weakref import WeakKeyDictionary

import keras
from keras import ops, tree

from ._backends import Backend, backend
from ._cells import plan
from ._dropout import Masks, Widened, kept
from ._fallback import CannotRun, say_run_by_keras
from ._steps import Steps, begins_with_state, zeros_where_masked

_supported_jit: WeakKeyDictionary[Any, bool] = WeakKeyDictionary()


def inner_loop(
    layer: Any, sequences: Any, initial_state: Any, mask: Any, training: bool = False
) -> tuple[Any, Any, list[Any]]:
    """As `keras.layers.RNN.inner_loop`, by the kernels where they can run.

    The names of the arguments are Keras's: it calls by keyword.
    """
    try:
        return run(layer, sequences, initial_state, mask, training)
    except CannotRun as left:
        say_run_by_keras(type(layer).__name__, str(left))
    of_class: Any = type(layer).inner_loop
    return of_class(layer, sequences, initial_state, mask, training=training)  # type: ignore[no-any-return]


def hooked(layer: Any) -> bool:
    """Return whether a layer has ours."""
    return getattr(vars(layer).get("inner_loop"), "__func__", None) is inner_loop


def hook(layer: Any) -> None:
    """Give a layer ours."""
    if keras.backend.backend() == "tensorflow":  # whose XLA takes no operations of others
        _supported_jit.setdefault(layer, layer.supports_jit)
        layer.supports_jit = False
    layer.inner_loop = MethodType(inner_loop, layer)


def unhook(layer: Any) -> None:
    """Give a layer that of its class again."""
    del layer.inner_loop
    layer.supports_jit = _supported_jit.pop(layer, layer.supports_jit)


def run(
    layer: Any, sequences: Any, initial_state: Any, mask: Any, training: bool
) -> tuple[Any, Any, list[Any]]:
    """Return the last output, all outputs or the last one, and the states.

    Raises
    ------
    CannotRun
        Where the kernels cannot; nothing has been changed then.
    """
    kernels = ready(sequences)
    cells = cells_of(layer.cell)
    plans = [plan(cell) for cell in cells]
    mask = tree.flatten(mask)[0] if mask is not None else None
    if mask is not None and layer.unroll and layer.go_backwards:
        raise CannotRun("unroll, go_backwards and a mask")

    x, steps, lengths = sequences, None, None
    if mask is not None:
        steps = Steps.of(mask, layer.go_backwards)
        x, lengths = steps.to_front(x), steps.lengths
    reverse = layer.go_backwards and steps is None
    given = iter(tree.flatten(initial_state))
    found: list[Any] = []
    h0 = h_n = None
    for cell, (core, _, order, weights, zoneout) in zip(cells, plans, strict=True):
        h0, *c0 = (next(given) for _ in core.states)
        masks = Masks.of(cell, order, x, h0, training)
        call = Widened.of(core, masks, x, weights(), h0)
        y, h_n, c_n = kernels.recurrence(
            core,
            call.x,
            call.weights,
            call.h0,
            c0[0] if c0 else None,
            lengths=lengths,
            recurrent_mask=call.recurrent_mask,
            batch_first=True,
            reverse=reverse,
            **kept(cell, zoneout, x, training),
        )
        x, h_n = call.narrow(y), call.narrow(h_n)
        found += [h_n] if c_n is None else [h_n, c_n]
    last, outputs = _outputs(layer, steps, x, h0, h_n)
    return last, outputs, tree.pack_sequence_as(list(initial_state), found)


def ready(sequences: Any) -> Backend:
    """Return the backend's way to the kernels for these sequences."""
    kernels = backend()
    if kernels is None:
        raise CannotRun(f"the backend {keras.backend.backend()}")
    if tree.is_nested(sequences) or len(sequences.shape) != 3:
        raise CannotRun("inputs that are not one (B, T, I)")
    dtype = keras.backend.standardize_dtype(sequences.dtype)
    if dtype not in ("float32", "float64"):
        raise CannotRun(f"inputs of {dtype}")
    reason = kernels.reason_for_host(sequences)
    if reason is not None:
        raise CannotRun(reason)
    return kernels


def cells_of(cell: Any) -> Sequence[Any]:
    """Return the cells that a layer runs one after another."""
    if type(cell) is not keras.layers.StackedRNNCells:
        return (cell,)
    if len(cell.cells) == 1:
        raise CannotRun("a stack of one cell")
    return tuple(cell.cells)


def _outputs(layer: Any, steps: Steps | None, y: Any, h0: Any, h_n: Any) -> tuple[Any, Any]:
    """Return the last output and, in the order of processing, all or the last one."""
    if steps is None:
        if not layer.return_sequences:
            return h_n, ops.expand_dims(h_n, 1)
        return h_n, ops.flip(y, axis=1) if layer.go_backwards else y
    zeros = zeros_where_masked(layer.zero_output_for_mask, layer.unroll)
    first = h0 if begins_with_state(layer.unroll) and not zeros else ops.zeros_like(h0)
    if not layer.return_sequences:
        shown = steps.show_last(y, first, zeros)
        return shown[:, 0], shown
    shown = steps.show(y, first, zeros)
    return shown[:, -1], shown
