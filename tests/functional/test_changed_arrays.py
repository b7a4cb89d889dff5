"""Arrays that the caller changes between check and use: nothing of what was checked changes."""

from __future__ import annotations

import re
import sys
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np
import pytest

import rnnfast
from rnnfast._check.arrays import integers
from rnnfast.layers import Dense, Embedding
from rnnfast.testing.bits import digest

F32 = np.float32
T, B, H, INPUTS = 6, 4, 16, 8
PASSES = ("lstm_vjp", "lstm_vjp_checkpoint", "stack")


def arguments() -> dict[str, np.ndarray]:
    rng = np.random.default_rng(5)
    shapes = {
        "x": (T, B, INPUTS),
        "w_ih": (4 * H, INPUTS),
        "w_hh": (4 * H, H),
        "b_ih": (4 * H,),
        "b_hh": (4 * H,),
        "h0": (B, H),
        "c0": (B, H),
        "peephole": (3 * H,),
    }
    drawn = {name: rng.standard_normal(shape).astype(F32) for name, shape in shapes.items()}
    return {**drawn, "resets": rng.random((T, B)) < 0.2}


def passed(kind: str, given: dict[str, np.ndarray]):
    """Run one kind of forward pass; return its pullback."""
    if kind != "stack":
        return rnnfast.lstm_vjp(**given, checkpoint=kind.endswith("checkpoint"))[1]
    weights = {name: [given[name]] for name in ("w_ih", "w_hh", "b_ih", "b_hh", "peephole")}
    states = {name: given[name].reshape(1, B, H) for name in ("h0", "c0")}
    return rnnfast.lstm_vjp(given["x"], **weights, **states, resets=given["resets"])[1]


def bits(results) -> str:
    """Hash of arrays in any nesting, as pullbacks of stacks and of layers give them."""

    def leaves(node) -> list[np.ndarray | None]:
        nested = isinstance(node, (list, tuple))
        return [leaf for one in node for leaf in leaves(one)] if nested else [node]

    return digest(leaves(results))


def assign(array: np.ndarray, attribute: str, value: object) -> None:
    with warnings.catch_warnings():  # NumPy advises against it; people do it all the same
        warnings.simplefilter("ignore", DeprecationWarning)
        setattr(array, attribute, value)


CHANGES: dict[str, Callable[[np.ndarray], None]] = {
    "flat": lambda a: assign(a, "shape", (a.size,)),
    "wide": lambda a: assign(a, "shape", (1, 1, a.size)),
    "dtype": lambda a: assign(a, "dtype", np.float64 if a.dtype == F32 else np.int16),
    "strides": lambda a: assign(a, "strides", (0,) * a.ndim),
}


@pytest.mark.parametrize("kind", PASSES)
@pytest.mark.parametrize("change", CHANGES)
def test_before_the_pullback(kind: str, change: str) -> None:
    given = arguments()
    pullback = passed(kind, given)
    dy = np.ones((T, B, H), F32)
    wanted = bits(pullback(dy=dy))
    for array in given.values():
        CHANGES[change](array)
    assert bits(pullback(dy=dy)) == wanted


@pytest.mark.parametrize("name", ["x", "w_ih", "w_hh", "b_ih", "b_hh", "peephole", "resets"])
@pytest.mark.parametrize("kind", PASSES)
def test_numbers_that_change_before_the_pullback_are_noticed(kind: str, name: str) -> None:
    given = arguments()
    pullback = passed(kind, given)
    dy, buffer = np.ones((T, B, H), F32), np.zeros((T, B, INPUTS), F32)
    out = rnnfast.LSTMGrads(x=buffer)
    wanted = bits(pullback(dy=dy))
    last = given[name].reshape(-1)[-1:]
    before = last.copy()
    last[...] = ~last if last.dtype == bool else last + 1
    place = "[0]" if kind == "stack" and name not in ("x", "resets") else ""
    with pytest.raises(ValueError, match=rf"^{name}{re.escape(place)} must stay as it is"):
        pullback(dy=dy, out=out)
    assert not buffer.any()
    last[...] = before
    assert bits(pullback(dy=dy)) == wanted


@pytest.mark.parametrize("kind", PASSES)
@pytest.mark.parametrize("name", ["h0", "c0"])
def test_what_no_pullback_reads_may_change(kind: str, name: str) -> None:
    given = arguments()
    pullback = passed(kind, given)
    dy = np.ones((T, B, H), F32)
    wanted = bits(pullback(dy=dy))
    given[name] += 1
    assert bits(pullback(dy=dy)) == wanted


def test_the_layer_whose_weights_have_changed_is_named() -> None:
    rng = np.random.default_rng(0)
    x = rng.standard_normal((T, B, H), F32)
    w_ih, w_hh = ([rng.standard_normal((3 * H, H), F32) for _ in range(3)] for _ in range(2))
    (y, _), pullback = rnnfast.gru_vjp(x, w_ih, w_hh, dropout=0.5, seed=1)
    w_hh[2] *= 0.9
    with pytest.raises(ValueError, match=r"^w_hh\[2\] must stay"):
        pullback(dy=np.ones_like(y))


