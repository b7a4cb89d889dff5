"""Right answers whatever the memory layout or the class of an array, with no needless copy."""

from __future__ import annotations

import numpy as np
import pytest

import rnnfast
from rnnfast.testing.cells import CELLS, Cell, is_weight
from rnnfast.testing.gradients import present
from rnnfast.testing.random import DTYPES, LAYOUTS, DType, Problem

every_cell = pytest.mark.parametrize("cell", CELLS, ids=str)
every_dtype = pytest.mark.parametrize("dtype", DTYPES, ids=lambda dtype: dtype.__name__)
both_directions = pytest.mark.parametrize("reverse", [False, True], ids=["forward", "reverse"])
LSTM = next(cell for cell in CELLS if cell.name == "lstm")


def everything(cell: Cell, arguments: dict, cotangents: dict, reverse: bool) -> list[np.ndarray]:
    """Results and gradients; equal inputs make equal bits."""
    out, pullback = cell.vjp(arguments, reverse=reverse)
    rest = {name: array for name, array in arguments.items() if not is_weight(name)}
    packed = cell.prepack(arguments, reverse=reverse)(**rest)
    plain = cell.forward(arguments, reverse=reverse)
    return [*out, *plain, *packed, *present(pullback(**cotangents))]


def assert_same(cell: Cell, held: dict, plain: dict, cotangents: dict, reverse: bool) -> None:
    got = everything(cell, held, cotangents, reverse)
    want = everything(cell, plain, cotangents, reverse)
    assert any(array.any() for array in want)
    for g, w in zip(got, want, strict=True):
        assert type(g) is np.ndarray
        assert g.dtype.isnative
        np.testing.assert_array_equal(g, w)


@every_cell
@every_dtype
@both_directions
@pytest.mark.parametrize("layout", LAYOUTS)
def test_layouts(cell: Cell, dtype: DType, reverse: bool, layout: str) -> None:
    rng = np.random.default_rng(3)
    problem = Problem(cell, dtype, reverse=reverse)
    arguments, cotangents = problem.arguments(rng), problem.cotangents(rng)
    held = {name: LAYOUTS[layout](array) for name, array in arguments.items()}
    held_cotangents = {name: LAYOUTS[layout](array) for name, array in cotangents.items()}
    assert_same(cell, held, arguments, cotangents, reverse)
    got = cell.vjp(arguments, reverse=reverse)[1](**held_cotangents)
    want = cell.vjp(arguments, reverse=reverse)[1](**cotangents)
    for g, w in zip(got, want, strict=True):
        np.testing.assert_array_equal(g, w)


@every_cell
@both_directions
@pytest.mark.parametrize("axes", [(0,), (1,), (0, 1), (2,), (0, 1, 2)], ids=str)
def test_zero_strides(cell: Cell, reverse: bool, axes: tuple[int, ...]) -> None:
    rng = np.random.default_rng(4)
    problem = Problem(cell, np.float64)
    arguments, cotangents = problem.arguments(rng), problem.cotangents(rng)

    def repeated(array: np.ndarray) -> np.ndarray:
        first = tuple(slice(1) if axis in axes else slice(None) for axis in range(3))
        return np.broadcast_to(array[first], array.shape)

    held = {**arguments, "x": repeated(arguments["x"])}
    plain = {name: array.copy() for name, array in held.items()}
    held_cotangents = {**cotangents, "dy": repeated(cotangents["dy"])}
    plain_cotangents = {name: array.copy() for name, array in held_cotangents.items()}
    assert 0 in held["x"].strides
    assert_same(cell, held, plain, plain_cotangents, reverse)
    got = everything(cell, held, held_cotangents, reverse)
    want = everything(cell, plain, plain_cotangents, reverse)
    for g, w in zip(got, want, strict=True):
        np.testing.assert_array_equal(g, w)


@every_dtype
def test_one_input_with_a_stride_of_its_own(dtype: DType) -> None:
    # NumPy calls these contiguous: the stride of an axis of length 1 does not count.
    rng = np.random.default_rng(5)
    problem = Problem(LSTM, dtype, I=1, H=1)
    arguments, cotangents = problem.arguments(rng), problem.cotangents(rng)
    series = arguments["x"][..., 0].copy()
    assert series[..., None].strides[-1] == 0
    held_cotangents = {**cotangents, "dy": cotangents["dy"][..., 0].copy()[..., None]}
    held = {**arguments, "x": series[..., None]}
    assert_same(LSTM, held, arguments, cotangents, reverse=False)
    got = LSTM.vjp(arguments)[1](**held_cotangents)
    want = LSTM.vjp(arguments)[1](**cotangents)
    for g, w in zip(got, want, strict=True):
        np.testing.assert_array_equal(g, w)


class Subclass(np.ndarray):
    """Every operation on it is an error: results must not pass through its hooks."""

    def __array_ufunc__(self, *inputs, **kwargs):
        raise AssertionError("a subclass has reached a ufunc")

    def __array_function__(self, *inputs, **kwargs):
        raise AssertionError("a subclass has reached a function")


