"""Functions of JAX against the equations in NumPy, with every option; what is wrong is said."""

import numpy as np
import pytest

jax = pytest.importorskip("jax")

import jax.numpy as jnp  # noqa: E402  # needs jax

import rnnfast  # noqa: E402
from rnnfast import reference  # noqa: E402
from rnnfast.interop import jax as ours  # noqa: E402

T, B, I, H = 6, 3, 4, 5  # noqa: E741
RANDOM = np.random.default_rng(0)
GATES = {"rnn": 1, "lstm": 4, "gru": 3, "mgu": 2, "light_gru": 2}

REFUSED = (ValueError, jax.errors.JaxRuntimeError)  # as JAX runs a program at once, or later


@pytest.fixture(autouse=True)
def by_our_kernels(request):
    """Fail a test in which the kernels did not run."""
    before = ours.kernel_calls()
    yield
    if "refused" not in request.node.name:
        assert ours.kernel_calls() > before, "XLA ran this, not the kernels"


def draw(*shape, dtype=np.float64):
    return (0.5 * RANDOM.normal(size=shape)).astype(dtype)


def weights(rows, width=H, **more):
    return {
        "w_ih": draw(rows * H, I),
        "w_hh": draw(rows * H, width),
        "b_ih": draw(rows * H),
        "b_hh": draw(rows * H),
        **more,
    }


CALLS = {
    "rnn": ("rnn", {}, {}),
    "rnn_relu": ("rnn", {}, {"nonlinearity": "relu"}),
    "lstm": ("lstm", {}, {}),
    "lstm_coupled": ("lstm", {"rows": 3}, {"forget_gate": "coupled"}),
    "lstm_no_forget": ("lstm", {"rows": 3}, {"forget_gate": "none"}),
    "lstm_projected": ("lstm", {"width": 2, "w_hr": draw(2, H)}, {}),
    "lstm_peephole": ("lstm", {"peephole": draw(3 * H)}, {"clip": 0.7}),
    "lstm_norm": ("lstm", {"layer_norm": draw(10 * H)}, {}),
    "lstm_chosen": ("lstm", {}, {"activations": ("hard_sigmoid", "softsign", ("elu", 0.4))}),
    "gru": ("gru", {}, {}),
    "gru_before": ("gru", {}, {"reset_after": False}),
    "gru_norm": ("gru", {"layer_norm": draw(6 * H)}, {}),
    "gru_chosen": ("gru", {}, {"activations": ("sigmoid", ("scaled_tanh", 1.5, 0.8)), "clip": 2.0}),
    "mgu": ("mgu", {}, {}),
    "light_gru": ("light_gru", {}, {}),
}
"""Of each cell and its variants: the function, what its weights have, and options."""

STEPS = {
    "plain": {},
    "reverse": {"reverse": True},
    "lengths": {"lengths": np.array([4, 0, 5])},
    "resets": {"resets": RANDOM.random((T, B)) < 0.4},
    "everything": {
        "reverse": True,
        "lengths": np.array([2, 5, 3]),
        "resets": RANDOM.random((T, B)) < 0.4,
        "zoneout": 0.3,
    },
}
"""Which steps are taken."""


def arguments(name):
    function, of_weights, options = CALLS[name]
    given = {"x": draw(T, B, I)}
    given |= weights(
        of_weights.get("rows", GATES[function]),
        **{key: value for key, value in of_weights.items() if key != "rows"},
    )
    given["h0"] = draw(B, of_weights.get("width", H))
    if function == "lstm":
        given["c0"] = draw(B, H)
    return function, given, options


@pytest.fixture
def float64():
    with jax.enable_x64(True):
        yield


def of_reference(function, given, options):
    """As the reference takes it: without copies of lists, states in results."""
    return getattr(reference, function)(**given, **options)


def pulled(function, given, options, above):
    """Gradients from the public function of rnnfast, which its own tests check."""
    _, pullback = getattr(rnnfast, f"{function}_vjp")(**given, **options)
    return pullback(*above)


OF_EACH_SHAPE = ("lstm", "gru_before", "lstm_norm", "lstm_projected")


