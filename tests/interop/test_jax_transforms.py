"""What JAX makes of our functions: vmap, derivatives of any kind, other devices, bad tapes."""

import numpy as np
import pytest

jax = pytest.importorskip("jax")

import jax.numpy as jnp  # noqa: E402  # needs jax
from jax.test_util import check_grads  # noqa: E402

from rnnfast import reference  # noqa: E402
from rnnfast._check import cells  # noqa: E402
from rnnfast.interop import jax as ours  # noqa: E402
from rnnfast.interop.jax import _equations, _kernels  # noqa: E402
from rnnfast.interop.jax._pass import Pass  # noqa: E402
from rnnfast.interop.jax._recurrence import recurrence  # noqa: E402

T, B, I, H, N = 5, 3, 4, 6, 2  # noqa: E741
RANDOM = np.random.default_rng(0)
OPERANDS = {"peephole": "of_units", "layer_norm": "of_norms"}  # as a pass calls them

REFUSED = (ValueError, jax.errors.JaxRuntimeError)  # as JAX runs a program at once, or later


@pytest.fixture(autouse=True)
def float64():
    with jax.enable_x64(True):
        yield


def draw(*shape):
    return 0.5 * RANDOM.normal(size=shape)


def weights(gates, units=H):
    shapes = {"w_ih": (I,), "w_hh": (units,), "b_ih": (), "b_hh": ()}
    return {name: draw(gates * units, *shape) for name, shape in shapes.items()}


def in_order(given):
    """Weights as `recurrence` takes them: JAX sorts what is in a dictionary."""
    return tuple(given[name] for name in ("w_ih", "w_hh", "b_ih", "b_hh"))


def by_equations(function, of_cell, call=None):
    """The same function of x, weights and h0 by the equations in `lax.scan`."""
    cell = cells.choose(function, **of_cell)
    call = call or Pass(cell)

    def run(x, weights, **operands):
        return _equations.outputs(call._replace(cell=cell), {"x": x, **weights, **operands})

    return run


def close(got, want, rtol=1e-10):
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=rtol, atol=1e-12), got, want)


@pytest.mark.parametrize(
    ("function", "gates", "more", "options"),
    [
        ("rnn", 1, {}, {"activations": ("leaky_relu", 0.2), "clip": 0.6}),
        ("lstm", 4, {"peephole": (3 * H,)}, {}),
        ("lstm", 4, {"layer_norm": (10 * H,)}, {}),
        ("lstm", 3, {}, {"forget_gate": "coupled"}),
        ("lstm", 3, {}, {"forget_gate": "none"}),
        ("gru", 3, {}, {}),
        ("gru", 3, {}, {"reset_after": False}),
        ("gru", 3, {"layer_norm": (6 * H,)}, {"activations": ("hard_sigmoid", "relu6")}),
        ("mgu", 2, {}, {"activations": ("softplus", "thresholded_relu")}),
        ("light_gru", 2, {}, {}),
    ],
)
def test_the_equations_are_those_of_the_reference(function, gates, more, options):
    """With everything that steps may have."""
    given = weights(gates)
    extra = {name: draw(*shape) for name, shape in more.items()}
    lengths, resets = np.array([2, 5, 0]), RANDOM.random((T, B)) < 0.4
    x, h0 = draw(T, B, I), draw(B, H)
    own = {**given, **extra, **options, "lengths": lengths, "resets": resets}
    want = getattr(reference, function)(x, h0=h0, reverse=True, zoneout=0.2, **own)
    cell = cells.choose(function, **extra, **options)
    kept = {f"kept_{state}": np.full((B, T, H), 0.2) for state in cell.states}
    operands = {**given, **{OPERANDS[name]: array for name, array in extra.items()}, **kept}
    operands |= {"x": x.swapaxes(0, 1), "h0": h0, "lengths": lengths, "resets": resets.T}
    got = _equations.outputs(
        Pass(cell, "batch_first", "reverse"), jax.tree.map(jnp.asarray, operands)
    )
    close((got[0].swapaxes(0, 1), *got[1:]), want)


@pytest.mark.parametrize("function", ["rnn", "lstm", "gru"])
def test_gradients_are_slopes(function):
    given = weights({"rnn": 1, "lstm": 4, "gru": 3}[function])
    check_grads(
        lambda x, given: getattr(ours, function)(x, **given),
        (draw(3, 2, I), given),
        order=1,
        modes=["rev"],
    )


def test_only_gradients_that_are_wanted_are_made():
    given, x = weights(3), draw(T, B, I)
    text = jax.jit(jax.grad(lambda w: ours.gru(x, **{**given, "w_hh": w}).y.sum())).lower(
        given["w_hh"]
    )
    (backward,) = (line for line in text.as_text().splitlines() if "@rnnfast_backward" in line)
    assert backward.rstrip().endswith(f"-> tensor<{3 * H}x{H}xf64>")


def test_without_gradients_there_is_no_tape():
    text = jax.jit(lambda x: ours.gru(x, **weights(3)).y).lower(draw(T, B, I)).as_text()
    assert "@rnnfast_forward(" in text
    assert "saving" not in text


