"""The equations of all cells in operations of JAX: `lax.scan` over the steps.

    state_t = d_t state_{t-1} + (1 - d_t) step(W_ih x_t + b_ih, state_{t-1}, m h_{t-1})

They run where the kernels do not: on other devices than the CPU, and in derivatives of another kind
than gradients of first order.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import inf, isinf
from typing import Any, TypeAlias

import jax
import jax.numpy as jnp

from ..._check import cells
from ..._check.activations import Activation, activations
from ._pass import Pass

Array: TypeAlias = jax.Array
Operands: TypeAlias = Mapping[str, Array]
State: TypeAlias = tuple[Array, ...]
Function: TypeAlias = Callable[[Array], Array]
Step: TypeAlias = Callable[[Array, State, Array], State]

_EPSILON = 1e-5  # of layer normalization


def outputs(call: Pass, operands: Operands) -> tuple[Array, ...]:
    """Return y, h_n and, where the cell has one, c_n."""
    of_steps = {name: _in_time(call, operands.get(name)) for name in _OF_STEPS}
    x = of_steps.pop("x")
    steps, batch, _, units, projection = call.sizes(operands)
    step = _STEPS[call.cell.function](call.cell, operands)
    widths = (projection or units, units) if call.cell.has_c else (units,)
    start = tuple(
        operands.get(name, jnp.zeros((batch, width), x.dtype))
        for name, width in zip(("h0", "c0"), widths, strict=False)
    )
    lengths = operands.get("lengths", jnp.full((batch,), steps, jnp.int32))
    if call.direction == "reverse":
        begins = (steps - lengths).astype(jnp.int32)
    else:
        begins = jnp.zeros((batch,), jnp.int32)
    ends = begins + lengths

    def take(before: State, at: Any) -> tuple[State, Array]:
        number, a, now = at
        taken = ((begins <= number) & (number < ends))[:, None]
        state = before
        if now["resets"] is not None:
            state = tuple(jnp.where(now["resets"][:, None], 0, one) for one in state)
        if call.truncate:
            own = number - begins
            cut = ((own > 0) & (own % call.truncate == 0))[:, None]
            state = tuple(jnp.where(cut, jax.lax.stop_gradient(one), one) for one in state)
        seen = state[0] * operands["mask"] if "mask" in operands else state[0]
        after = step(a, state, seen)
        kept = (now["kept_h"], now["kept_c"])
        after = tuple(
            new if d is None else d * old + (1 - d) * new
            for old, new, d in zip(state, after, kept, strict=False)
        )
        y = jnp.where(taken, after[0], 0)
        return tuple(jnp.where(taken, n, o) for n, o in zip(after, before, strict=True)), y

    numbers = jnp.arange(steps, dtype=jnp.int32)
    last, y = jax.lax.scan(take, start, (numbers, _input_product(call.cell, operands, x), of_steps))
    return (_as_given(call, y), *last)


_OF_STEPS = ("x", "resets", "kept_h", "kept_c")


def _in_time(call: Pass, sequence: Array | None) -> Any:
    """Return a sequence in the order of the steps, time first."""
    if sequence is None:
        return None
    by_time = jnp.swapaxes(sequence, 0, 1) if call.axes == "batch_first" else sequence
    return jnp.flip(by_time, 0) if call.direction == "reverse" else by_time


def _as_given(call: Pass, by_time: Array) -> Array:
    sequence = jnp.flip(by_time, 0) if call.direction == "reverse" else by_time
    return jnp.swapaxes(sequence, 0, 1) if call.axes == "batch_first" else sequence


def _input_product(cell: cells.Cell, operands: Operands, x: Array) -> Array:
    """Return what x gives to the gates, for all steps at once."""
    product = x @ operands["w_ih"].T
    if not cell.norm_rows:
        return product + operands.get("b_ih", 0)
    rows = product.shape[-1]
    return _normalized(cell, product, operands["of_norms"][:rows], operands.get("b_ih"))


def _normalized(cell: cells.Cell, product: Array, gain: Array, bias: Array | None) -> Array:
    """Return a normalized product: of a GRU its gates together and the candidate by itself."""
    if cell.function != "gru":
        return _norm(product, gain, bias)
    units = product.shape[-1] // 3
    parts = (slice(None, 2 * units), slice(2 * units, None))
    biases = [None if bias is None else bias[at] for at in parts]
    return jnp.concatenate(
        [_norm(product[..., at], gain[at], b) for at, b in zip(parts, biases, strict=True)], -1
    )


def _norm(v: Array, gain: Array, bias: Array | None) -> Array:
    centred = v - v.mean(-1, keepdims=True)
    scaled = gain * centred * jax.lax.rsqrt((centred * centred).mean(-1, keepdims=True) + _EPSILON)
    return scaled if bias is None else scaled + bias


# One step: from what x gives to the gates, the state before and the h that the recurrent weights
# meet to the state after.


def _rnn(cell: cells.Cell, operands: Operands) -> Step:
    (f,) = _functions(cell)

    def step(a: Array, state: State, seen: Array) -> State:
        return (f(a + _recurrent(cell, operands, seen)),)

    return step


def _lstm(cell: cells.Cell, operands: Operands) -> Step:
    of_gates, of_candidate, of_output = _functions(cell)
    forget = cells.options_of(cell).get("forget_gate", "own")
    peepholes = operands.get("of_units")

    def step(a: Array, state: State, seen: Array) -> State:
        _, c = state
        p_i, p_f, p_o = (0, 0, 0) if peepholes is None else jnp.split(peepholes, 3)
        i, *f, g, o = jnp.split(a + _recurrent(cell, operands, seen), cell.gates, -1)
        i = of_gates(i + p_i * c)
        kept = of_gates(f[0] + p_f * c) if f else 1 - i if forget == "coupled" else 1
        c = kept * c + i * of_candidate(g)
        o = of_gates(o + p_o * c)
        shown = c
        if cell.norm_rows:
            gain, bias = jnp.split(operands["of_norms"][2 * a.shape[-1] :], 2)
            shown = _norm(c, gain, bias)
        h = o * of_output(shown)
        return (h @ operands["w_hr"].T if "w_hr" in operands else h), c

    return step


def _gru(cell: cells.Cell, operands: Operands) -> Step:
    of_gates, of_candidate = _functions(cell)
    after_product = cells.options_of(cell)["reset_after"]

    def step(a: Array, state: State, seen: Array) -> State:
        (h,) = state
        a_r, a_z, a_n = jnp.split(a, 3, -1)
        if after_product:
            m_r, m_z, m_n = jnp.split(_recurrent(cell, operands, seen), 3, -1)
            r = of_gates(a_r + m_r)
            n = of_candidate(a_n + r * m_n)
        else:
            m_r, m_z = jnp.split(_recurrent(cell, operands, seen, slice(0, 2)), 2, -1)
            r = of_gates(a_r + m_r)
            n = of_candidate(a_n + _recurrent(cell, operands, r * seen, slice(2, 3)))
        z = of_gates(a_z + m_z)
        return ((1 - z) * n + z * h,)

    return step


def _mgu(cell: cells.Cell, operands: Operands) -> Step:
    of_gate, of_candidate = _functions(cell)

    def step(a: Array, state: State, seen: Array) -> State:
        (h,) = state
        a_f, a_n = jnp.split(a, 2, -1)
        f = of_gate(a_f + _recurrent(cell, operands, seen, slice(0, 1)))
        n = of_candidate(a_n + _recurrent(cell, operands, f * seen, slice(1, 2)))
        return ((1 - f) * h + f * n,)

    return step


def _light_gru(cell: cells.Cell, operands: Operands) -> Step:
    of_gate, of_candidate = _functions(cell)

    def step(a: Array, state: State, seen: Array) -> State:
        (h,) = state
        a_z, a_n = jnp.split(a + _recurrent(cell, operands, seen), 2, -1)
        z = of_gate(a_z)
        return (z * h + (1 - z) * of_candidate(a_n),)

    return step


_STEPS: dict[str, Callable[[cells.Cell, Operands], Step]] = {
    "rnn": _rnn,
    "lstm": _lstm,
    "gru": _gru,
    "mgu": _mgu,
    "light_gru": _light_gru,
}


def _recurrent(
    cell: cells.Cell, operands: Operands, seen: Array, gates: slice = slice(None)
) -> Array:
    """Return what h gives to some of the gates."""
    w_hh, b_hh = operands["w_hh"], operands.get("b_hh")
    rows = w_hh.shape[0]
    units = rows // cell.gates
    start, stop, _ = gates.indices(cell.gates)
    own = slice(start * units, stop * units)
    product = seen @ w_hh[own].T
    if cell.norm_rows:
        return _normalized(cell, product, operands["of_norms"][rows : 2 * rows], b_hh)
    return product if b_hh is None else product + b_hh[own]


def _functions(cell: cells.Cell) -> list[Function]:
    """Return the activations of a cell."""
    chosen = cell.activations or activations(None, cells.usual_activations(cell), inf)
    return [_function(one) for one in chosen]


def _function(of: Activation) -> Function:
    name, alpha, beta, lowest, highest, clip = of

    def value(x: Array) -> Array:
        y = _FUNCTIONS[name](x if isinf(clip) else jnp.clip(x, -clip, clip), alpha, beta)
        if not isinf(lowest):
            y = jnp.where(y <= lowest, lowest, y)
        return y if isinf(highest) else jnp.where(y >= highest, highest, y)

    return value


_FUNCTIONS: dict[str, Callable[[Array, float, float], Array]] = {
    "affine": lambda x, alpha, beta: alpha * x + beta,
    "leaky_relu": lambda x, alpha, beta: jnp.where(x >= 0, x, alpha * x),
    "thresholded_relu": lambda x, alpha, beta: jnp.where(x >= alpha, x, 0),
    "sigmoid": lambda x, alpha, beta: jax.nn.sigmoid(x),
    "scaled_tanh": lambda x, alpha, beta: alpha * jnp.tanh(beta * x),
    "elu": lambda x, alpha, beta: jnp.where(x > 0, beta * x, alpha * jnp.expm1(jnp.minimum(x, 0))),
    "softsign": lambda x, alpha, beta: jax.nn.soft_sign(x),
    "softplus": lambda x, alpha, beta: jax.nn.softplus(x),
    "exponential": lambda x, alpha, beta: jnp.exp(x),
}
