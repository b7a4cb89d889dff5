"""Activations that a call chooses, and bounds of what they see."""

from __future__ import annotations

import numpy as np
import pytest

import rnnfast
from rnnfast import _core
from rnnfast._check import activations
from rnnfast._check.cells import FACTS, VARIANTS
from rnnfast.reference.activations import chosen
from rnnfast.testing.cells import CELLS, Cell
from rnnfast.testing.gradients import assert_gradients
from rnnfast.testing.random import DTYPES, DType, Problem
from rnnfast.testing.tolerances import expected_outputs

every_dtype = pytest.mark.parametrize("dtype", DTYPES, ids=lambda dtype: dtype.__name__)

ULPS = 4.0

# Every name with its own numbers and, where it takes some, with others.
GIVEN = (
    *activations.NAMES,
    ("affine", -0.7, 0.3),
    ("leaky_relu", 0.3),
    ("leaky_relu", 1.7),
    ("leaky_relu", 0.0),
    ("thresholded_relu", 0.4),
    ("thresholded_relu", 0.0),
    ("scaled_tanh", 1.7, 0.6),
    ("scaled_tanh", -0.9, 1.3),
    ("hard_sigmoid", 1 / 6, 0.5),
    ("hard_sigmoid", -0.4, 0.6),
    ("elu", 0.6),
    ("elu", 0.0),
)
every_activation = pytest.mark.parametrize("given", GIVEN, ids=str)

ONNX = {
    "Relu": "relu",
    "Tanh": "tanh",
    "Sigmoid": "sigmoid",
    "Affine": "affine",
    "LeakyRelu": "leaky_relu",
    "ThresholdedRelu": "thresholded_relu",
    "ScaledTanh": "scaled_tanh",
    "HardSigmoid": "hard_sigmoid",
    "Elu": "elu",
    "Softsign": "softsign",
    "Softplus": "softplus",
}


def choice(given: object, clip: float = np.inf) -> activations.Activation:
    (of_core,) = activations.activations(given, ("tanh",), clip)
    return of_core


def exact(given: object, x: np.ndarray) -> np.ndarray:
    (function,) = chosen(given, ("tanh",))
    with np.errstate(over="ignore"):
        return function(x.astype(np.longdouble))


def slope(given: object, x: np.ndarray) -> np.ndarray:
    (function,) = chosen(given, ("tanh",))
    return function(x + 1j * 2.0**-200).imag * 2.0**200


def arguments(dtype: DType) -> np.ndarray:
    """Numbers of all sizes, most of them where functions move."""
    grid = np.concatenate([np.linspace(-30, 30, 30001), np.linspace(-87, 87, 5001)])
    small = np.geomspace(1e-30, 1, 5000)
    return np.concatenate([grid, small, -small]).astype(dtype)


@every_activation
@every_dtype
def test_values(given: object, dtype: DType) -> None:
    x = arguments(dtype)
    got = _core.probes.activation(choice(given), x)
    want = exact(given, x)
    # What is added is rounded once in its own size, and the numbers are rounded to this dtype.
    size = np.abs(want)
    if choice(given).function == "affine":
        size = np.maximum(size, np.abs(choice(given).alpha * x.astype(np.longdouble)))
    unit = np.spacing(np.maximum(size, np.finfo(dtype).tiny).astype(dtype))
    errors = np.abs(got.astype(np.longdouble) - want) / unit
    worst = int(errors.argmax())
    assert errors[worst] <= ULPS, f"{given} of {x[worst]!r} is {errors[worst]:.2f} ulp off"


@every_activation
@every_dtype
def test_slopes_from_values(given: object, dtype: DType) -> None:
    x = np.linspace(-12, 12, 4001).astype(dtype)
    y = _core.probes.activation(choice(given), x)
    got = _core.probes.activation_slope(choice(given), y)
    want = slope(given, x.astype(np.float64))
    # A result that is one rounding off has the slope of another argument, or has met its bound.
    near = np.abs(got - want) <= 8 * np.finfo(dtype).eps * np.maximum(1, np.abs(want))
    assert near.mean() > 0.999, (given, x[~near], got[~near], want[~near])


