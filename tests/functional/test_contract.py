"""The functional API as it is promised: names, defaults, results, directions, pullbacks."""

from __future__ import annotations

import doctest
import inspect
import pickle
import sys
import typing
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

import rnnfast
from rnnfast._check.cells import BY_FUNCTION
from rnnfast.functional.family import FAMILIES
from rnnfast.testing.cells import BIASES, CELLS, Cell, is_weight
from rnnfast.testing.cells import CELLS_BY_NAME as BY_NAME
from rnnfast.testing.gradients import present
from rnnfast.testing.random import Problem

every_cell = pytest.mark.parametrize("cell", CELLS, ids=str)
LSTM = next(cell for cell in CELLS if cell.name == "lstm")

ARRAYS = "x, w_ih, w_hh, b_ih=None, b_hh=None, *, h0=None"
NOISE = (
    "dropout=0.0, input_dropout=0.0, recurrent_dropout=0.0, weight_dropout=0.0, zoneout=0.0, "
    "seed=None"
)
REST = (
    "activations=None, clip=None, lengths=None, resets=None, batch_first=False, reverse=False, "
    f"bidirectional=False, {NOISE}"
)
OF_GRADIENTS = "truncate=None, checkpoint=False, per_sample=False, wrt=None, precision=None"
OWN = {
    "rnn": "state=None, nonlinearity='tanh'",
    "lstm": "c0=None, state=None, w_hr=None, peephole=None, layer_norm=None, forget_gate='own'",
    "gru": "state=None, layer_norm=None, reset_after=True",
}
SIGNATURES = {
    **{name: f"({ARRAYS}, {own}, {REST})" for name, own in OWN.items()},
    **{f"{name}_vjp": f"({ARRAYS}, {own}, {REST}, {OF_GRADIENTS})" for name, own in OWN.items()},
    "prepack": "(cell, w_ih=None, w_hh=None, b_ih=None, b_hh=None, *, "
    "w_hr=None, peephole=None, layer_norm=None, nonlinearity='tanh', forget_gate='own', "
    "reset_after=True, activations=None, clip=None, reverse=False, bidirectional=False, "
    "zoneout=0.0, precision=None, sparse=False)",
    "Prepacked.__call__": "(self, x, state=None, *, h0=None, c0=None, lengths=None, resets=None, "
    "batch_first=False, out=None)",
    "Prepacked.step": "(self, x_t, state=None, out=None)",
    "set_num_threads": "(n)",
    "get_num_threads": "()",
    "num_threads": "(n)",
    "show_config": "(mode='stdout')",
}
FUNCTIONS = (*(f"{name}{of}" for name in BY_FUNCTION for of in ("", "_vjp", "_trace")), "prepack")
FIELDS = {
    "RNNOutput": "y h_n",
    "LSTMOutput": "y h_n c_n",
    "GRUOutput": "y h_n",
    "RNNGrads": "x w_ih w_hh b_ih b_hh h0",
    "LSTMGrads": "x w_ih w_hh b_ih b_hh h0 c0 w_hr peephole layer_norm",
    "GRUGrads": "x w_ih w_hh b_ih b_hh h0 layer_norm",
}


def bare_signature(function) -> str:
    signature = inspect.signature(function)
    bare = [one.replace(annotation=one.empty) for one in signature.parameters.values()]
    return str(signature.replace(parameters=bare, return_annotation=signature.empty))


def setting(cell: Cell, **sizes) -> tuple[dict, dict]:
    rng = np.random.default_rng(11)
    problem = Problem(cell, np.float64, **sizes)
    return problem.arguments(rng), problem.cotangents(rng)


def assert_equal(got, want) -> None:
    for g, w in zip(got, want, strict=True):
        np.testing.assert_array_equal(g, w)


@pytest.mark.parametrize("name", SIGNATURES)
def test_signatures(name: str) -> None:
    thing = rnnfast
    for part in name.split("."):
        thing = getattr(thing, part)
    assert bare_signature(thing) == SIGNATURES[name]