class Foreign:
    """Something of another library that can be had as an array."""

    def __init__(self, array: np.ndarray) -> None:
        self.array = array

    def __array__(self, dtype=None, copy=None) -> np.ndarray:
        return self.array


def with_own_dtype(array: np.ndarray) -> np.ndarray:
    """The same numbers under a dtype object that equals NumPy's own and is another."""
    return array.view(np.dtype(array.dtype, metadata={"unit": "V"}))


CLASSES = {
    "dtype_with_metadata": with_own_dtype,
    "subclass": lambda array: array.view(Subclass),
    "masked_nowhere": lambda array: np.ma.masked_array(array, np.zeros(array.shape, bool)),
    "masked_without_mask": np.ma.masked_array,
    "foreign": Foreign,
    "list": lambda array: array.tolist(),
}


@every_cell
@pytest.mark.parametrize("kind", CLASSES)
def test_classes(cell: Cell, kind: str) -> None:
    rng = np.random.default_rng(6)
    problem = Problem(cell, np.float64)
    arguments, cotangents = problem.arguments(rng), problem.cotangents(rng)
    held = {name: CLASSES[kind](array) for name, array in arguments.items()}
    assert_same(cell, held, arguments, cotangents, reverse=False)
    held_cotangents = {name: CLASSES[kind](array) for name, array in cotangents.items()}
    got = cell.vjp(arguments)[1](**held_cotangents)
    want = cell.vjp(arguments)[1](**cotangents)
    for g, w in zip(got, want, strict=True):
        np.testing.assert_array_equal(g, w)


def test_matrix() -> None:
    arguments = Problem(LSTM, np.float64).arguments(np.random.default_rng(7))
    with pytest.warns(PendingDeprecationWarning):
        held = {
            name: np.matrix(array) if array.ndim == 2 else array
            for name, array in arguments.items()
        }
    want = rnnfast.lstm(**arguments)
    for g, w in zip(rnnfast.lstm(**held), want, strict=True):
        assert type(g) is np.ndarray
        np.testing.assert_array_equal(g, w)


def test_memmap(tmp_path) -> None:
    arguments = Problem(LSTM, np.float32).arguments(np.random.default_rng(8))
    held = {}
    for name, array in arguments.items():
        array.tofile(tmp_path / name)
        held[name] = np.memmap(tmp_path / name, array.dtype, "r", shape=array.shape)
    for g, w in zip(rnnfast.lstm(**held), rnnfast.lstm(**arguments), strict=True):
        assert type(g) is np.ndarray
        np.testing.assert_array_equal(g, w)


class Recorder:
    """Stands where the core does, and keeps what it was given."""

    def __init__(self, core) -> None:
        self.core = core

    def forward(self, cell, *arguments):
        self.arguments = arguments
        return self.core.forward(cell, *arguments)


@pytest.fixture
def recorder(monkeypatch) -> Recorder:
    from rnnfast.engine.place import HostPlace

    recorder = Recorder(HostPlace.core)
    monkeypatch.setattr(HostPlace, "core", recorder)
    return recorder


@both_directions
@pytest.mark.parametrize("layout", ["as_is", "batch_first", "padded", "broadcast", "backwards"])
def test_strides_over_time_and_batch_cost_no_copy(recorder, reverse: bool, layout: str) -> None:
    arguments = Problem(LSTM, np.float32).arguments(np.random.default_rng(9))
    arguments["x"] = {
        "as_is": lambda x: x,
        "batch_first": LAYOUTS["batch_first"],
        "padded": LAYOUTS["padded"],
        "broadcast": lambda x: np.broadcast_to(x[:1, :1], x.shape),
        "backwards": lambda x: x[::-1, ::-1],
    }[layout](arguments["x"])
    rnnfast.lstm(**arguments, reverse=reverse)
    x, (w_ih, w_hh, b_ih, b_hh, *_), h0, c0, *_ = recorder.arguments
    assert np.shares_memory(x, arguments["x"])
    np.testing.assert_array_equal(x, arguments["x"][::-1] if reverse else arguments["x"])
    given = (arguments[name] for name in ("w_ih", "w_hh", "b_ih", "b_hh", "h0", "c0"))
    for ours, theirs in zip((w_ih, w_hh, b_ih, b_hh, h0, c0), given, strict=True):
        assert ours.__array_interface__ == theirs.__array_interface__  # place, shape, strides
        assert ours is not theirs  # to whom another shape may be given


def test_results_are_plain_arrays_of_their_own() -> None:
    rng = np.random.default_rng(10)
    problem = Problem(LSTM, np.float32)
    arguments, cotangents = problem.arguments(rng), problem.cotangents(rng)
    arguments["x"] = LAYOUTS["batch_first"](arguments["x"])
    for reverse in (False, True):
        out, pullback = rnnfast.lstm_vjp(**arguments, reverse=reverse)
        for array in (*out, *present(pullback(**cotangents))):
            assert array.flags.c_contiguous
            assert array.flags.writeable