@pytest.mark.usefixtures("float64")
@pytest.mark.parametrize(
    ("name", "steps"),
    [
        *((name, "plain") for name in CALLS),
        *((name, steps) for name in OF_EACH_SHAPE for steps in STEPS if steps != "plain"),
    ],
)
def test_results_and_gradients_are_those_of_the_equations(name, steps):
    function, given, options = arguments(name)
    options = {**options, **STEPS[steps]}
    want = of_reference(function, given, options)
    above = tuple(draw(*array.shape) for array in want)

    @jax.jit
    def both(given):
        results, pullback = jax.vjp(lambda g: tuple(getattr(ours, function)(**g, **options)), given)
        return results, pullback(above)[0]

    got, gradients = both(given)
    for mine, theirs in zip(got, want, strict=True):
        np.testing.assert_allclose(mine, theirs, rtol=1e-10, atol=1e-12)
    expected = pulled(function, given, options, above)
    for argument, gradient in gradients.items():
        np.testing.assert_allclose(
            gradient, getattr(expected, argument), rtol=1e-10, atol=1e-12, err_msg=argument
        )


@pytest.mark.parametrize("batch_first", [False, True])
def test_stacks_are_those_of_rnnfast(batch_first):
    given = [draw(T, B, I, dtype=np.float32)]
    if batch_first:
        given = [given[0].swapaxes(0, 1)]
    shapes = {"w_ih": [(4 * H, I)] * 2 + [(4 * H, 2 * H)] * 2, "w_hh": [(4 * H, H)] * 4}
    given += [[draw(*shape, dtype=np.float32) for shape in one] for one in shapes.values()]
    options = {
        "b_ih": tuple(draw(4 * H, dtype=np.float32) for _ in range(4)),
        "bidirectional": True,
        "lengths": np.array([5, 2, 6]),
        "h0": draw(4, B, H, dtype=np.float32),
        "batch_first": batch_first,
    }
    options["b_hh"] = options["b_ih"]
    want = rnnfast.lstm(*given, **options)
    got = jax.jit(lambda given: ours.lstm(*given, **options))(given)
    assert isinstance(got, ours.LSTMOutput)
    for mine, theirs in zip(got, want, strict=True):
        np.testing.assert_array_equal(mine, theirs)
    again = ours.lstm(*given, **{**options, "h0": None, "state": got.state})
    assert again.c_n.shape == (4, B, H)


def test_inputs_of_a_lower_type_are_computed_in_float32():
    _, given, _ = arguments("gru")
    low = {name: jnp.asarray(array, jnp.bfloat16) for name, array in given.items()}
    y, h_n = ours.gru(**low)
    assert y.dtype == h_n.dtype == jnp.bfloat16
    want = ours.gru(**{name: array.astype(jnp.float32) for name, array in low.items()})
    assert (y == want.y.astype(jnp.bfloat16)).all()
    mixed = ours.gru(**{**low, "x": given["x"].astype(np.float32)})
    assert mixed.y.dtype == jnp.float32


def test_nan_stays_where_it_is():
    _, given, _ = arguments("lstm")
    given["x"][2, 1] = np.nan
    y = np.asarray(ours.lstm(**given).y)
    assert np.isnan(y[2:, 1]).all()
    assert np.isfinite(y[:, [0, 2]]).all()
    assert np.isfinite(y[:2]).all()


def test_what_is_drawn_follows_the_key():
    _, given, _ = arguments("lstm")
    options = {
        "input_dropout": 0.3,
        "recurrent_dropout": 0.4,
        "weight_dropout": 0.2,
        "zoneout": (0.1, 0.2),
    }

    @jax.jit
    def run(key):
        return ours.lstm(**given, **options, key=key).y

    first, again, other = (run(jax.random.key(seed)) for seed in (0, 0, 1))
    assert (first == again).all()
    assert (first != other).any()
    without = ours.lstm(**given, **{**options, "zoneout": 0.0}).y
    np.testing.assert_array_equal(without, ours.lstm(**given).y)


