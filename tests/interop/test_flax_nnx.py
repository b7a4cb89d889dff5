"""nnx: every result, gradient and state as from Flax, before and after a swap."""

import copy
import pickle

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import linen, nnx

from jax_layers import (
    assert_same,
    by_our_kernels,
    moved,
    normal,
    result_of,
    weighted_sum,
)
from rnnfast.interop.jax import flax as ours
from rnnfast.interop.jax import kernel_calls

CELLS = (nnx.LSTMCell, nnx.OptimizedLSTMCell, nnx.GRUCell, nnx.SimpleCell)
T, B, N, H = 7, 3, 4, 5
X = normal(0, (B, T, N))


def layer(cell=nnx.GRUCell, seed=0, of_cell=(), **options):
    """An RNN whose biases are not zero."""
    rnn = nnx.RNN(cell(N, H, rngs=nnx.Rngs(seed), **dict(of_cell)), **options)
    nnx.update(rnn, moved(nnx.state(rnn, nnx.Param)))
    return rnn


def carry_of(cell):
    h, c = normal(1, (B, H)), normal(2, (B, H))
    return (c, h) if "LSTM" in cell.__name__ else h


def both(make, call):
    """What a call gives of a model of Flax, and of the same one swapped."""
    plain, swapped = make(), make()
    report = ours.swap(swapped)
    assert report.swapped
    assert not report.left
    want = call(plain)
    with by_our_kernels():
        got = result_of(call, swapped)
    return got, want


@pytest.mark.parametrize("cell", CELLS)
def test_results_and_gradients(cell):
    @nnx.jit
    def call(rnn):
        def loss(rnn, x, carry):
            results = rnn(x, initial_carry=carry, return_carry=True)
            return weighted_sum(results), results

        return nnx.value_and_grad(loss, argnums=(0, 1, 2), has_aux=True)(rnn, X, carry_of(cell))

    assert_same(*both(lambda: layer(cell), call))


@pytest.mark.parametrize(
    "options",
    [
        {"return_carry": True},
        {"reverse": True},
        {"reverse": True, "keep_order": True, "return_carry": True},
        {"time_major": True, "reverse": True, "return_carry": True},
    ],
)
@pytest.mark.parametrize("lengths", [None, np.array([T, 1, 4])])
def test_options(options, lengths):
    """Those of a call and those of a module."""
    x = X.swapaxes(0, 1) if options.get("time_major") else X
    run = nnx.jit(
        lambda rnn, options: rnn(x, seq_lengths=lengths, **dict(options)), static_argnums=1
    )
    cell = nnx.OptimizedLSTMCell
    for of_module, of_call in (({}, options), (options, {})):
        got, want = both(
            lambda of_module=of_module: layer(cell, **of_module),
            lambda rnn, of_call=of_call: run(rnn, tuple(of_call.items())),
        )
        assert_same(got, want)


@pytest.mark.parametrize("cell", [nnx.LSTMCell, nnx.GRUCell])
def test_lengths_that_no_sequence_has(cell):
    """Flax takes them as indices: 0 and less count from the end."""
    lengths = np.array([0, -2, T + 5])

    def call(rnn):
        return rnn(X, seq_lengths=lengths, return_carry=True)

    assert_same(*both(lambda: layer(cell), call))


def test_a_single_sequence_and_several_axes_of_batch():
    for x in (X[0], normal(3, (2, 3, T, N))):
        assert_same(*both(layer, lambda rnn, x=x: rnn(x, return_carry=True)))
    assert_same(*both(layer, lambda rnn: rnn(X[0], seq_lengths=jnp.array(3), return_carry=True)))
    x, lengths = normal(3, (2, 3, T, N)), np.full((2, 3), 4)
    assert_same(*both(layer, lambda rnn: rnn(x, seq_lengths=lengths)))
    plain, swapped = layer(reverse=True), layer(reverse=True)
    ours.swap(swapped)
    with pytest.warns(UserWarning, match="seq_lengths of a batch of several axes"):
        assert_same(swapped(x, seq_lengths=lengths), plain(x, seq_lengths=lengths), 0, 0)


@pytest.mark.parametrize("lengths", [None, np.array([T, 1, 4])])
def test_both_directions(lengths):
    def make():
        rnns = layer(nnx.LSTMCell), layer(nnx.GRUCell, 1)
        return nnx.Bidirectional(*rnns, merge_fn=lambda a, b: a + 2 * b, return_carry=True)

    @nnx.jit
    def call(model):
        def loss(model, x):
            results = model(x, seq_lengths=lengths)
            return weighted_sum(results), results

        return nnx.value_and_grad(loss, argnums=(0, 1), has_aux=True)(model, X)

    assert_same(*both(make, call))