def test_signatures_of_pullbacks() -> None:
    for cell in CELLS:
        _, pullback = cell.vjp(setting(cell)[0])
        states = ", dc_n=None" if "c0" in cell.states else ""
        assert bare_signature(pullback) == f"(dy=None, dh_n=None{states}, *, out=None)"


def test_types_are_seen_and_options_are_known() -> None:
    for name in SIGNATURES:
        if name not in ("Prepacked.__call__", "Prepacked.step"):
            hints = typing.get_type_hints(getattr(rnnfast, name))
            assert {*inspect.signature(getattr(rnnfast, name)).parameters} <= {*hints}
    x = np.zeros((5, 2, 3))
    for name in ("gru", "gru_vjp", "gru_trace", "prepack"):
        first = ("gru",) if name == "prepack" else (x,)
        with pytest.raises(TypeError, match=rf"^{name}\(\) got an unexpected .* 'c0'$"):
            getattr(rnnfast, name)(*first, np.zeros((12, 3)), np.zeros((12, 4)), c0=None)
    with pytest.raises(TypeError, match=r"^gru_trace\(\) got an unexpected .* 'seed'$"):
        rnnfast.gru_trace(x, np.zeros((12, 3)), np.zeros((12, 4)), seed=1)
    with pytest.raises(TypeError, match=r"'batch_frist'; did you mean 'batch_first'\?$"):
        rnnfast.gru(x, np.zeros((12, 3)), np.zeros((12, 4)), batch_frist=True)  # type: ignore[call-arg]


def test_examples_of_docstrings() -> None:
    for name in FUNCTIONS:
        doc = doctest.DocTestFinder().find(getattr(rnnfast, name), name)
        assert len(doc) == 1
        assert len(doc[0].examples) > 2
        assert not doctest.DocTestRunner().run(doc[0]).failed


@pytest.mark.parametrize("name", FIELDS)
def test_results_can_be_pickled_and_shown(name: str) -> None:
    kind = getattr(rnnfast, name)
    one = kind(*map(float, range(len(kind._fields))))
    again = pickle.loads(pickle.dumps(one))
    assert type(again) is type(one) is type(one._replace(**{kind._fields[0]: 0.0}))
    assert again == one
    assert repr(one).startswith(f"{name}({kind._fields[0]}=0.0, ")
    assert not hasattr(one, "__dict__")


@pytest.mark.parametrize("name", FIELDS)
def test_results_are_named_tuples(name: str) -> None:
    result = getattr(rnnfast, name)
    assert issubclass(result, tuple)
    assert " ".join(result._fields) == FIELDS[name]


@every_cell
def test_types_of_results(cell: Cell) -> None:
    arguments, cotangents = setting(cell)
    family = FAMILIES[cell.function]
    rest = {name: array for name, array in arguments.items() if not is_weight(name)}
    out, pullback = cell.vjp(arguments)
    for result in (out, cell.forward(arguments), cell.prepack(arguments)(**rest)):
        assert type(result) is family.output is getattr(rnnfast, family.output.__name__)
    grads = type(pullback(**cotangents))
    assert grads is family.pullback.form is getattr(rnnfast, grads.__name__)


@every_cell
def test_options_choose_the_cell(cell: Cell) -> None:
    # Each makes a difference, and the defaults are tanh, a forget gate of its own, reset after.
    arguments, _ = setting(cell)
    want = cell.reference(arguments)
    for other in CELLS:
        alike = (other.gates, other.arguments) == (cell.gates, cell.arguments)
        if other.function == cell.function and alike:
            close = np.allclose(other.forward(arguments).y, want[0], rtol=1e-10, atol=1e-12)
            assert close == (other is cell)
    if cell.gates != BY_NAME[BY_FUNCTION[cell.function][0].core].gates:
        return  # its weights are of another shape than the default's
    default = getattr(rnnfast, cell.function)(**arguments).y
    assert np.allclose(default, want[0], rtol=1e-10, atol=1e-12) == cell.default


