"""Equinox's cells over whole sequences: as a scan of the cell itself."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jax_layers import assert_same, by_our_kernels, normal, result_of, weighted_sum
from rnnfast.interop.jax import kernel_calls
from rnnfast.interop.jax.equinox import scan

T, B, N, H = 7, 3, 4, 5
X = normal(0, (T, B, N))
KEY = jax.random.key(0)

CELLS = {
    "lstm": eqx.nn.LSTMCell(N, H, key=KEY),
    "lstm without bias": eqx.nn.LSTMCell(N, H, use_bias=False, key=KEY),
    "gru": eqx.nn.GRUCell(N, H, key=KEY),
    "gru without bias": eqx.nn.GRUCell(N, H, use_bias=False, key=KEY),
}


def plain_scan(cell, xs, state, reverse=False):
    """The same as people write it."""
    step = cell if xs.ndim == 2 else jax.vmap(cell)

    def body(state, x):
        state = step(x, state)
        return state, state[0] if isinstance(state, tuple) else state

    return jax.lax.scan(body, state, xs, reverse=reverse)


def state_of(cell, *batch):
    h, c = normal(1, (*batch, H)), normal(2, (*batch, H))
    return (h, c) if isinstance(cell, eqx.nn.LSTMCell) else h


@pytest.mark.parametrize("name", CELLS)
@pytest.mark.parametrize("reverse", [False, True])
def test_results_and_gradients(name, reverse):
    cell = CELLS[name]

    def derived(scan):
        def loss(arguments):
            results = scan(*arguments, reverse=reverse)
            return weighted_sum(results), results

        run = eqx.filter_jit(eqx.filter_value_and_grad(loss, has_aux=True))
        return run((cell, X, state_of(cell, B)))

    with by_our_kernels():
        got = result_of(derived, scan)
    assert_same(got, derived(plain_scan))


@pytest.mark.parametrize("name", ["lstm", "gru"])
def test_one_sequence_and_vmap(name):
    cell = CELLS[name]
    want = plain_scan(cell, X[:, 0], state_of(cell))
    with by_our_kernels():
        assert_same(result_of(scan, cell, X[:, 0], state_of(cell)), want)
    states = state_of(cell, B)
    over_batch = jax.vmap(lambda x, state: scan(cell, x, state), in_axes=(1, 0), out_axes=(0, 1))
    assert_same(over_batch(X, states), plain_scan(cell, X, states))


@pytest.mark.parametrize("name", ["lstm", "gru"])
def test_zeros_unless_given(name):
    cell = CELLS[name]
    zeros = jax.tree.map(jnp.zeros_like, state_of(cell, B))
    assert_same(scan(cell, X), scan(cell, X, zeros), 0, 0)


def test_double_precision():
    with jax.enable_x64(True):
        cell = eqx.nn.GRUCell(N, H, dtype=np.float64, key=KEY)
        x = X.astype(np.float64)
        with by_our_kernels():
            got = result_of(scan, cell, x)
        want = plain_scan(cell, x, np.zeros((B, H)))
        assert_same(got, want, rtol=1e-13, atol=1e-14)


class Own(eqx.nn.GRUCell, strict=False):
    def __call__(self, input, hidden, *, key=None):
        return 2 * super().__call__(input, hidden)


@pytest.mark.parametrize(
    ("cell", "reason"),
    [
        (Own(N, H, key=KEY), "Own may have a call of its own"),
        (eqx.nn.LSTMCell(N, H, dtype=jnp.float16, key=KEY), "it computes in float16"),
    ],
)
def test_what_is_scanned_as_it_is(cell, reason):
    x = X.astype(cell.weight_ih.dtype)
    state = jax.tree.map(lambda part: part.astype(x.dtype), state_of(cell, B))
    before = kernel_calls()
    with pytest.warns(UserWarning, match=f"to jax.lax.scan: {reason}"):
        got = scan(cell, x, state)
    assert_same(got, plain_scan(cell, x, state), 0, 0)
    assert_same(scan(cell, x), scan(cell, x, jax.tree.map(jnp.zeros_like, state)), 0, 0)
    assert kernel_calls() == before


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ((eqx.nn.Linear(2, 3, key=KEY), X), TypeError, "an eqx.nn.LSTMCell or eqx.nn.GRUCell, got"),
        ((CELLS["gru"], X[0, 0]), ValueError, r"xs must be \(T, I\) or \(T, B, I\), got the shape"),
        ((CELLS["gru"], X[..., :2]), TypeError, "dot_general requires contracting dimensions"),
        ((CELLS["gru"], X, np.zeros((B, H + 1), np.float32)), TypeError, "dot_general requires"),
        ((CELLS["lstm"], X, np.zeros((B, H), np.float32)), ValueError, "unpack"),
    ],
)
def test_what_is_wrong_is_said(arguments, error, message):
    with pytest.raises(error, match=message):
        scan(*arguments)