@every_activation
@every_dtype
def test_infinities_and_nan(given: object, dtype: DType) -> None:
    x = np.array([np.nan, -np.inf, np.inf, np.finfo(dtype).min, np.finfo(dtype).max, 0], dtype)
    got = _core.probes.activation(choice(given), x)
    with np.errstate(all="ignore"):
        if given == "softsign":
            want = np.array([np.nan, -1, 1, -1, 1, 0])  # NumPy has inf / inf
        else:
            want = exact(given, x).astype(dtype)
    if given in (("leaky_relu", 0.0), ("elu", 0.0)):
        got[1] = want[1] = 0  # 0 inf
    np.testing.assert_allclose(got, want, rtol=4 * np.finfo(dtype).eps, atol=1e-30)


@every_activation
@every_dtype
@pytest.mark.parametrize("clip", [None, 0.9])
def test_of_an_rnn(given: object, dtype: DType, clip: float | None) -> None:
    cell = Cell("rnn", "rnn", "rnn", options={"activations": given, "clip": clip})
    problem = Problem(cell, dtype, T=4, B=3, H=19)
    rng = np.random.default_rng(3)
    inputs, cotangents = problem.arguments(rng), problem.cotangents(rng)
    if given == "exponential":
        inputs = {name: a * dtype(0.3) for name, a in inputs.items()}
    out, pullback = cell.vjp(inputs)
    for got, (want, most) in zip(out, expected_outputs(cell, inputs, rng), strict=True):
        assert np.abs(got - want).max() <= most
    gradients = {n: g for n, g in pullback(**cotangents)._asdict().items() if g is not None}
    assert_gradients(cell, inputs, cotangents, gradients, rng)


@pytest.mark.parametrize(("spelling", "name"), ONNX.items())
def test_onnx_names(spelling: str, name: str) -> None:
    for written in (spelling, spelling.lower(), name, name.upper()):
        assert choice(written) == choice(name)


def test_numbers_by_default() -> None:
    assert choice("affine") == choice(("affine", 1.0, 0.0)) == choice("linear")
    assert choice("leaky_relu") == choice(("leaky_relu", 0.01))
    assert choice("thresholded_relu") == choice(("thresholded_relu", 1.0))
    assert choice("scaled_tanh") == choice(("scaled_tanh", 1.0, 1.0)) == choice("tanh")
    assert (
        choice("hard_sigmoid")
        == choice(("hard_sigmoid", 0.2))
        == choice(("hard_sigmoid", 0.2, 0.5))
    )
    assert choice("elu") == choice(("elu", 1.0))


def problem_of(name: str, **sizes: int) -> tuple[Cell, dict[str, np.ndarray]]:
    cell = next(cell for cell in CELLS if cell.name == name)
    return cell, Problem(cell, np.float64, **sizes).arguments(np.random.default_rng(4))


SPELLED = {
    "rnn_relu": "ReLU",
    "lstm_coupled": ("Sigmoid", "Tanh", ("ScaledTanh", 1, 1)),
    "lstm_no_forget": ["sigmoid", "tanh", "tanh"],
}


