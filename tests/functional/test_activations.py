"""The activations of the kernels: error in units in the last place (ulp), tails, special values."""

from __future__ import annotations

from decimal import Decimal, localcontext

import numpy as np
import pytest

from rnnfast import _core
from rnnfast.testing.random import DTYPES, DType

every_dtype = pytest.mark.parametrize("dtype", DTYPES, ids=lambda dtype: dtype.__name__)

BOUND = 4.0

NAMES = ("sigmoid", "tanh")

# Sigmoid is a normal number from here on.
SIGMOID_LOWEST = {np.float32: -87.336, np.float64: -708.396}


def domain(name: str, dtype: DType) -> tuple[float, float]:
    largest = float(np.finfo(dtype).max)
    return (SIGMOID_LOWEST[dtype] if name == "sigmoid" else -largest, largest)


def points(name: str, dtype: DType, count: int) -> np.ndarray:
    """Numbers across a function's domain: evenly over the representable ones, and over the line.

    Steps of equal length in a float's bits visit every binade alike, down to the smallest normal
    number; the even grid fills the range in which the function moves.
    """
    low, high = domain(name, dtype)
    info, bits = np.finfo(dtype), {np.float32: np.int32, np.float64: np.int64}[dtype]
    first, last = (int(np.array(end, dtype).view(bits)) for end in (info.tiny, info.max))
    magnitudes = (first + (last - first) // count * np.arange(count)).astype(bits).view(dtype)
    grid = np.linspace(SIGMOID_LOWEST[dtype], -SIGMOID_LOWEST[dtype], count).astype(dtype)
    x = np.concatenate([magnitudes, -magnitudes, grid])
    return x[(x >= low) & (x <= high)]


def exact_float64(name: str, x: np.ndarray) -> np.ndarray:
    """Values good to all bits of float32."""
    z = x.astype(np.float64)
    if name == "tanh":
        return np.tanh(z)
    with np.errstate(over="ignore"):
        return 1 / (1 + np.exp(-z))


def exact_decimal(name: str, x: float) -> Decimal:
    """Value to 50 digits."""
    with localcontext() as context:
        context.prec = 50
        context.Emin, context.Emax = -999999, 999999
        z = Decimal(x)
        if name == "sigmoid":
            return 1 / (1 + (-z).exp())
        if abs(z) < Decimal("1e-9"):
            return z - z**3 / 3 + 2 * z**5 / 15
        if abs(z) > 60:
            return Decimal(1).copy_sign(z)
        decay = (-2 * z).exp()
        return (1 - decay) / (1 + decay)


def ulps_decimal(name: str, x: np.ndarray, got: np.ndarray) -> np.ndarray:
    exact = [exact_decimal(name, float(one)) for one in x]
    gaps = np.spacing(np.abs(np.array([float(e) for e in exact])))
    return np.array(
        [
            float(abs(Decimal(float(g)) - e) / Decimal(gap))
            for g, e, gap in zip(got, exact, gaps.tolist(), strict=True)
        ]
    )


def ulps_float32(name: str, x: np.ndarray, got: np.ndarray) -> np.ndarray:
    exact = exact_float64(name, x)
    gaps = np.spacing(np.abs(exact).astype(np.float32)).astype(np.float64)
    return np.abs(got.astype(np.float64) - exact) / gaps


@pytest.mark.parametrize("name", NAMES)
def test_ulps_in_float32(name: str) -> None:
    x = points(name, np.float32, 300_000)
    errors = ulps_float32(name, x, _core.probes.activation(name, x))
    worst = int(errors.argmax())
    assert errors[worst] <= BOUND, f"{name}({x[worst]!r}) is {errors[worst]:.2f} ulp off"


@pytest.mark.parametrize("name", NAMES)
def test_ulps_in_float64(name: str) -> None:
    x = points(name, np.float64, 20_000)
    errors = ulps_decimal(name, x, _core.probes.activation(name, x))
    worst = int(errors.argmax())
    assert errors[worst] <= BOUND, f"{name}({x[worst]!r}) is {errors[worst]:.2f} ulp off"


@every_dtype
def test_tanh_near_zero_is_its_argument(dtype: DType) -> None:
    x = np.geomspace(np.finfo(dtype).tiny * 2, 1e-3 * np.finfo(dtype).eps, 1000).astype(dtype)
    for sign in (1, -1):
        got = _core.probes.activation("tanh", sign * x)
        assert (np.abs(got - sign * x) <= np.spacing(x)).all()


@every_dtype
def test_sigmoid_keeps_its_far_tail(dtype: DType) -> None:
    low = SIGMOID_LOWEST[dtype]
    x = np.linspace(low, low / 2, 2000).astype(dtype)
    got = _core.probes.activation("sigmoid", x)
    assert (got >= np.finfo(dtype).tiny).all()
    # So far out sigmoid is exp, whose relative error is bounded where an absolute one says nothing.
    want = np.array([float(Decimal(float(one)).exp()) for one in x])
    np.testing.assert_allclose(got.astype(np.float64), want, rtol=BOUND * np.finfo(dtype).eps)


@every_dtype
def test_values_beyond_the_normal_numbers_are_flushed(dtype: DType) -> None:
    low = SIGMOID_LOWEST[dtype]
    x = np.concatenate([np.linspace(low * 1.2, low - 0.1, 1000), [low * 100]]).astype(dtype)
    assert not _core.probes.activation("sigmoid", x).any()
    subnormal = np.finfo(dtype).tiny / dtype(2)
    assert np.abs(_core.probes.activation("tanh", np.array([subnormal, -subnormal]))).max() == 0


@every_dtype
def test_special_values(dtype: DType) -> None:
    x = np.array([-np.inf, np.inf, np.finfo(dtype).min, np.finfo(dtype).max, 0], dtype)
    assert _core.probes.activation("sigmoid", x).tolist() == [0, 1, 0, 1, 0.5]
    assert _core.probes.activation("tanh", x).tolist() == [-1, 1, -1, 1, 0]
    for name in NAMES:
        assert np.isnan(_core.probes.activation(name, np.full(3, np.nan, dtype))).all()


@every_dtype
@pytest.mark.parametrize("name", NAMES)
def test_neighbours_in_a_vector_change_nothing(dtype: DType, name: str) -> None:
    x = np.linspace(-3, 3, 67).astype(dtype)
    together = _core.probes.activation(name, x)
    for start in range(0, 17):
        for length in (1, 2, 3, 7, 8, 9, 15, 16, 17, 33):
            part = np.ascontiguousarray(x[start : start + length])
            np.testing.assert_array_equal(
                _core.probes.activation(name, part), together[start : start + length]
            )


@every_dtype
@pytest.mark.parametrize(("name", "low"), [("sigmoid", 0), ("tanh", -1)])
def test_range(dtype: DType, name: str, low: int) -> None:
    got = _core.probes.activation(name, points(name, dtype, 20_000))
    assert got.min() >= low
    assert got.max() <= 1
