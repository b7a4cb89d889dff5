"""Haiku's cores: results, gradients and parameters as from `hk.dynamic_unroll`."""

import haiku as hk
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jax_layers import (
    assert_same,
    by_our_kernels,
    moved,
    normal,
    result_of,
    weighted_sum,
)
from rnnfast.interop.jax import haiku as ours
from rnnfast.interop.jax import kernel_calls

T, B, N, H = 7, 3, 4, 5
X = normal(0, (T, B, N))
RESETS = np.random.default_rng(1).random((T, B)) < 0.3
KEY = jax.random.key(0)

CORES = {
    "lstm": lambda: hk.LSTM(H),
    "gru": lambda: hk.GRU(H),
    "vanilla": lambda: hk.VanillaRNN(H),
    "one bias": lambda: hk.VanillaRNN(H, double_bias=False),
    "deep": lambda: hk.DeepRNN([hk.LSTM(H), hk.GRU(H)]),
    "skips": lambda: hk.deep_rnn_with_skip_connections([hk.GRU(H), hk.VanillaRNN(2)]),
}


def unrolled(library, make, xs=X, unroll="dynamic_unroll", batch=B, **options):
    """The function of parameters that unrolls a core, and parameters for it."""

    def function(xs):
        core = make()
        return getattr(library, unroll)(core, xs, core.initial_state(batch), **options)

    transformed = hk.without_apply_rng(hk.transform(function))
    variables = jax.jit(transformed.init)(KEY, xs)
    return jax.jit(lambda variables: transformed.apply(variables, xs)), variables


def both(make, xs=X, **options):
    """What Haiku and the kernels give, from the same parameters."""
    theirs, variables = unrolled(hk, make, xs, **options)
    own, same = unrolled(ours, make, xs, **options)
    assert_same(same, variables, 0, 0)
    with by_our_kernels():
        got = result_of(own, moved(variables))
    return got, theirs(moved(variables))


@pytest.mark.parametrize("name", CORES)
def test_results_and_gradients(name):
    def derived(library):
        run, variables = unrolled(library, CORES[name])

        def loss(variables):
            results = run(variables)
            return weighted_sum(results), results

        return jax.jit(jax.value_and_grad(loss, has_aux=True))(moved(variables))

    with by_our_kernels():
        got = result_of(derived, ours)
    assert_same(got, derived(hk))


@pytest.mark.parametrize(
    "options",
    [
        {"reverse": True},
        {"time_major": False, "reverse": True},
        {"unroll": "static_unroll", "time_major": False},
    ],
)
def test_options(options):
    xs = X if options.get("time_major", True) else X.swapaxes(0, 1)
    assert_same(*both(CORES["deep"], xs, **options))


@pytest.mark.parametrize("name", ["gru", "skips"])
def test_all_states(name):
    assert_same(*both(CORES[name], return_all_states=True, reverse=True))


def test_a_single_sequence():
    assert_same(*both(CORES["lstm"], X[:, 0], batch=None))


@pytest.mark.parametrize("name", ["lstm", "deep"])
@pytest.mark.parametrize("reverse", [False, True])
def test_resets(name, reverse):
    got, want = both(lambda: hk.ResetCore(CORES[name]()), (X, RESETS), reverse=reverse)
    assert_same(got, want)


def test_double_precision():
    with jax.enable_x64(True):
        got, want = both(CORES["vanilla"], X.astype(np.float64))
        assert_same(got, want, rtol=1e-13, atol=1e-14)


def test_random_numbers_after_it_are_the_same():
    def function(library):
        core = hk.GRU(H)
        y, _ = library.dynamic_unroll(core, X, core.initial_state(B))
        return hk.dropout(hk.next_rng_key(), 0.5, y)

    run = hk.transform(function)
    variables = run.init(KEY, hk)
    with by_our_kernels():
        got = result_of(run.apply, variables, KEY, ours)
    assert_same(got, run.apply(variables, KEY, hk))


class Own(hk.GRU):
    pass


@pytest.mark.parametrize(
    ("make", "xs", "options", "reason"),
    [
        (lambda: Own(H), X, {}, "Own is no core of haiku that it knows"),
        (
            lambda: hk.DeepRNN([hk.GRU(H), jax.nn.relu]),
            X,
            {"unroll": "static_unroll"},
            "custom_jvp is no core of haiku that it knows",
        ),
        (CORES["lstm"], X, {"return_all_states": True}, "return_all_states of an LSTM"),
        (CORES["gru"], X.astype(jnp.bfloat16), {}, "it computes in bfloat16"),
        (
            lambda: hk.ResetCore(hk.GRU(H)),
            (X, np.broadcast_to(RESETS[..., None], (T, B, H))),
            {},
            "resets other than one for each sequence and step",
        ),
    ],
)
def test_what_falls_to_haiku(make, xs, options, reason):
    theirs, variables = unrolled(hk, make, xs, **options)
    before = kernel_calls()
    with pytest.warns(UserWarning, match=f"rnnfast leaves a recurrent layer to haiku: {reason}"):
        own, _ = unrolled(ours, make, xs, **options)
        got = own(variables)
    assert_same(got, theirs(variables), 0, 0)
    assert kernel_calls() == before
    own(variables)  # and says no more


def test_what_is_wrong_haiku_says():
    for xs in (normal(0, (T, B, N + 1)), np.zeros((T, B, 2, N), np.float32)):
        said = []
        for library in (hk, ours):
            _, variables = unrolled(hk, CORES["lstm"])

            def function(library=library, xs=xs):
                core = hk.LSTM(H)
                return library.dynamic_unroll(core, xs, core.initial_state(B))

            with pytest.raises(ValueError) as caught:
                hk.without_apply_rng(hk.transform(function)).apply(variables)
            said.append(str(caught.value))
        assert said[0] == said[1]


def test_results_of_another_type_are_haikus():
    """As a policy of mixed precision makes them."""

    def halved(next_method, arguments, options, context):
        result = next_method(*arguments, **options)
        if type(context.module) is hk.GRU and context.method_name == "__call__":
            return result[0].astype(np.float16), result[1]
        return result

    def function(library):
        core = hk.GRU(H)
        with hk.intercept_methods(halved):
            return library.dynamic_unroll(core, X, core.initial_state(B))

    run = hk.without_apply_rng(hk.transform(function))
    variables = run.init(KEY, hk)
    with pytest.warns(UserWarning, match="whose results have another type"):
        got = run.apply(variables, ours)
    assert got[0].dtype == np.float16
    assert_same(got, run.apply(variables, hk), 0, 0)