def test_a_second_pass_only_where_the_carry_is_looked_at():
    """Of an LSTM, whose c is known after the last step alone."""
    model = nnx.Bidirectional(layer(nnx.LSTMCell), layer(nnx.LSTMCell))
    ours.swap(model)
    for return_carry, passes in ((False, 2), (True, 4)):
        run = nnx.jit(lambda m, x, n, c=return_carry: m(x, seq_lengths=n, return_carry=c))
        before = kernel_calls()
        result_of(run, model, X, np.array([T, 1, 4]))
        assert kernel_calls() == before + passes


BOUNDED = {}
UNBOUNDED = {"rtol": 1e-4, "atol": 1e-4}  # gates beyond (0, 1): states grow, and with them rounding


@pytest.mark.parametrize(
    ("gate", "activation", "tolerance"),
    [
        (jax.nn.hard_sigmoid, jax.nn.relu, BOUNDED),
        (jax.nn.sigmoid, jax.nn.soft_sign, BOUNDED),
        (nnx.sigmoid, jax.nn.elu, BOUNDED),
        (jax.lax.logistic, jax.nn.selu, BOUNDED),
        (jax.scipy.special.expit, jnp.exp, UNBOUNDED),  # or candidates
        (jnp.tanh, jax.nn.hard_tanh, UNBOUNDED),
        (jax.nn.softplus, jax.nn.leaky_relu, UNBOUNDED),
        (jax.nn.relu6, jax.nn.identity, UNBOUNDED),
    ],
)
def test_activations(gate, activation, tolerance):
    @nnx.jit
    def call(rnn):
        def loss(rnn, x):
            return weighted_sum(rnn(x))

        return nnx.value_and_grad(loss, argnums=(0, 1))(rnn, X)

    options = {"gate_fn": gate, "activation_fn": activation}
    assert_same(*both(lambda: layer(nnx.GRUCell, of_cell=options), call), **tolerance)


def test_a_residual_cell():
    assert_same(*both(lambda: layer(nnx.SimpleCell, of_cell={"residual": True}), lambda r: r(X)))


def test_types():
    """Integers and half precision are promoted as Flax does; what is computed in them is its."""
    for x in (np.arange(B * T * N).reshape(B, T, N) % 3, X.astype(np.float16)):
        assert_same(*both(layer, lambda rnn, x=x: rnn(x)))
    with jax.enable_x64(True):
        for dtypes in (
            {"param_dtype": np.float64},
            {"dtype": np.float64, "param_dtype": np.float64},
        ):
            of_cell = {**dtypes}
            results = both(
                lambda of_cell=of_cell: layer(of_cell=of_cell),
                lambda rnn: rnn(X.astype(np.float64), return_carry=True),
            )
            assert_same(*results, rtol=1e-13, atol=1e-14)


class Own(nnx.GRUCell):
    pass


class OwnRNN(nnx.RNN):
    pass


def squared(x):
    return x * x


def test_what_is_left_is_told():
    halves = {"dtype": jnp.bfloat16}
    rngs = nnx.Rngs(0)
    model = nnx.List(
        [
            layer(),
            layer(Own),
            OwnRNN(nnx.GRUCell(N, H, rngs=rngs)),
            layer(of_cell={"activation_fn": squared}),
            layer(of_cell=halves),
            nnx.GRUCell(N, H, rngs=rngs),
            layer(state_axes={nnx.Param: 0}),
        ]
    )
    report = ours.swap(model)
    assert report.swapped == {"0": "GRUCell"}
    assert report.left == {
        "1": "Own is no cell of flax.nnx that it knows",
        "2": "OwnRNN may have a call of its own",
        "3": "activation_fn=squared, which the kernels do not have",
        "4": "it computes in bfloat16, the kernels in float32 and float64",
        "5": "a cell that is called step by step, and not by an nnx.RNN",
        "6": "state_axes, which give each step weights of its own",
    }
    assert str(report).startswith("0: GRUCell\n1: left, Own is no cell")
    assert type(model[1]) is nnx.RNN


@pytest.mark.parametrize("act", [ours.swap, ours.swap_back])
def test_what_is_no_model_is_refused(act):
    with pytest.raises(TypeError, match=r"an nnx.Module, got the class RNN; .*an instance of it"):
        act(nnx.RNN)
    of_linen = linen.Dense(3)
    with pytest.raises(TypeError, match=r"got Dense; rnnfast.interop.jax.flax.intercept takes it"):
        act(of_linen)


def test_what_falls_to_flax_is_said_once(recwarn):
    rnn, plain = layer(), layer()
    ours.swap(rnn)
    for each in (rnn, plain):
        each.cell.activation_fn = squared
    before = kernel_calls()
    assert_same(rnn(X), plain(X), 0, 0)
    rnn(X)
    assert kernel_calls() == before
    said = [str(one.message) for one in recwarn if "rnnfast" in str(one.message)]
    assert said == [
        "rnnfast leaves a recurrent layer to flax.nnx: "
        "activation_fn=squared, which the kernels do not have"
    ]


