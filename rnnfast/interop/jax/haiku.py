"""Drop-in for Haiku: `dynamic_unroll` and `static_unroll` on the kernels of rnnfast.

    from rnnfast.interop.jax.haiku import dynamic_unroll        in place of hk.dynamic_unroll

    LSTM        i g f o of one product, W [x h]; 1 is added to what f takes
    GRU         z r a, reset before; h' = (1 - z) h + z a, so that our z is 1 - z: the sigmoid of -v
    VanillaRNN  relu

Cores are Haiku's, alone, in a `DeepRNN`, with skip connections too, or in a `ResetCore`. Parameters
are found by asking a core for one step, which the compiler drops; random numbers and names are
Haiku's. Anything else is handed to Haiku, and said once.

Written for Haiku 0.0.17. See also: docs/flax.md.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import haiku as hk
import jax
import jax.numpy as jnp

from ..._check.cells import choose
from ._host import LeftToHostError, say_run_by
from ._layer import Array, Layer

__all__ = ["dynamic_unroll", "static_unroll"]


def dynamic_unroll(
    core: Any,
    input_sequence: Any,
    initial_state: Any,
    time_major: bool = True,
    reverse: bool = False,
    return_all_states: bool = False,
    unroll: int = 1,
) -> tuple[Any, Any]:
    """Run a core over sequences, as `haiku.dynamic_unroll` does.

    Parameters
    ----------
    core : hk.RNNCore
        What takes a step. Those that the kernels lack are run by Haiku.
    input_sequence : array, shape (T, ..., I), or what the core takes
        With ``time_major=False``, (B, T, I).
    initial_state : nested arrays, shape (..., H)
        As from ``core.initial_state(batch_size)``.
    time_major : bool, default True
        Whether time comes first, in what is taken and given.
    reverse : bool, default False
        Go from the last step to the first.
    return_all_states : bool, default False
        Return the states after each step; an LSTM's are then Haiku's to compute.
    unroll : int, default 1
        Steps in an iteration of Haiku's own loop.

    Returns
    -------
    outputs, states
        The outputs of each step; the states after the last, or after each.
    """
    try:
        unrolled = _unrolled(core, input_sequence, initial_state, time_major, reverse)
        if not return_all_states:
            return unrolled.outputs, unrolled.state
        if unrolled.states is None:
            raise LeftToHostError("return_all_states of an LSTM")
        return unrolled.outputs, unrolled.states
    except LeftToHostError as left:
        say_run_by("haiku", left)
    return hk.dynamic_unroll(  # type: ignore[no-any-return]  # Haiku is not looked into
        core, input_sequence, initial_state, time_major, reverse, return_all_states, unroll
    )


def static_unroll(
    core: Any, input_sequence: Any, initial_state: Any, time_major: bool = True
) -> tuple[Any, Any]:
    """Run a core over sequences, as `haiku.static_unroll` does.

    Parameters
    ----------
    core, input_sequence, initial_state, time_major
        As of `dynamic_unroll`.

    Returns
    -------
    outputs, state
        The outputs of each step; the state after the last.
    """
    try:
        unrolled = _unrolled(core, input_sequence, initial_state, time_major, False)
        return unrolled.outputs, unrolled.state
    except LeftToHostError as left:
        say_run_by("haiku", left)
    return hk.static_unroll(  # type: ignore[no-any-return]  # Haiku is not looked into
        core, input_sequence, initial_state, time_major
    )


class _Unrolled(NamedTuple):
    """Outputs of all steps, the state after the last, and after each where these are known."""

    outputs: Array
    state: Any
    states: Any


def _unrolled(core: Any, xs: Any, state: Any, time_major: bool, reverse: bool) -> _Unrolled:
    """Run a core over sequences; its outputs and states lie as the inputs do."""
    _require_known(core.core if type(core) is hk.ResetCore else core)
    if hk.running_init():
        raise LeftToHostError  # which makes the parameters
    xs, state = jax.tree.map(jnp.asarray, (xs, state))
    if not time_major:
        xs = jax.tree.map(lambda x: jnp.swapaxes(x, 0, 1), xs)
    outputs, state, states = _run(core, xs, state, {"reverse": reverse})
    if not time_major:
        outputs, states = jax.tree.map(lambda y: jnp.swapaxes(y, 0, 1), (outputs, states))
    return _Unrolled(outputs, state, states)


def _require_known(core: Any) -> None:
    """Raise unless a core, and all in it, is one that the kernels run."""
    if type(core) in _DEEP:
        for layer in core.layers:
            _require_known(layer)
    elif type(core) not in _LAYERS:
        shown = getattr(type(core), "__qualname__", core)
        raise LeftToHostError(f"{shown} is no core of haiku that it knows")


def _run(core: Any, xs: Any, state: Any, options: dict[str, Any]) -> _Unrolled:
    """Run a core over xs (T, ...), with options of `recurrence`."""
    if type(core) is hk.ResetCore:
        xs, should_reset = xs
        shape = jax.tree.leaves(state)[0].shape[:-1]
        if not isinstance(should_reset, jax.Array) or should_reset.shape[1:] != shape:
            raise LeftToHostError("resets other than one for each sequence and step")
        resets = should_reset.reshape(len(should_reset), -1) != 0
        return _run(core.core, xs, state, {**options, "resets": resets})
    if type(core) in _DEEP:
        return _run_in_turn(core, xs, state, options)
    layer, x = _layer(core, xs, state)
    flat = [part.reshape(-1, part.shape[-1]) for part in jax.tree.leaves(state)]
    y, after = layer.run(x.reshape(len(x), -1, x.shape[-1]), flat, **options)
    y = y.reshape(*x.shape[:-1], -1)
    after = tuple(part.reshape(*x.shape[1:-1], -1) for part in after)
    if layer.cell.has_c:
        return _Unrolled(y, hk.LSTMState(*after), None)
    return _Unrolled(y, after[0], y)


def _run_in_turn(core: Any, xs: Array, state: Any, options: dict[str, Any]) -> _Unrolled:
    """Run the cores of a `DeepRNN`, each over all steps."""
    found: list[_Unrolled] = []
    for layer, of_layer in zip(core.layers, state, strict=True):
        below = found[-1].outputs if found else xs
        if core.skip_connections and found:
            below = jnp.concatenate([xs, below], axis=-1)
        found.append(_run(layer, below, of_layer, options))
    outputs = [each.outputs for each in found]
    known = all(each.states is not None for each in found)
    return _Unrolled(
        jnp.concatenate(outputs, axis=-1) if core.skip_connections else outputs[-1],
        tuple(each.state for each in found),
        tuple(each.states for each in found) if known else None,
    )


def _layer(core: Any, xs: Array, state: Any) -> tuple[Layer, Array]:
    """Return the layer that a core is, and its input, in the type that Haiku computes in."""
    weights: dict[str, Array] = {}

    def keep(next_getter: Callable[..., Array], value: Array, context: Any) -> Array:
        found = next_getter(value)
        weights[context.full_name.removeprefix(f"{core.module_name}/")] = found
        return found

    if not len(xs):
        raise LeftToHostError
    with hk.custom_getter(keep):
        step = core(xs[0], state)
    states = jax.tree.leaves(state)
    layer, x = _LAYERS[type(core)](weights, xs.shape[-1]).computing_in(None, xs, states)
    if any(part.dtype != x.dtype for part in jax.tree.leaves(step)):
        raise LeftToHostError("a core whose results have another type than what it computes in")
    return layer, x


def _lstm(weights: dict[str, Array], inputs: int) -> Layer:
    def ordered(gates: Array) -> Array:
        i, g, f, o = jnp.split(gates, 4, axis=-1)
        return jnp.concatenate([i, f, g, o], axis=-1)

    w, b = ordered(weights["linear/w"]).T, ordered(weights["linear/b"])
    units = len(b) // 4
    b = b.at[units : 2 * units].add(1)
    return Layer(choose("lstm"), w[:, :inputs], w[:, inputs:], b, None)


def _gru(weights: dict[str, Array], inputs: int) -> Layer:
    def ordered(gates: Array) -> Array:
        z, r, a = jnp.split(gates, 3, axis=-1)
        return jnp.concatenate([r, -z, a], axis=-1)

    w_ih, w_hh = ordered(weights["w_i"]).T, ordered(weights["w_h"]).T
    return Layer(choose("gru", reset_after=False), w_ih, w_hh, ordered(weights["b"]), None)


def _vanilla(weights: dict[str, Array], inputs: int) -> Layer:
    w_ih, w_hh = weights["linear/w"].T, weights["linear_1/w"].T
    cell = choose("rnn", nonlinearity="relu")
    return Layer(cell, w_ih, w_hh, weights["linear/b"], weights.get("linear_1/b"))


_LAYERS: dict[type, Callable[[dict[str, Array], int], Layer]] = {
    hk.LSTM: _lstm,
    hk.GRU: _gru,
    hk.VanillaRNN: _vanilla,
}

# `hk.deep_rnn_with_skip_connections` makes one of the class that `hk.DeepRNN` derives from.
_DEEP = hk.DeepRNN.__mro__[:2]