def test_recurrent_dropout_masks_h_alike_at_all_steps():
    """With h masked by zeros, that is all of it, an RNN forgets: y is what x gives."""
    _, given, _ = arguments("rnn")
    y = ours.rnn(**given, recurrent_dropout=1 - 1e-7, key=jax.random.key(0)).y
    bare = ours.rnn(**{**given, "w_hh": np.zeros((H, H))}).y
    np.testing.assert_allclose(y, bare, rtol=1e-6)


def test_truncate_cuts_the_gradient():
    _, given, _ = arguments("gru")

    def last(h0, truncate):
        return ours.gru(**{**given, "h0": h0}, truncate=truncate).h_n.sum()

    assert (jax.grad(last)(given["h0"], None) != 0).all()
    assert (jax.grad(last)(given["h0"], 3) == 0).all()


@pytest.mark.parametrize(("steps", "batch"), [(0, B), (T, 0)])
def test_no_steps_or_rows_are_not_refused(steps, batch):
    given = {**weights(4), "h0": draw(batch, H)}
    y, h_n, c_n = ours.lstm(draw(steps, batch, I), **given)
    assert y.shape == (steps, batch, H)
    np.testing.assert_array_equal(h_n, given["h0"].astype(np.float32))
    assert (c_n == 0).all()


GIVEN = arguments("gru")[1]


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"x": draw(T, I)}, ValueError, r"x must be 3-D \(T, B, I\), got \(6, 4\)"),
        ({"w_ih": draw(3 * H, 7)}, ValueError, r"w_ih must be \(3\*H, I\) = \(15, 4\)"),
        ({"w_hh": draw(4 * H, H)}, ValueError, r"w_hh must be .*; 4\*H rows are those of lstm"),
        ({"h0": draw(B, 2)}, ValueError, r"h0 must be \(B, H\) = \(3, 5\), got \(3, 2\)"),
        ({"x": np.ones((T, B, I), np.int32)}, TypeError, "x must be float32 or float64, got int32"),
        ({"lengths": np.array([1, 2, 7])}, ValueError, "lengths must be between 0 and T = 6"),
        ({"lengths": np.array([1.0, 2.0, 3.0])}, TypeError, "lengths must be integers"),
        ({"resets": np.zeros((B, T), bool)}, ValueError, r"resets must be \(T, B\) = \(6, 3\)"),
        ({"zoneout": 1.0}, ValueError, "zoneout must be from 0 to less than 1"),
        ({"seed": 3}, TypeError, r"gru\(\) for JAX takes no 'seed'; pass key="),
        ({"checkpoint": True}, TypeError, "use jax.checkpoint"),
        ({"lenghts": None}, TypeError, "did you mean 'lengths'"),
        ({"c0": draw(B, H)}, TypeError, "unexpected keyword argument 'c0'"),
    ],
)
def test_what_is_wrong_is_refused_while_tracing(change, error, message):
    given = {**GIVEN, **change}
    with pytest.raises(error, match=message):
        ours.gru(**given)


def test_lengths_beyond_the_steps_are_refused_by_a_program():
    run = jax.jit(lambda lengths: ours.gru(**GIVEN, lengths=lengths).y)
    for wrong in ([1, 7, 2], [1, -1, 2], [2**31 - 1, 1, 1]):
        with pytest.raises(REFUSED, match="lengths must be from 0 to T=6, got"):
            run(np.array(wrong)).block_until_ready()
    assert run(np.array([1, 6, 2])).shape == (T, B, H)


@pytest.mark.parametrize("dtype", ["uint8", "int8", "uint32", "int64"])
def test_lengths_of_any_integers(dtype):
    run = jax.jit(lambda lengths: ours.gru(**GIVEN, lengths=lengths).y)
    want = ours.gru(**GIVEN, lengths=[0, 6, 2]).y
    with jax.enable_x64(dtype == "int64"):
        np.testing.assert_allclose(run(np.array([0, 6, 2], dtype)), want, rtol=1e-6, atol=1e-6)
        if dtype == "int64":
            with pytest.raises(REFUSED, match="lengths must be from 0 to T=6, got -1"):
                jax.block_until_ready(run(np.array([0, 2**32 + 3, 2])))