@pytest.mark.parametrize("rows", [B, 1])
@pytest.mark.parametrize("batch_first", [False, True])
@pytest.mark.parametrize("order", ["grad of vmap", "vmap of grad", "vmap of weights"])
def test_a_mapped_axis_is_a_larger_batch(order, batch_first, rows):
    shape = (rows, T) if batch_first else (T, rows)
    x, given, h0 = draw(N, *shape, I), weights(3), draw(rows, H)
    lengths = np.array([[4, 0, 5], [1, 2, 3]], np.int32)[:, :rows]
    cell = cells.choose("gru")
    call = Pass(cell, "batch_first" if batch_first else "time_first")

    def kernels(x, given, h0, lengths):
        y, h_n, _ = recurrence(
            cell, x, in_order(given), h0, lengths=lengths, batch_first=batch_first
        )
        return (y**2).sum() + (h_n**3).sum()

    def equations(x, given, h0, lengths):
        y, h_n = by_equations("gru", {}, call)(x, given, h0=h0, lengths=lengths)
        return (y**2).sum() + (h_n**3).sum()

    if order == "vmap of weights":
        given = jax.tree.map(lambda w: np.stack([w, -w]), given)
    axes = (0, 0 if order == "vmap of weights" else None, None, 0)

    def gradients(of):
        if order != "grad of vmap":
            return jax.jit(jax.vmap(jax.grad(of, (0, 1, 2)), axes))(x, given, h0, lengths)
        mean = lambda *arguments: jax.vmap(of, axes)(*arguments, lengths).mean()  # noqa: E731
        return jax.jit(jax.grad(mean, (0, 1, 2)))(x, given, h0)

    before = _kernels.kernel_calls()
    got = jax.block_until_ready(gradients(kernels))
    passes = _kernels.kernel_calls() - before
    assert passes == (2 * N if order == "vmap of weights" else 2)
    close(got, gradients(equations))


def test_mapped_twice():
    x, given = draw(3, T, B, I, N), weights(4)
    cell = cells.choose("lstm")
    kernels = lambda x, given: recurrence(cell, x, in_order(given))[1].sum()  # noqa: E731
    equations = lambda x, given: by_equations("lstm", {})(x, given)[1].sum()  # noqa: E731

    def gradients(of):
        inner = jax.vmap(jax.grad(of, (0, 1)), (3, None))
        return jax.jit(jax.vmap(inner, (0, None)))(x, given)

    close(gradients(kernels), gradients(equations))


def test_derivatives_of_any_kind_are_those_of_the_equations():
    x, given, h0 = draw(T, 2, I), weights(3, 2), draw(2, 2)

    def of(run):
        def last(h0):
            return run(h0).sum()

        return (
            jax.jacrev(run)(h0),
            jax.jacfwd(run)(h0),
            jax.hessian(last)(h0),
            jax.jacrev(jax.jacrev(last))(h0),
            jax.grad(jax.checkpoint(last))(h0),
        )

    got = of(lambda h0: ours.gru(x, **given, h0=h0).h_n ** 2)
    close(got, of(lambda h0: by_equations("gru", {})(x, given, h0=h0)[1] ** 2))


def test_a_scan_may_hold_a_layer():
    chunks, given = draw(4, 2, B, I), weights(4)

    def loss(given):
        def chunk(state, x):
            out = ours.lstm(x, **given, state=state)
            return out.state, out.y

        return jnp.sum(jax.lax.scan(chunk, (jnp.zeros((B, H)),) * 2, chunks)[1] ** 2)

    whole = chunks.reshape(8, B, I)
    want = jax.grad(lambda given: jnp.sum(ours.lstm(whole, **given).y ** 2))(given)
    close(jax.jit(jax.grad(loss))(given), want)


def test_other_devices_take_the_equations():
    """As far as it can be seen without one: of what a program for them is made."""
    x, given = draw(N, T, B, I), weights(4)
    gradient = jax.vmap(jax.grad(lambda x, given: ours.lstm(x, **given).y.sum(), (0, 1)), (0, None))
    text = jax.jit(gradient).trace(x, given).lower(lowering_platforms=("cuda",)).as_text()
    assert "rnnfast" not in text
    assert "stablehlo.while" in text


def test_gradients_by_the_equations_are_those_of_the_kernels():
    """What other devices compute, run here."""
    from rnnfast.interop.jax import _by_equations

    call, names = Pass(cells.choose("gru")), ("x", "h0", "w_ih", "w_hh")
    given = weights(3)
    arrays = [draw(T, 4, I), draw(4, H), given["w_ih"], given["w_hh"]]
    operands = dict(zip(names, arrays, strict=True))
    planned = call.planned(operands, "training")
    *_, tape = jax.jit(
        lambda *a: _kernels.forward_saving(*a, call=call, names=names, planned=planned)
    )(*arrays)
    for groups in (None, 2):
        of = {"call": call, "names": names, "above": (True, False), "groups": groups}
        of["wanted"] = ("x", "h0", "w_hh")
        given = [tape, *arrays, draw(T, 4, H)]
        got, want = (
            jax.jit(lambda *a, by=by, of=of: by.backward(*a, **of))(*given)
            for by in (_kernels, _by_equations)
        )
        close(got, want)


def test_what_is_no_tape_is_refused():
    call, names = Pass(cells.choose("gru")), ("x", "w_ih", "w_hh")
    given = weights(3)
    arrays = [draw(T, B, I), given["w_ih"], given["w_hh"]]
    planned = call.planned(dict(zip(names, arrays, strict=True)), "training")
    save = jax.jit(lambda *a: _kernels.forward_saving(*a, call=call, names=names, planned=planned))
    *_, tape = save(*arrays)
    of = {"names": names, "above": (True, False), "wanted": ("x",), "groups": None}
    pull = jax.jit(lambda *a: _kernels.backward(*a, call=call, **of))
    arrays.append(draw(T, B, H))
    assert pull(tape, *arrays)[0].shape == (T, B, I)
    for wrong in (tape.at[9].add(1), jnp.zeros_like(tape), tape[:100], tape[:-200]):
        with pytest.raises(REFUSED, match=r"is no tape|is damaged"):
            jax.block_until_ready(pull(wrong, *arrays))
    arrays[0] = draw(T + 1, B, I)
    with pytest.raises(REFUSED, match=r"x must have .* bytes"):
        jax.block_until_ready(pull(tape, *arrays))