@pytest.mark.parametrize("name", [one.core for one in VARIANTS if FACTS[one.core]["fixed"]])
def test_the_cells_own_are_the_plain_cell(name: str) -> None:
    cell, inputs = problem_of(name)
    given = SPELLED.get(name, cell.activations)
    options = {} if cell.function == "rnn" else dict(cell.options)
    function = getattr(rnnfast, cell.function)
    got = function(**inputs, **options, activations=given)
    for one, other in zip(got, cell.forward(inputs), strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("cell", CELLS, ids=str)
def test_a_bound_that_is_never_met_changes_nothing(cell: Cell) -> None:
    _, inputs = problem_of(cell.name)
    free = cell.forward(inputs)
    for got, want in zip(cell.forward(inputs, clip=1e6), free, strict=True):
        np.testing.assert_allclose(got, want, rtol=1e-14, atol=1e-15)
    trace = getattr(rnnfast, f"{cell.function}_trace")
    free_trace = trace(**inputs, **cell.options)
    for got, want in zip(trace(**inputs, **cell.options, clip=1e6), free_trace, strict=True):
        np.testing.assert_allclose(got, want, rtol=1e-14, atol=1e-15)
    for got, want in zip(cell.forward(inputs, clip=0.5), free, strict=True):
        assert not np.allclose(got, want, rtol=1e-3)


def test_each_activation_is_where_onnx_has_it() -> None:
    # With all weights at zero nothing but the biases, one for each gate, is seen.
    H = 2
    biases = np.repeat([0.5, 0.3, 2.0, -1.0], H)
    x, c0 = np.zeros((1, 1, 1)), np.full((1, H), 3.0)
    weights = np.zeros((4 * H, 1)), np.zeros((4 * H, H))
    out = rnnfast.lstm(x, *weights, biases, c0=c0, activations=("affine", "relu6", "softsign"))
    c = 0.3 * 3.0 + 0.5 * 2.0
    np.testing.assert_allclose(out.c_n, c)
    np.testing.assert_allclose(out.h_n, -1.0 * c / (1 + c))
    clipped = rnnfast.lstm(
        x, *weights, biases, c0=c0, activations=("affine", "relu6", "linear"), clip=0.4
    )
    # c itself is not bounded, only on its way into h.
    np.testing.assert_allclose(clipped.c_n, 0.3 * 3.0 + 0.4 * 0.4)
    np.testing.assert_allclose(clipped.h_n, -0.4 * 0.4)
    out = rnnfast.gru(
        x,
        weights[0][: 3 * H],
        weights[1][: 3 * H],
        biases[: 3 * H],
        h0=c0,
        activations=("affine", "linear"),
    )
    np.testing.assert_allclose(out.h_n, (1 - 0.3) * 2.0 + 0.3 * 3.0)
    out = rnnfast.mgu(
        x,
        weights[0][: 2 * H],
        weights[1][: 2 * H],
        biases[: 2 * H],
        h0=c0,
        activations=("affine", "linear"),
    )
    np.testing.assert_allclose(out.h_n, (1 - 0.5) * 3.0 + 0.5 * 0.3)


@every_dtype
def test_peepholes_of_zero_are_none(dtype: DType) -> None:
    _, inputs = problem_of("lstm_peephole", H=21)
    inputs = {name: a.astype(dtype) for name, a in inputs.items()}
    peephole = inputs.pop("peephole")
    plain, _ = rnnfast.lstm_vjp(**inputs)
    zero, pullback = rnnfast.lstm_vjp(**inputs, peephole=np.zeros_like(peephole))
    for got, want in zip(zero, plain, strict=True):
        np.testing.assert_allclose(got, want, rtol=0, atol=4 * np.finfo(dtype).eps)
    assert pullback(plain.y).peephole.shape == peephole.shape


@pytest.mark.parametrize("name", ["peephole", "activations", "clip"])
def test_stacks_and_packed_cells(name: str) -> None:
    rng = np.random.default_rng(5)
    sizes = [(7, 9), (18, 9)]
    w_ih = [rng.standard_normal((36, i)) / 3 for i, _ in sizes for _ in range(2)]
    w_hh = [rng.standard_normal((36, h)) / 3 for _, h in sizes for _ in range(2)]
    option = {
        "peephole": [rng.standard_normal(27) for _ in range(4)],
        "activations": ("hard_sigmoid", "softsign", ("elu", 0.5)),
        "clip": 0.7,
    }[name]
    x = rng.standard_normal((6, 3, 7))
    got, pullback = rnnfast.lstm_vjp(x, w_ih, w_hh, bidirectional=True, **{name: option})
    layer = x
    for first in (0, 2):
        outputs = [
            rnnfast.lstm(
                layer,
                w_ih[i],
                w_hh[i],
                reverse=bool(i % 2),
                **{name: option[i] if name == "peephole" else option},
            )
            for i in (first, first + 1)
        ]
        layer = np.concatenate([out.y for out in outputs], axis=2)
    np.testing.assert_array_equal(got.y, layer)
    gradients = pullback(np.ones_like(got.y))
    if name == "peephole":
        assert [g.shape for g in gradients.peephole] == [(27,)] * 4
    else:
        assert gradients.peephole is None
    packed = rnnfast.prepack("lstm", w_ih, w_hh, bidirectional=True, **{name: option})
    np.testing.assert_array_equal(packed(x).y, got.y)