@pytest.mark.parametrize(
    ("x", "options"),
    [
        (normal(0, (B, T, N + 1)), {}),
        (X[0, 0], {}),
        (X, {"initial_carry": np.zeros((B, H + 1), np.float32)}),
        (X, {"initial_carry": (np.zeros((B, H), np.float32),) * 2}),
        (X, {"initial_carry": np.zeros((B + 1, H), np.float32)}),
        (X, {"initial_carry": np.zeros((B, H), np.int32)}),
        (X, {"seq_lengths": np.array([1.0, 2.0, 3.0]), "return_carry": True}),
        (X, {"seq_lengths": np.array([1, 2]), "reverse": True}),
        ("sequence", {}),
    ],
)
def test_what_is_wrong_flax_says(x, options):
    said = []
    for rnn in (layer(), layer()):
        if said:
            ours.swap(rnn)
        with pytest.raises(Exception) as caught:  # whatever Flax raises
            rnn(x, **options)
        said.append((type(caught.value), str(caught.value).split(" at 0x")[0]))
    assert said[0] == said[1]


def test_nothing_to_compute_is_flaxs():
    plain, swapped = layer(), layer()
    ours.swap(swapped)
    for x in (X[:0], X[:, :0]):
        assert_same(swapped(x), plain(x))


def test_states_and_files_are_the_same():
    model = nnx.Bidirectional(layer(nnx.LSTMCell), layer(nnx.LSTMCell))
    before = nnx.state(model)
    kept = [*map(id, jax.tree.leaves(before))]
    ours.swap(model)
    after = nnx.state(model)
    assert jax.tree.structure(after) == jax.tree.structure(before)
    assert [*map(id, jax.tree.leaves(after))] == kept
    # A file names Flax's class, and thus needs no rnnfast.
    assert pickle.loads(pickle.dumps(type(model.forward_rnn))) is nnx.RNN
    # Functions compiled by jax cannot be pickled: tanh and sigmoid, which stand in every cell.
    for rnn in (model.forward_rnn, model.backward_rnn):
        rnn.cell.gate_fn = rnn.cell.activation_fn = squared
    model.merge_fn = np.add
    for thing in (model, nnx.graphdef(model)):
        written = pickle.dumps(thing)
        assert b"rnnfast" not in written
        loaded = pickle.loads(written)
        loaded = nnx.merge(loaded, after) if thing is not model else loaded
        assert type(loaded.forward_rnn) is nnx.RNN


def test_copies_stay_swapped():
    rnn = layer()
    want = rnn(X)
    ours.swap(rnn)
    for other in (copy.copy(rnn), nnx.clone(rnn), nnx.merge(*nnx.split(rnn))):
        assert type(other) is ours.RNN
        with by_our_kernels():
            assert_same(result_of(other, X), want)
    assert isinstance(rnn, nnx.RNN)


def test_swap_back():
    model = nnx.Bidirectional(layer(), layer(nnx.SimpleCell))
    report = ours.swap(model)
    assert not ours.swap(model).swapped
    assert ours.swap_back(model) == report
    assert type(model.forward_rnn) is nnx.RNN
    assert str(ours.swap_back(model)) == "nothing recurrent"


def test_what_was_compiled_is_compiled_anew():
    run = nnx.jit(lambda rnn, x: rnn(x))
    rnn = layer()
    want = run(rnn, X)
    ours.swap(rnn)
    with by_our_kernels():
        assert_same(result_of(run, rnn, X), want)


@pytest.mark.filterwarnings("ignore:carry_init")
def test_random_numbers_advance_as_they_did():
    init = nnx.initializers.normal()
    plain, swapped = (layer(of_cell={"carry_init": init}) for _ in range(2))
    ours.swap(swapped)
    for _ in range(2):
        assert_same(swapped(X), plain(X))
    assert_same(nnx.state(swapped, nnx.RngCount), nnx.state(plain, nnx.RngCount), 0, 0)
    rngs = nnx.Rngs(carry=3), nnx.Rngs(carry=3)
    assert_same(swapped(X, rngs=rngs[0]), plain(X, rngs=rngs[1]))
    counts = [nnx.state(each, nnx.RngCount) for each in rngs]
    assert_same(*counts, 0, 0)


def test_models_side_by_side_and_on_top_of_each_other():
    @nnx.vmap(in_axes=0, out_axes=0)
    def many(key):
        return nnx.RNN(nnx.GRUCell(H, H, rngs=nnx.Rngs(key)))

    @nnx.jit
    def call(rnns):
        x = normal(4, (B, T, H))

        def loss(rnns):
            return weighted_sum(nnx.vmap(lambda rnn: rnn(x))(rnns))

        on_top = nnx.scan(lambda x, rnn: rnn(x), in_axes=(nnx.Carry, 0), out_axes=nnx.Carry)
        return nnx.value_and_grad(loss)(rnns), on_top(x, rnns)

    assert_same(*both(lambda: many(jax.random.split(jax.random.key(0), 2)), call))