LAYOUTS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "plain": lambda a: a,
    "flipped": lambda a: a[::-1],
    "every other": lambda a: np.repeat(a, 2, axis=0)[::2],
    "batch first": lambda a: a.swapaxes(0, 1).copy().swapaxes(0, 1),
    "some of the features": lambda a: np.concatenate([a, a], axis=2)[:, :, : a.shape[2]],
    "the same at all steps": lambda a: np.broadcast_to(a[0].copy(), a.shape),
}


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("steps", [1, 3, 200])
def test_one_optimizer_step_or_batch_is_noticed_whatever_the_strides(
    layout: str, steps: int
) -> None:
    rng = np.random.default_rng(0)
    x = LAYOUTS[layout](rng.standard_normal((steps, B, 40), F32))
    w_ih, w_hh = rng.standard_normal((48, 40), F32), rng.standard_normal((48, 48), F32)
    (y, _), pullback = rnnfast.rnn_vjp(x, w_ih, w_hh)
    pullback(dy=np.ones_like(y))
    memory = x if x.flags.writeable else x.base
    memory[...] = rng.standard_normal(memory.shape, F32)
    with pytest.raises(ValueError, match=r"^x must stay as it is"):
        pullback(dy=np.ones_like(y))


def test_a_copy_of_what_has_another_layout_is_ours_as_well() -> None:
    """Arrays that need no copy of their numbers, but come through another door."""

    class Tensor:
        def __init__(self, array: np.ndarray) -> None:
            self.array = array

        def __array__(self, dtype: object = None, copy: object = None) -> np.ndarray:
            return self.array

    given = arguments()
    pullback = passed("lstm_vjp", {name: Tensor(array) for name, array in given.items()})
    wanted = bits(pullback(dy=np.ones((T, B, H), F32)))
    for array in given.values():
        CHANGES["flat"](array)
    assert bits(pullback(dy=np.ones((T, B, H), F32))) == wanted


@pytest.mark.parametrize("layer", [Dense(3), Embedding(9, 3)], ids=["Dense", "Embedding"])
def test_before_the_pullback_of_a_layer(layer) -> None:
    x = layer.convert_input(np.arange(48).reshape(2, 4, 6) % 9)
    layer.build(x.shape)
    y, pullback = layer.vjp(x, wrt_input=True)
    wanted = bits(pullback(np.ones_like(y)))
    CHANGES["dtype"](x)
    assert bits(pullback(np.ones_like(y))) == wanted


def test_a_mask_before_the_pullback_of_a_layer() -> None:
    layer = rnnfast.layers.LSTM(H, return_sequences=True)
    x = arguments()["x"]
    mask = np.random.default_rng(0).random((T, B)) < 0.5
    layer.build(x.shape)
    y, pullback = layer.vjp_masked(x, mask, wrt_input=True)
    wanted = bits(pullback(np.ones_like(y)))
    mask[...] = ~mask
    assert bits(pullback(np.ones_like(y))) == wanted


@contextmanager
def meanwhile(change: Callable[[], None]) -> Iterator[None]:
    """Let another thread do something over and over, and threads take turns all the time."""
    stop = threading.Event()

    def over_and_over() -> None:
        while not stop.is_set():
            change()

    interval = sys.getswitchinterval()
    thread = threading.Thread(target=over_and_over)
    sys.setswitchinterval(1e-6)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
        sys.setswitchinterval(interval)


def repeatedly(seconds: float = 0.5) -> Iterator[None]:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        yield


def test_counts_are_copied_before_they_are_checked() -> None:
    lengths = np.full(B, T)
    values = iter(lambda: (T, 10**7), None)  # for ever
    turns = (value for pair in values for value in pair)
    with meanwhile(lambda: lengths.fill(next(turns))):
        seen = set()
        for _ in repeatedly():
            try:
                seen.update(integers("lengths", lengths, "(B,)", (B,), T).tolist())
            except ValueError:
                continue
    assert seen == {T}


def test_a_shape_that_changes_during_a_call() -> None:
    given = arguments()
    x, w_ih, w_hh = given["x"], given["w_ih"], given["w_hh"]
    shapes = ((T, B, INPUTS), (B, T, INPUTS), (1, T * B, INPUTS))
    wanted = {shape: bits(rnnfast.lstm(x.reshape(shape), w_ih, w_hh)) for shape in shapes}
    cell = rnnfast.prepack("lstm", w_ih, w_hh)
    turns = (shape for all_of_them in iter(lambda: shapes, None) for shape in all_of_them)
    with meanwhile(lambda: assign(x, "shape", next(turns))):
        for _ in repeatedly():
            for y, h_n, c_n in (rnnfast.lstm(x, w_ih, w_hh), cell(x)):
                assert bits((y, h_n, c_n)) == wanted[(*y.shape[:2], INPUTS)]


def test_a_buffer_whose_shape_changes_during_a_pullback() -> None:
    _, pullback = rnnfast.lstm_vjp(**{k: v for k, v in arguments().items() if k != "resets"})
    dy = np.ones((T, B, H), F32)
    plain = pullback(dy=dy).w_ih
    buffer = np.zeros_like(plain)
    shapes = (plain.shape, (plain.size,))
    turns = (shape for both in iter(lambda: shapes, None) for shape in both)
    times = 0
    with meanwhile(lambda: assign(buffer, "shape", next(turns))):
        for _ in repeatedly():
            buffer[...] = 0
            try:
                got = pullback(dy=dy, out=rnnfast.LSTMGrads(w_ih=buffer)).w_ih
            except ValueError as error:
                assert str(error).startswith("out.w_ih must be")
                continue
            times += 1
            assert got is buffer
            np.testing.assert_array_equal(buffer.ravel(), plain.ravel())
    assert times