@every_cell
def test_reverse_is_the_flipped_sequence(cell: Cell) -> None:
    arguments, cotangents = setting(cell)
    flipped = {**arguments, "x": arguments["x"][::-1].copy()}
    out, pullback = cell.vjp(arguments, reverse=True)
    want, want_pullback = cell.vjp(flipped)
    assert_equal(out, (want.y[::-1], *want[1:]))
    # y[t] belongs to x[t], and the last state follows x[0].
    np.testing.assert_array_equal(out.h_n, out.y[0])
    grads = pullback(**cotangents)
    flipped_cotangents = {**cotangents, "dy": cotangents["dy"][::-1].copy()}
    wanted = want_pullback(**flipped_cotangents)
    assert_equal(grads, (wanted.x[::-1], *wanted[1:]))


@every_cell
def test_last_state_is_the_last_output(cell: Cell) -> None:
    out = cell.forward(setting(cell)[0])
    np.testing.assert_array_equal(out.h_n, out.y[-1])


@every_cell
@pytest.mark.parametrize("biases", BIASES, ids=lambda names: "+".join(names) or "no_bias")
def test_an_absent_argument_is_zero(cell: Cell, biases: tuple[str, ...]) -> None:
    arguments, cotangents = setting(cell, biases=biases, states=())
    full, _ = setting(cell)
    zeros = {
        name: arguments.get(name, np.zeros_like(array))
        for name, array in full.items()
        if name in cell.arguments
    }
    out, pullback = cell.vjp(arguments)
    want, want_pullback = cell.vjp(zeros)
    assert_equal(out, want)
    grads, wanted = pullback(**cotangents), want_pullback(**cotangents)
    for name, gradient in grads._asdict().items():
        if name not in zeros or (name in ("b_ih", "b_hh") and name not in biases):
            assert gradient is None
        else:
            np.testing.assert_array_equal(gradient, getattr(wanted, name), err_msg=name)


@every_cell
def test_wrt(cell: Cell) -> None:
    arguments, cotangents = setting(cell)
    all_of_them = cell.vjp(arguments)[1](**cotangents)
    choices = [(), *((name,) for name in cell.arguments), ("w_hh", "x"), cell.arguments]
    for wrt in choices:
        for collection in (tuple(wrt), list(wrt), set(wrt), dict.fromkeys(wrt)):
            grads = cell.vjp(arguments, wrt=collection)[1](**cotangents)
            for name in cell.arguments:
                if name in wrt:
                    np.testing.assert_array_equal(getattr(grads, name), getattr(all_of_them, name))
                else:
                    assert getattr(grads, name) is None
    absent = {name: array for name, array in arguments.items() if name != "b_ih"}
    assert cell.vjp(absent, wrt=("b_ih",))[1](**cotangents).b_ih is None


@every_cell
def test_an_absent_cotangent_is_zero(cell: Cell) -> None:
    arguments, cotangents = setting(cell)
    _, pullback = cell.vjp(arguments)
    zeros = {name: np.zeros_like(array) for name, array in cotangents.items()}
    for name, array in cotangents.items():
        got = pullback(**{name: array})
        assert_equal(got, pullback(**{**zeros, name: array}))
        assert got.w_hh.any()
    assert not any(array.any() for array in present(pullback()))


@every_cell
def test_a_pullback_is_linear_and_may_be_called_again(cell: Cell) -> None:
    arguments, cotangents = setting(cell)
    out, pullback = cell.vjp(arguments)
    first = pullback(**cotangents)
    doubled = pullback(**{name: 2 * array for name, array in cotangents.items()})
    for array in (*out, *present(doubled)):
        array *= 0.5  # results are the caller's, and doubling is exact
    assert_equal(doubled, first)
    assert_equal(pullback(**cotangents), first)
    np.testing.assert_array_equal(pullback(cotangents["dy"]).x, pullback(dy=cotangents["dy"]).x)


@every_cell
def test_several_threads_may_share_a_pullback(cell: Cell) -> None:
    arguments, cotangents = setting(cell, T=20, B=8)
    _, pullback = cell.vjp(arguments)
    want = pullback(**cotangents)
    with ThreadPoolExecutor(4) as pool:
        for got in pool.map(lambda _: pullback(**cotangents), range(16)):
            assert_equal(got, want)


