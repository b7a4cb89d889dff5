"""Layers on layers, in one direction or both: the same bits as calls layer by layer."""

from __future__ import annotations

import re
from itertools import product
from typing import Any

import numpy as np
import pytest

import rnnfast
from rnnfast.engine.noise import Noise
from rnnfast.engine.place import HOST
from rnnfast.testing.bits import digest
from rnnfast.testing.cells import BIASES, CELLS, Cell, is_weight
from rnnfast.testing.gradients import STEP
from rnnfast.testing.plans import forced_plan, last_plan
from rnnfast.testing.random import DTYPES, DType, Problem

every_cell = pytest.mark.parametrize("cell", CELLS, ids=str)
every_cell_of_units = pytest.mark.parametrize(
    "cell", [cell for cell in CELLS if "units" in cell.partitions], ids=str
)
every_dtype = pytest.mark.parametrize("dtype", DTYPES, ids=lambda dtype: dtype.__name__)
every_form = pytest.mark.parametrize(
    ("layers", "directions"), [(1, 1), (3, 1), (1, 2), (3, 2)], ids=lambda n: str(n)
)

T, B, I, H = 9, 5, 7, 11  # noqa: E741
LENGTHS = [9, 3, 0, 7, 9]


def setting(
    cell: Cell,
    dtype: DType,
    layers: int,
    directions: int,
    biases: tuple[str, ...] = BIASES[-1],
    T: int = T,
    B: int = B,
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Arguments, weights in lists, and cotangents."""
    rng = np.random.default_rng(1)
    weights: dict[str, list] = {}
    for i in range(layers * directions):
        inputs = I if i < directions else directions * cell.output_size(H)
        part = Problem(cell, dtype, T, B, inputs, H, biases=biases).arguments(rng)
        for name, a in part.items():
            if is_weight(name):
                weights.setdefault(name, []).append(a)
    states = {
        s: rng.standard_normal((layers * directions, *cell.shape(s, T, B, I, H))).astype(dtype)
        for s in cell.states
    }
    width = directions * cell.output_size(H)
    cotangents = {"dy": rng.standard_normal((T, B, width)).astype(dtype)}
    for s in cell.states:
        cotangents[f"d{s[0]}_n"] = rng.standard_normal(states[s].shape).astype(dtype)
    x = rng.standard_normal((T, B, I)).astype(dtype)
    return {"x": x, **weights, **states}, cotangents


def by_layers(
    cell: Cell, arguments: dict, cotangents: dict, directions: int, **options: Any
) -> dict[str, Any]:
    """All results and gradients from calls of single layers."""
    count = len(arguments["w_ih"])
    x = arguments["x"]
    pullbacks, finals = [], []
    for first in range(0, count, directions):
        outs = []
        for i in range(first, first + directions):
            weights = {n: a[i] for n, a in arguments.items() if is_weight(n)}
            states = {s: arguments[s][i] for s in cell.states}
            reverse = options.get("reverse", False) or i - first == 1
            of_part = {**options, "reverse": reverse}
            out, pullback = cell.vjp({"x": x, **weights, **states}, **of_part)
            outs.append(out)
            pullbacks.append(pullback)
        finals += [out[1:] for out in outs]
        x = np.concatenate([out.y for out in outs], axis=-1)
    results: dict[str, Any] = {"y": x}
    for n, name in enumerate(cell.outputs[1:]):
        results[name] = np.stack([final[n] for final in finals])
    dy, width = cotangents["dy"], cell.output_size(H)
    parts: list[Any] = [None] * count
    for first in reversed(range(0, count, directions)):
        for i in range(first, first + directions):
            side = slice((i - first) * width, (i - first + 1) * width)
            of_states = {f"d{s[0]}_n": cotangents[f"d{s[0]}_n"][i] for s in cell.states}
            parts[i] = pullbacks[i](dy=dy[..., side], **of_states)
        dy = sum(parts[i].x for i in range(first + 1, first + directions)) + parts[first].x
    results["dx"] = dy
    for name in parts[0]._fields:
        if name in cell.states:
            results[f"d{name}"] = np.stack([getattr(part, name) for part in parts])
        elif name != "x" and name in arguments:
            results[f"d{name}"] = [getattr(part, name) for part in parts]
    return results


def flat(value: Any) -> list[np.ndarray]:
    return list(value) if isinstance(value, (list, tuple)) else [value]


OPTIONS = [{}, {"lengths": LENGTHS}, {"resets": True}, {"lengths": LENGTHS, "truncate": 4}]


@every_cell
@every_dtype
@every_form
@pytest.mark.parametrize("options", OPTIONS, ids=lambda o: "+".join(o) or "plain")
def test_the_same_as_layer_by_layer(
    cell: Cell, dtype: DType, layers: int, directions: int, options: dict
) -> None:
    arguments, cotangents = setting(cell, dtype, layers, directions)
    options = dict(options)
    if "resets" in options:
        options["resets"] = np.random.default_rng(2).random((T, B)) < 0.3
    want = by_layers(cell, arguments, cotangents, directions, **options)
    out, pullback = cell.vjp(arguments, **options, bidirectional=directions == 2)
    gradients = pullback(**cotangents)._asdict()
    got = {**out._asdict(), **{f"d{name}": g for name, g in gradients.items() if g is not None}}
    assert got.keys() == want.keys()
    for name, w in want.items():
        assert digest(flat(got[name])) == digest(flat(w)), name
    plain = {name: value for name, value in options.items() if name != "truncate"}
    again = cell.forward(arguments, **plain, bidirectional=directions == 2)
    assert digest(again) == digest(out)


def everything(cell: Cell, arguments: dict, cotangents: dict, **options: Any) -> tuple[str, bool]:
    """Digest of both forward passes and all gradients; whether layers ran at once in both."""
    plain = cell.forward(arguments, **options)
    at_once = last_plan()["pipelines"]
    out, pullback = cell.vjp(arguments, **options)
    assert last_plan()["pipelines"] == at_once
    gradients = pullback(**cotangents)._asdict().values()
    arrays = [a for g in gradients if g is not None for a in flat(g)]
    return digest([*plain, *out, *arrays]), at_once


@every_cell_of_units
@every_dtype
@pytest.mark.parametrize(("layers", "directions"), [(2, 1), (3, 1), (4, 1), (1, 2), (3, 2)])
def test_layers_at_once(cell: Cell, dtype: DType, layers: int, directions: int) -> None:
    both = {"bidirectional": directions == 2}
    for steps, rows, options in (
        (23, 1, {}),
        (9, 2, {"lengths": [4, 9]}),
        (9, 3, {"resets": np.random.default_rng(2).random((9, 3)) < 0.3}),
        (9, 5, {"lengths": [0, 3, 8, 7, 3], "resets": np.ones((9, 5), bool)}),
        (7, 4, {"reverse": True, "lengths": [7, 2, 7, 6]}),
    ):
        if both["bidirectional"] and "reverse" in options:
            continue
        arguments, cotangents = setting(cell, dtype, layers, directions, T=steps, B=rows)
        with forced_plan(threads=1, pipelines=False):
            want, at_once = everything(cell, arguments, cotangents, **both, **options)
            assert not at_once
        # More threads than layers, fewer, one; chunks of one step, some and all, and the last one
        # partial. With threads that own rows layers cannot run at once.
        # Three or four may wait for each other's cores, and do it less often.
        for threads, chunk in (*product((1, 2), (None, 1, 5, 100)), (3, None), (3, 5), (4, 1)):
            with forced_plan(partition="units", threads=threads, chunk=chunk, pipelines=True):
                got, at_once = everything(cell, arguments, cotangents, **both, **options)
                workers = last_plan()["workers"]
            assert at_once
            assert workers == (
                min(threads, 2) if directions == 2 else -(-layers // -(-layers // threads))
            )
            assert got == want, (steps, rows, threads, chunk)


@every_cell_of_units
@pytest.mark.parametrize("directions", [1, 2])
def test_windows_of_input_in_layers_at_once(cell: Cell, directions: int) -> None:
    arguments, cotangents = setting(cell, np.float32, 2, directions, T=33, B=1)
    both = {"bidirectional": directions == 2}
    digests = set()
    for interleaves in (False, True):
        with forced_plan(threads=2, pipelines=True, interleaves_input=interleaves):
            digests.add(everything(cell, arguments, cotangents, **both))
        may = cell.one_phase and directions == 2
        assert last_plan()["interleaves_input"] == (interleaves and may)
    assert len(digests) == 1
    assert digests.pop()[1]


def test_when_layers_run_at_once() -> None:
    cell = CELLS[3]
    arguments, _ = setting(cell, np.float32, 2, 1, T=40, B=8)
    with forced_plan(partition="rows", threads=2, pipelines=True):
        cell.forward(arguments)
        assert not last_plan()["pipelines"]
    with forced_plan(partition="units", threads=2, pipelines=True):
        cell.forward(arguments, seed=1)
        assert last_plan()["pipelines"]
        cell.forward(arguments, dropout=0.5, seed=1)
        assert not last_plan()["pipelines"]
        single = {n: a[:1] for n, a in arguments.items() if n != "x"}
        cell.forward({**single, "x": arguments["x"]})
        assert not last_plan()["pipelines"]
    with rnnfast.num_threads(1):
        cell.forward(arguments)
        assert not last_plan()["pipelines"]


@pytest.mark.timing  # what is chosen goes by how far the cores are apart
def test_a_small_stack_runs_at_once_unasked() -> None:
    rng = np.random.default_rng(1)
    w = [rng.standard_normal((256, 64)).astype(np.float32) for _ in range(4)]
    with rnnfast.num_threads(2), forced_plan(helpers=1):  # however busy the machine is
        rnnfast.lstm(np.zeros((100, 1, 64), np.float32), w, w)
    assert last_plan()["pipelines"]


@every_cell
def test_one_direction_may_be_the_reverse(cell: Cell) -> None:
    arguments, cotangents = setting(cell, np.float32, 2, 1)
    want = by_layers(cell, arguments, cotangents, 1, reverse=True)
    out, _ = cell.vjp(arguments, reverse=True)
    assert digest(out) == digest([want[name] for name in cell.outputs])


@every_cell
@pytest.mark.parametrize("biases", BIASES, ids=lambda names: "+".join(names) or "no_bias")
def test_absent_biases_and_states(cell: Cell, biases: tuple[str, ...]) -> None:
    arguments, cotangents = setting(cell, np.float64, 2, 2, biases)
    zeros = {s: np.zeros_like(arguments[s]) for s in cell.states}
    bare = {name: a for name, a in arguments.items() if name not in cell.states}
    out, pullback = cell.vjp(bare, bidirectional=True)
    want, _ = cell.vjp({**bare, **zeros}, bidirectional=True)
    assert digest(out) == digest(want)
    gradients = pullback(**cotangents)._asdict()
    absent = set(gradients) - {*cell.arguments} | {"b_ih", "b_hh"} - set(biases)
    assert {name for name, g in gradients.items() if g is None} == absent


def directional(
    cell: Cell, arguments: dict, cotangents: dict, direction: dict, masks: list[np.ndarray]
) -> float:
    """The derivative of the loss along a direction, by complex step through the reference."""
    moved = {
        name: [
            a + 1j * STEP * d for a, d in zip(flat(arguments[name]), direction[name], strict=True)
        ]
        for name in arguments
    }
    x = moved.pop("x")[0]
    loss = 0.0
    for layer, mask in enumerate([1.0, *masks]):
        outs = []
        for i in (2 * layer, 2 * layer + 1):
            weights = {n: a[i] for n, a in moved.items() if is_weight(n)}
            states = {s: moved[s][0][i] for s in cell.states}
            out = cell.reference({"x": x * mask, **weights, **states}, reverse=i % 2 == 1)
            for name, final in zip(cell.outputs[1:], out[1:], strict=True):
                loss += np.vdot(cotangents[f"d{name}"][i], final.imag)
            outs.append(out[0])
        x = np.concatenate(outs, axis=-1)
    return float(loss + np.vdot(cotangents["dy"], x.imag)) / STEP


@every_cell
@pytest.mark.parametrize("dropout", [0.0, 0.4])
def test_gradients(cell: Cell, dropout: float) -> None:
    arguments, cotangents = setting(cell, np.float64, 3, 2)
    options = {"bidirectional": True, "dropout": dropout, "seed": 3}
    _, pullback = cell.vjp(arguments, **options)
    gradients = pullback(**cotangents)._asdict()
    noise = Noise(dropout=dropout, seed=options["seed"])
    shape = (T, B, 2 * cell.output_size(H))
    drawn = [noise.of_inputs(HOST, layer, shape, np.dtype(np.float64)) for layer in (1, 2)]
    masks = [np.ones(shape) if mask is None else mask for mask in drawn]
    rng = np.random.default_rng(4)
    for _ in range(3):
        direction = {
            name: [rng.standard_normal(a.shape) for a in flat(value)]
            for name, value in arguments.items()
        }
        want = directional(cell, arguments, cotangents, direction, masks)
        got = sum(
            float(np.vdot(g, d))
            for name in arguments
            for g, d in zip(flat(gradients[name]), direction[name], strict=True)
        )
        np.testing.assert_allclose(got, want, rtol=1e-11)


def test_dropout_keeps_its_share_and_the_expectation() -> None:
    # A relu layer of zeros and a bias of one gives ones; the next, an identity, shows the mask.
    n, p = 64, 0.3
    zeros, eye = np.zeros((n, n)), np.eye(n)
    ones = np.ones(n)
    x = np.zeros((50, 8, n))

    def run(seed: int | None) -> np.ndarray:
        return rnnfast.rnn(
            x,
            [zeros, eye],
            [zeros, zeros],
            [ones, 0 * ones],
            nonlinearity="relu",
            dropout=p,
            seed=seed,
        ).y

    y = run(5)
    assert set(np.unique(y)) == {0.0, 1 / (1 - p)}
    assert abs((y == 0).mean() - p) < 0.01
    assert abs(y.mean() - 1) < 0.02
    np.testing.assert_array_equal(run(5), y)
    assert (run(6) != y).mean() > 0.3
    np.testing.assert_array_equal(run(None), np.ones_like(y))
    with rnnfast.num_threads(1):
        np.testing.assert_array_equal(run(5), y)


@pytest.mark.parametrize("form", [list, tuple])
def test_gradients_mirror_the_form_and_accumulate(form: type) -> None:
    cell = CELLS[3]
    arguments, cotangents = setting(cell, np.float64, 2, 1)
    arguments = {n: form(a) if is_weight(n) else a for n, a in arguments.items()}
    _, pullback = cell.vjp(arguments)
    grads = pullback(**cotangents)
    for name in ("w_ih", "w_hh", "b_ih", "b_hh"):
        assert type(getattr(grads, name)) is form
        assert [g.shape for g in getattr(grads, name)] == [a.shape for a in arguments[name]]
    first = np.ones_like(grads.w_ih[0])
    out = rnnfast.LSTMGrads(w_ih=[first, None], x=np.ones_like(grads.x))
    returned = pullback(**cotangents, out=out)
    assert returned.w_ih[0] is first
    np.testing.assert_allclose(first, 1 + grads.w_ih[0])
    np.testing.assert_array_equal(returned.w_ih[1], grads.w_ih[1])
    np.testing.assert_allclose(out.x, 1 + grads.x)
    with pytest.raises(TypeError, match=r"^out\.w_ih must be a sequence of 2 arrays"):
        pullback(**cotangents, out=rnnfast.LSTMGrads(w_ih=first))
    with pytest.raises(ValueError, match=r"^out\.w_ih\[1\] must be \(44, 11\), got \(44, 7\)"):
        pullback(**cotangents, out=rnnfast.LSTMGrads(w_ih=[None, first]))
    assert repr(pullback).startswith("LSTMPullback(L=2, D=1, T=9, B=5, I=7, H=11, dtype=float64")


def test_wrt_leaves_the_others_out() -> None:
    cell = CELLS[3]
    arguments, cotangents = setting(cell, np.float64, 2, 2)
    _, pullback = cell.vjp(arguments, bidirectional=True)
    everything = pullback(**cotangents)._asdict()
    for name in cell.arguments:
        _, pullback = cell.vjp(arguments, bidirectional=True, wrt=[name])
        alone = pullback(**cotangents)._asdict()
        assert {n for n, g in alone.items() if g is not None} == {name}
        assert digest(flat(alone[name])) == digest(flat(everything[name]))


def test_nothing_to_do() -> None:
    cell = CELLS[3]
    arguments, cotangents = setting(cell, np.float64, 2, 2)
    none = [0] * B
    out, pullback = cell.vjp(arguments, bidirectional=True, lengths=none)
    assert not out.y.any()
    np.testing.assert_array_equal(out.h_n, arguments["h0"])
    grads = pullback(**cotangents)
    np.testing.assert_array_equal(grads.c0, cotangents["dc_n"])
    assert not grads.x.any()
    assert not any(g.any() for g in grads.w_hh)


def refused(error: type[Exception], message: str):
    return pytest.raises(error, match=f"^{re.escape(message)}")


def test_refused() -> None:
    cell = CELLS[3]
    arguments, _ = setting(cell, np.float32, 2, 1)
    run = rnnfast.lstm
    with refused(ValueError, "w_hh must be a sequence of 2 arrays like w_ih, got 1"):
        run(**{**arguments, "w_hh": arguments["w_hh"][:1]})
    with refused(ValueError, "b_ih must be a sequence of 2 arrays like w_ih, got ndarray"):
        run(**{**arguments, "b_ih": arguments["b_ih"][0]})
    with refused(ValueError, "w_hh must be one array like w_ih, got a sequence of arrays"):
        run(**{**arguments, "w_ih": arguments["w_ih"][0]})
    with refused(ValueError, "w_ih[1] must be (4*H, H) = (44, 11), got (44, 7)"):
        run(**{**arguments, "w_ih": [arguments["w_ih"][0]] * 2})
    with refused(ValueError, "w_hh[1] must have H = 11 columns like w_hh[0], got (48, 12)"):
        larger = [arguments["w_hh"][0], np.zeros((48, 12), np.float32)]
        run(arguments["x"], [arguments["w_ih"][0], np.zeros((48, 11), np.float32)], larger)
    with refused(TypeError, "w_hh[1] must be float32 like x, got float64"):
        wide = [arguments["w_hh"][0], arguments["w_hh"][1].astype(np.float64)]
        run(**{**arguments, "w_hh": wide})
    with refused(ValueError, "h0 must be (L, B, H) = (2, 5, 11), got (5, 11)"):
        run(**{**arguments, "h0": arguments["h0"][0]})
    with refused(ValueError, "w_ih must hold two arrays a layer for bidirectional=True, got 3"):
        three = {n: [*a, a[1]] for n, a in arguments.items() if is_weight(n)}
        run(arguments["x"], **three, bidirectional=True)
    alone = {n: a[0] for n, a in arguments.items() if is_weight(n)}
    with refused(ValueError, "bidirectional=True needs sequences of weights"):
        run(arguments["x"], **alone, bidirectional=True)
    with refused(ValueError, "reverse must be False with bidirectional=True"):
        run(**arguments, bidirectional=True, reverse=True)
    with refused(TypeError, "bidirectional must be True or False, got 1"):
        run(**arguments, bidirectional=1)
    with refused(ValueError, "dropout must be from 0 to less than 1, got 1.0"):
        run(**arguments, dropout=1.0)
    with refused(TypeError, "dropout must be a number from 0 to less than 1, got '0.5'"):
        run(**arguments, dropout="0.5")
    with refused(TypeError, "seed must be None or an integer of at least 0, got 0.5"):
        run(**arguments, dropout=0.5, seed=0.5)
    with refused(ValueError, "seed must be from 0 to 2**64 - 1, got -1"):
        run(**arguments, dropout=0.5, seed=-1)
    _, pullback = rnnfast.lstm_vjp(**arguments)
    with refused(ValueError, "dh_n must be (L, B, H) = (2, 5, 11), got (5, 11)"):
        pullback(dh_n=arguments["h0"][0])
