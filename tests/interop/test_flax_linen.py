"""linen: every result, gradient and parameter as from Flax, with and without `intercept`."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import linen as nn
from flax.errors import ScopeParamNotFoundError

from jax_layers import (
    assert_same,
    by_our_kernels,
    moved,
    normal,
    result_of,
    weighted_sum,
)
from rnnfast.interop.jax import kernel_calls
from rnnfast.interop.jax.flax import intercept

T, B, N, H = 7, 3, 4, 5
X = normal(0, (B, T, N))
LENGTHS = np.array([T, 1, 4])
KEY = jax.random.key(0)

CELLS = (
    nn.LSTMCell(H),
    nn.OptimizedLSTMCell(H),
    nn.GRUCell(H, gate_fn=jax.nn.hard_sigmoid),
    nn.SimpleCell(H, residual=True, activation_fn=nn.relu),
    nn.MGUCell(H),
    nn.MGUCell(H, reset_gate=False),
)


def variables_of(rnn, x=X):
    """Parameters, and biases that are not zero."""
    return moved(jax.jit(rnn.init)(KEY, x))


def both(call, *arguments):
    """What a function gives by Flax, and by the kernels; either is compiled for itself."""
    want = jax.jit(lambda *given: call(*given))(*arguments)
    with intercept() as report, by_our_kernels():
        got = result_of(jax.jit(lambda *given: call(*given)), *arguments)
    assert report.swapped
    assert not report.left
    return got, want


@pytest.mark.parametrize("cell", CELLS, ids=lambda cell: type(cell).__name__)
def test_results_and_gradients(cell):
    rnn = nn.RNN(cell, return_carry=True)
    h, c = normal(1, (B, H)), normal(2, (B, H))
    carry = (c, h) if "LSTM" in type(cell).__name__ else h

    def call(variables, x, carry):
        results = rnn.apply(variables, x, initial_carry=carry)
        return weighted_sum(results), results

    derived = jax.value_and_grad(call, argnums=(0, 1, 2), has_aux=True)
    assert_same(*both(derived, variables_of(rnn), X, carry))


@pytest.mark.parametrize(
    "options",
    [
        {"reverse": True},
        {"reverse": True, "keep_order": True, "return_carry": True},
        {"time_major": True, "return_carry": True},
    ],
)
@pytest.mark.parametrize("lengths", [None, LENGTHS])
def test_options(options, lengths):
    x = X.swapaxes(0, 1) if options.get("time_major") else X
    given, own = nn.RNN(nn.LSTMCell(H)), nn.RNN(nn.LSTMCell(H), **options)
    variables = variables_of(own, x)
    got, want = both(lambda v: own.apply(v, x, seq_lengths=lengths), variables)
    assert_same(got, want)
    with intercept():
        assert_same(given.apply(variables, x, seq_lengths=lengths, **options), got)


class Tagger(nn.Module):
    """A model as people write them: layers inside of layers."""

    @nn.compact
    def __call__(self, x, lengths):
        forward, backward = nn.RNN(nn.OptimizedLSTMCell(H)), nn.RNN(nn.GRUCell(H))
        x = nn.Bidirectional(forward, backward, name="both")(x, seq_lengths=lengths)
        return nn.Dense(2)(nn.RNN(nn.MGUCell(H), name="above")(x, seq_lengths=lengths))


def test_a_model():
    model = Tagger()
    want = model.init_with_output(KEY, X, LENGTHS)
    with intercept() as report, by_our_kernels():
        got = result_of(lambda: model.init_with_output(KEY, X, LENGTHS))
    assert_same(got[0], want[0])
    assert_same(got[1], want[1], 0, 0)  # the same parameters, with the same random numbers
    assert report.swapped == {
        "RNN_0": "OptimizedLSTMCell",
        "RNN_1": "GRUCell",
        "above": "MGUCell",
    }
    variables = moved(want[1])

    def loss(variables, x):
        return weighted_sum(model.apply(variables, x, LENGTHS))

    assert_same(*both(jax.value_and_grad(loss, argnums=(0, 1)), variables, X))


def test_it_decorates_and_ends():
    rnn = nn.RNN(nn.GRUCell(H))
    variables = variables_of(rnn)
    want = rnn.apply(variables, X)
    with by_our_kernels():
        assert_same(result_of(intercept()(rnn.apply), variables, X), want)
    before = kernel_calls()
    jax.block_until_ready(rnn.apply(variables, X))
    assert kernel_calls() == before


def test_lifted_modules():
    """Models side by side, and parameters in boxes."""
    many = nn.vmap(
        nn.RNN, in_axes=None, variable_axes={"params": 0}, split_rngs={"params": True}, axis_size=2
    )
    boxed = nn.with_partitioning(nn.initializers.lecun_normal(), (None, "units"))
    for rnn in (many(nn.GRUCell(H)), nn.RNN(nn.GRUCell(H, kernel_init=boxed))):
        assert_same(*both(rnn.apply, jax.jit(rnn.init)(KEY, X), X))


def test_types():
    rnn = nn.RNN(nn.GRUCell(H))
    variables = variables_of(rnn)
    assert_same(*both(rnn.apply, variables, np.arange(B * T * N).reshape(B, T, N) % 3))
    with jax.enable_x64(True):
        rnn = nn.RNN(nn.LSTMCell(H, param_dtype=np.float64), return_carry=True)
        x = X.astype(np.float64)
        got, want = both(rnn.apply, variables_of(rnn, x), x)
        assert_same(got, want, rtol=1e-13, atol=1e-14)


class Own(nn.GRUCell):
    pass


def squared(x):
    return x * x


@pytest.mark.filterwarnings("ignore:rnnfast leaves")
@pytest.mark.parametrize(
    ("rnn", "reason"),
    [
        (nn.RNN(Own(H)), "Own is no cell of flax.linen that it knows"),
        (nn.RNN(nn.GRUCell(H, gate_fn=squared)), "gate_fn=squared, which the kernels do not have"),
        (
            nn.RNN(nn.GRUCell(H, dtype=jnp.bfloat16)),
            "it computes in bfloat16, the kernels in float32 and float64",
        ),
        (
            nn.RNN(
                nn.GRUCell(H),
                variable_axes={"params": 0},
                variable_broadcast=False,
                split_rngs={"params": True},
            ),
            "variables that are not the same at each step",
        ),
    ],
)
def test_what_falls_to_flax(rnn, reason):
    variables = variables_of(rnn)
    want = jax.jit(rnn.apply)(variables, X)
    before = kernel_calls()
    with intercept() as report:
        assert_same(jax.jit(lambda *given: rnn.apply(*given))(variables, X), want, 0, 0)
    assert kernel_calls() == before
    assert report == ({}, {"": reason})
    assert str(report) == f"(model): left, {reason}"


def test_it_is_said_once():
    rnn = nn.RNN(nn.SimpleCell(H, activation_fn=nn.gelu))
    variables = variables_of(rnn)
    with intercept(), pytest.warns(UserWarning, match=r"to flax\.linen: activation_fn=gelu"):
        rnn.apply(variables, X)
    with intercept():
        rnn.apply(variables, X)


@pytest.mark.parametrize(
    ("x", "options"),
    [
        (normal(0, (B, T, N + 1)), {}),
        (X, {"initial_carry": np.zeros((B, H + 1), np.float32)}),
        (X, {"initial_carry": (np.zeros((B, H), np.float32),) * 2}),
        (X, {"seq_lengths": np.array([1, 2]), "reverse": True}),
        (X, {"lengths": LENGTHS}),
    ],
)
def test_what_is_wrong_flax_says(x, options):
    rnn = nn.RNN(nn.GRUCell(H))
    variables = variables_of(rnn)
    said = []
    for apply in (rnn.apply, intercept()(rnn.apply)):
        with pytest.raises(Exception) as caught:  # whatever Flax raises
            apply(variables, x, **options)
        said.append((type(caught.value), str(caught.value)))
    assert said[0] == said[1]


def test_missing_parameters_are_named_by_flax():
    rnn = nn.RNN(nn.GRUCell(H))
    variables = variables_of(rnn)
    del variables["params"]["cell"]["hn"]
    with intercept(), pytest.raises(ScopeParamNotFoundError, match="hn"):
        rnn.apply(variables, X)