@every_cell
@pytest.mark.parametrize("layout", ["plain", "fortran", "strided", "byte_swapped"])
def test_out_is_added_to(cell: Cell, layout: str) -> None:
    arguments, cotangents = setting(cell)
    _, pullback = cell.vjp(arguments)
    grads = pullback(**cotangents)
    rng = np.random.default_rng(12)
    starts = {name: rng.standard_normal(arguments[name].shape) for name in cell.arguments}
    fresh = starts.pop("w_hh")

    def held(array: np.ndarray) -> np.ndarray:
        if layout == "fortran":
            return np.asfortranarray(array)
        if layout == "strided":
            return np.repeat(array, 2, axis=-1)[..., ::2]
        return array.astype(array.dtype.newbyteorder()) if layout == "byte_swapped" else array

    buffers = {name: held(array.copy()) for name, array in starts.items()}
    out = type(grads)(**buffers)
    for times in (1, 2):
        returned = pullback(**cotangents, out=out)
        assert type(returned) is type(grads)
        for name, buffer in buffers.items():
            assert getattr(returned, name) is buffer
            want = starts[name] + times * getattr(grads, name)
            np.testing.assert_allclose(buffer, want, rtol=1e-14, atol=1e-14, err_msg=name)
        # A field without a buffer gets a fresh array.
        np.testing.assert_array_equal(returned.w_hh, grads.w_hh)
        assert not np.shares_memory(returned.w_hh, fresh)


@every_cell
def test_one_buffer_may_take_both_biases(cell: Cell) -> None:
    arguments, cotangents = setting(cell)
    _, pullback = cell.vjp(arguments)
    grads = pullback(**cotangents)
    shared = np.zeros_like(grads.b_ih)
    pullback(**cotangents, out=type(grads)(b_ih=shared, b_hh=shared))
    np.testing.assert_allclose(shared, grads.b_ih + grads.b_hh, rtol=1e-14)


@every_cell
@pytest.mark.parametrize(("T", "B"), [(0, 3), (4, 0), (0, 0)])
def test_without_steps(cell: Cell, T: int, B: int) -> None:
    arguments, cotangents = setting(cell, T=T, B=B)
    for reverse in (False, True):
        out, pullback = cell.vjp(arguments, reverse=reverse)
        assert_equal(out, cell.forward(arguments, reverse=reverse))
        assert out.y.shape == (T, B, cell.output_size(9))
        assert_equal(out[1:], (arguments[state] for state in cell.states))
        grads = pullback(**cotangents)
        assert grads.x.shape == (T, B, 7)
        for name in (*cell.weights, "b_ih", "b_hh"):
            assert getattr(grads, name).shape == arguments[name].shape
            assert not getattr(grads, name).any()
        for state in cell.states:
            passed = getattr(grads, state)
            np.testing.assert_array_equal(passed, cotangents[f"d{state[0]}_n"])
            assert not np.shares_memory(passed, cotangents[f"d{state[0]}_n"])
        assert not pullback(dy=cotangents["dy"]).h0.any()
        assert pullback.nbytes == 0


def test_a_pullback_tells_what_it_holds() -> None:
    arguments, _ = setting(LSTM)
    _, pullback = rnnfast.lstm_vjp(**arguments)
    assert pullback.nbytes > 0
    assert repr(pullback) == (
        f"LSTMPullback(T=5, B=3, I=7, H=9, dtype=float64, nbytes={pullback.nbytes})"
    )


def test_a_pass_leaves_nothing_behind() -> None:
    arguments, cotangents = setting(LSTM)
    LSTM.vjp(arguments)[1](**cotangents)
    before = [sys.getrefcount(array) for array in (*arguments.values(), *cotangents.values())]
    for _ in range(10):
        LSTM.vjp(arguments)[1](**cotangents)
        LSTM.forward(arguments)
    after = [sys.getrefcount(array) for array in (*arguments.values(), *cotangents.values())]
    assert after == before
