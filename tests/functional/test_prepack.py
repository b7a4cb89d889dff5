"""Weights packed once: the same answers, streaming, pickling, sharing."""

from __future__ import annotations

import copy
import gc
import pickle
import re
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

import rnnfast
from rnnfast.testing.cells import BIASES, CELLS, Cell, is_weight
from rnnfast.testing.plans import forced_plan, last_plan
from rnnfast.testing.random import DTYPES, LAYOUTS, DType, Problem
from rnnfast.testing.tolerances import expected_outputs

every_cell = pytest.mark.parametrize("cell", CELLS, ids=str)
every_dtype = pytest.mark.parametrize("dtype", DTYPES, ids=lambda dtype: dtype.__name__)


FORMS = {
    **LAYOUTS,
    "dtype_with_metadata": lambda a: a.view(np.dtype(a.dtype, metadata={"unit": "V"})),
    "memoryview": memoryview,  # any array-like that keeps its dtype
}


def setting(cell: Cell, dtype: DType = np.float32, **sizes) -> tuple[dict, dict]:
    """All arguments, and those of them that are not packed."""
    arguments = Problem(cell, dtype, **sizes).arguments(np.random.default_rng(13))
    return arguments, {name: array for name, array in arguments.items() if not is_weight(name)}


def as_tuple(state) -> tuple:
    return state if isinstance(state, tuple) else (state,)


def initial(cell: Cell, given: dict):
    states = tuple(given[name] for name in cell.states)
    return states if len(states) == 2 else states[0]


def assert_equal(got, want) -> None:
    for g, w in zip(as_tuple(got), as_tuple(want), strict=True):
        np.testing.assert_array_equal(g, w)


@every_cell
@every_dtype
@pytest.mark.parametrize("reverse", [False, True], ids=["forward", "reverse"])
@pytest.mark.parametrize("biases", BIASES, ids=lambda names: "+".join(names) or "no_bias")
def test_same_as_the_function(
    cell: Cell, dtype: DType, reverse: bool, biases: tuple[str, ...]
) -> None:
    arguments, rest = setting(cell, dtype, biases=biases)
    packed = cell.prepack(arguments, reverse=reverse)
    assert_equal(packed(**rest), cell.forward(arguments, reverse=reverse))
    del arguments["h0"]
    assert_equal(
        packed(**{name: array for name, array in rest.items() if name != "h0"}),
        cell.forward(arguments, reverse=reverse),
    )


@every_cell
@every_dtype
@pytest.mark.parametrize("B", [1, 3])
def test_steps_make_the_sequence(cell: Cell, dtype: DType, B: int) -> None:
    arguments, rest = setting(cell, dtype, T=6, B=B)
    packed = cell.prepack(arguments)
    y, *finals = expected_outputs(cell, arguments, np.random.default_rng(14))
    state = initial(cell, rest)
    for t in range(6):
        before = as_tuple(state)
        kept = [array.copy() for array in before]
        state = packed.step(rest["x"][t], state)
        np.testing.assert_allclose(as_tuple(state)[0], y.value[t], rtol=0, atol=y.tolerance)
        for array, copied in zip(before, kept, strict=True):
            np.testing.assert_array_equal(array, copied)
    assert type(state) is (tuple if "c0" in cell.states else np.ndarray)
    for got, (want, atol) in zip(as_tuple(state), finals, strict=True):
        assert got.dtype == dtype
        np.testing.assert_allclose(got, want, rtol=0, atol=atol)


@every_cell
def test_the_first_state_is_zero(cell: Cell) -> None:
    arguments, rest = setting(cell)
    packed = cell.prepack(arguments)
    zeros = tuple(np.zeros_like(rest[name]) for name in cell.states)
    want = packed.step(rest["x"][0], zeros if len(zeros) == 2 else zeros[0])
    assert_equal(packed.step(rest["x"][0]), want)
    assert_equal(packed.step(rest["x"][0], None), want)


@every_cell
@every_dtype
@pytest.mark.parametrize("form", FORMS)
def test_a_step_takes_any_form(cell: Cell, dtype: DType, form: str) -> None:
    hold = FORMS[form]
    arguments, rest = setting(cell, dtype)
    packed = cell.prepack(arguments)
    x_t, state = rest["x"][0], initial(cell, rest)
    want = packed.step(x_t, state)
    if isinstance(state, tuple):
        assert_equal(packed.step(x_t, list(state)), want)
        assert_equal(packed.step(x_t, (state[0], hold(state[1]))), want)
        held = tuple(hold(array) for array in state)
    else:
        held = hold(state)
    for got in (packed.step(hold(x_t), state), packed.step(x_t, held)):
        assert_equal(got, want)


@every_cell
def test_a_step_of_no_rows(cell: Cell) -> None:
    arguments, rest = setting(cell)
    packed = cell.prepack(arguments)
    none = tuple(rest[name][:0] for name in cell.states)
    for state in (None, none if len(none) == 2 else none[0]):
        got = as_tuple(packed.step(rest["x"][0, :0], state))
        assert [array.shape for array in got] == [array.shape for array in none]
        assert all(array.dtype == np.float32 for array in got)


def test_attributes() -> None:
    arguments, _ = setting(CELLS[3], np.float64, I=7, H=9)
    packed = CELLS[3].prepack(arguments)
    assert (packed.cell, packed.input_size, packed.hidden_size) == ("lstm", 7, 9)
    assert packed.dtype == np.float64
    assert packed.reverse is False
    assert repr(packed) == (
        "<Prepacked lstm: input_size=7, hidden_size=9, dtype=float64, reverse=False>"
    )


def test_immutable() -> None:
    packed = CELLS[3].prepack(setting(CELLS[3])[0])
    for name in ("cell", "hidden_size", "input_size", "dtype", "reverse", "something_new"):
        with pytest.raises(AttributeError):
            setattr(packed, name, None)


@every_cell
@every_dtype
@pytest.mark.parametrize("reverse", [False, True], ids=["forward", "reverse"])
def test_pickle_and_copy(cell: Cell, dtype: DType, reverse: bool) -> None:
    arguments, rest = setting(cell, dtype, biases=("b_hh",))
    packed = cell.prepack(arguments, reverse=reverse)
    want = cell.forward(arguments, reverse=reverse)
    for array in arguments.values():
        if array is not arguments["x"] and not any(array is one for one in rest.values()):
            array.fill(np.nan)  # what is pickled is the packed cell's own
    again = [
        pickle.loads(pickle.dumps(packed, protocol))
        for protocol in range(2, pickle.HIGHEST_PROTOCOL + 1)
    ]
    for twin in (*again, copy.copy(packed), copy.deepcopy(packed)):
        assert repr(twin) == repr(packed)
        assert twin.cell == packed.cell
        assert_equal(twin(**rest), want)


@every_cell
def test_several_threads_may_share_one(cell: Cell) -> None:
    arguments, rest = setting(cell, T=30, B=4)
    packed = cell.prepack(arguments)
    whole = packed(**rest)
    one = packed.step(rest["x"][0], initial(cell, rest))

    def work(_: int) -> None:
        for _ in range(20):
            assert_equal(packed(**rest), whole)
            assert_equal(packed.step(rest["x"][0], initial(cell, rest)), one)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(work, range(8)))


def test_the_cores_step_keeps_its_weights_and_frees_them() -> None:
    arguments, rest = setting(CELLS[3])
    cell = CELLS[3].prepack(arguments)
    want = cell.step(rest["x"][0])
    core, step = cell._packed[0], cell._packed[0].step
    counted = sys.getrefcount(core)
    del cell
    gc.collect()
    assert_equal(step(rest["x"][0], None), want)
    assert sys.getrefcount(core) == counted - 3  # the cell's own, and those of its two ways
    del step
    assert sys.getrefcount(core) == counted - 4
    for wrong in ((), (None,), (None, None, None)):
        with pytest.raises(TypeError, match=f"expected 2 arguments, got {len(wrong)}"):
            core.step(*wrong)


@every_cell
@every_dtype
@pytest.mark.parametrize("stacked", [False, True], ids=["single", "in_a_list"])
def test_a_layer_by_itself_goes_to_the_core_at_once(
    cell: Cell, dtype: DType, stacked: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    arguments, rest = setting(cell, dtype)
    if stacked:
        arguments = {n: [a] if is_weight(n) else a for n, a in arguments.items()}
        rest = {n: a if n == "x" else a[None] for n, a in rest.items()}
    packed = cell.prepack(arguments)
    x, state = rest["x"], initial(cell, rest)
    want, of_zeros = packed(**rest), packed(x, batch_first=False, lengths=[len(x)] * x.shape[1])
    held = [packed(hold(x), state) for hold in FORMS.values()]
    of_nothing = packed(x[:0], state)
    for got in held:
        assert type(got) is type(want)
        assert_equal(got, want)
    assert_equal(of_nothing[1:], as_tuple(state))
    with pytest.raises((TypeError, ValueError), match="x must"):
        packed(x[..., :-1], state)
    with pytest.raises((TypeError, ValueError)):
        packed(x, (x, x, x))
    # The way through Python is not taken: nothing of it is there.
    monkeypatch.setattr(type(packed), "_given", None)
    assert_equal(packed(x, state), want)
    assert_equal(packed(x), of_zeros)


@pytest.mark.timing
def test_a_step_costs_little_more_than_its_arithmetic() -> None:
    arguments, rest = setting(CELLS[3], B=1, I=64, H=64, T=1)
    cell, x_t, state = CELLS[3].prepack(arguments), rest["x"][0], initial(CELLS[3], rest)

    def seconds(step) -> float:
        start = time.perf_counter()
        for _ in range(1000):
            step(x_t, state)
        return (time.perf_counter() - start) / 1000

    core = cell._packed[0].step
    rounds = [(seconds(cell.step), seconds(core)) for _ in range(20)]
    through_python, alone = (min(times) for times in zip(*rounds, strict=True))
    # One Python frame, 0.05 us, with room for a busy machine; validation would cost several us.
    assert through_python - alone < 1e-6


def test_prepack_takes_what_the_function_takes() -> None:
    arguments, rest = setting(CELLS[3])
    want = rnnfast.lstm(**arguments)
    for hold in FORMS.values():
        held = {name: hold(array) for name, array in arguments.items()}
        assert_equal(CELLS[3].prepack(held)(**rest), want)


def stacked(cell: Cell, dtype: DType, layers: int, directions: int, biases=BIASES[-1]) -> tuple:
    """Weights in lists, and what is not packed, with states (L*D, B, H)."""
    upper = directions * cell.output_size(9)
    parts = [
        setting(cell, dtype, T=12, B=2, I=7 if i < directions else upper, H=9, biases=biases)[0]
        for i in range(layers * directions)
    ]
    weights = {name: [part[name] for part in parts] for name in parts[0] if is_weight(name)}
    states = {name: np.stack([part[name] for part in parts]) for name in cell.states}
    return weights, {"x": parts[0]["x"], **states}


@every_cell
@every_dtype
@pytest.mark.parametrize(("layers", "directions"), [(1, 1), (3, 1), (1, 2), (2, 2)])
@pytest.mark.parametrize("at_once", [False, True])
def test_layers(cell: Cell, dtype: DType, layers: int, directions: int, at_once: bool) -> None:
    weights, rest = stacked(cell, dtype, layers, directions, biases=("b_hh",))
    both = directions == 2
    resets = np.random.default_rng(3).random((12, 2)) < 0.2
    packed = cell.prepack(weights, bidirectional=both)
    assert (packed.layers, packed.bidirectional) == (layers, both)
    assert (packed.input_size, packed.hidden_size, packed.dtype) == (7, 9, dtype)
    for options in ({}, {"lengths": [5, 12]}, {"resets": resets}, {"lengths": [0, 0]}):
        want = cell.forward({**weights, **rest}, bidirectional=both, **options)
        with forced_plan(threads=2, pipelines=at_once):
            got = packed(**rest, **options)
            if options != {"lengths": [0, 0]}:
                may = layers * directions > 1 and "units" in cell.partitions
                assert last_plan()["pipelines"] == (at_once and may)
        assert type(got) is type(want)
        assert_equal(got, want)
    zeros = {name: np.zeros_like(rest[name]) for name in cell.states}
    assert_equal(packed(rest["x"]), packed(rest["x"], **zeros))


@every_cell
def test_layers_are_pickled(cell: Cell) -> None:
    for directions, biases in ((1, ()), (2, ("b_ih",))):
        weights, rest = stacked(cell, np.float32, 2, directions, biases)
        if biases:
            weights["b_ih"][1] = None  # there in some layers
        packed = cell.prepack(weights, bidirectional=directions == 2)
        want = packed(**rest)
        for arrays in weights.values():
            for array in arrays:
                if array is not None:
                    array.fill(np.nan)
        for twin in (pickle.loads(pickle.dumps(packed)), copy.deepcopy(packed), packed):
            assert repr(twin) == repr(packed)
            assert_equal(twin(**rest), want)
    name = cell.name.removesuffix("_projected").removesuffix("_activations")
    assert repr(packed) == (
        f"<Prepacked {name}: layers=2, bidirectional=True, "
        "input_size=7, hidden_size=9, "
        f"{'proj_size=6, ' if cell.projects else ''}dtype=float32, reverse=False>"
    )


@every_cell
@pytest.mark.parametrize("layers", [False, True], ids=["single", "layers"])
def test_one_form_of_states_goes_everywhere(cell: Cell, layers: bool) -> None:
    if layers:
        arguments, rest = stacked(cell, np.float32, 2, 1)
    else:
        arguments, rest = setting(cell, T=12, B=2)
    packed = cell.prepack(arguments)
    x, state = rest["x"], initial(cell, rest)
    want = packed(**rest)
    assert_equal(packed(x, state), want)
    assert_equal(packed(x, state=state), want)
    assert_equal(packed(x, state=None), packed(x))
    # What a call leaves is what a step takes, and the other way round.
    first = packed(x[:5], state)
    after = packed.step(x[5], first[1:] if len(cell.states) == 2 else first.h_n)
    assert_equal(packed(x[6:], after)[1:], want[1:])


def test_a_state_is_given_once() -> None:
    lstm, gru = CELLS[3], next(cell for cell in CELLS if cell.name == "gru")
    arguments, rest = setting(lstm)
    packed, x, h = lstm.prepack(arguments), rest["x"], rest["h0"]
    for name in ("h0", "c0"):
        with pytest.raises(ValueError, match=f"^state and {name} say the same, pass one of them$"):
            packed(x, (h, h), **{name: h})
    for wrong in (h, (h,), (h, h, h)):
        with pytest.raises(TypeError, match=r"^state must be None or the pair \(h, c\), got "):
            packed(x, wrong)
    with pytest.raises(ValueError, match=r"^h0 must be \(B, H\) = \(3, 9\), got \(2, 9\)"):
        packed(x, (h[:2], h))
    arguments, rest = setting(gru)
    with pytest.raises(ValueError, match=r"^state and h0 say the same"):
        gru.prepack(arguments)(rest["x"], h, h0=h)


@every_cell
@every_dtype
def test_layers_in_reverse(cell: Cell, dtype: DType) -> None:
    weights, rest = stacked(cell, dtype, 2, 1)
    want = cell.forward({**weights, **rest}, reverse=True)
    assert_equal(cell.prepack(weights, reverse=True)(**rest), want)


@every_cell
@every_dtype
def test_steps_of_layers_make_the_sequence(cell: Cell, dtype: DType) -> None:
    weights, rest = stacked(cell, dtype, 3, 1)
    packed = cell.prepack(weights)
    want = packed(**rest)
    state = initial(cell, rest)
    for t in range(12):
        state = packed.step(rest["x"][t], state)
        assert_equal(as_tuple(state)[0][-1], want.y[t])
    assert_equal(state, want[1:])
    assert type(state) is (tuple if "c0" in cell.states else np.ndarray)
    first = packed.step(rest["x"][0])
    zeros = tuple(np.zeros_like(rest[name]) for name in cell.states)
    assert_equal(first, packed.step(rest["x"][0], zeros if len(zeros) == 2 else zeros[0]))
    none = as_tuple(packed.step(rest["x"][0, :0]))
    widths = [cell.output_size(9), 9][: len(cell.states)]
    assert [array.shape for array in none] == [(3, 0, width) for width in widths]


def test_layers_refused() -> None:
    lstm = CELLS[3]
    weights, rest = stacked(lstm, np.float32, 2, 1)

    def refused(error: type[Exception], message: str):
        return pytest.raises(error, match=f"^{re.escape(message)}")

    with refused(ValueError, "w_hh must be a sequence of 2 arrays like w_ih, got 1"):
        lstm.prepack({**weights, "w_hh": weights["w_hh"][:1]})
    with refused(ValueError, "w_hh must be one array like w_ih, got a sequence of arrays"):
        lstm.prepack({**weights, "w_ih": weights["w_ih"][0]})
    with refused(ValueError, "w_ih[0] must be (4*H, I) = (36, I), got (7, 36); it looks transp"):
        lstm.prepack({**weights, "w_ih": [weights["w_ih"][0].T, weights["w_ih"][1]]})
    with refused(ValueError, "w_ih[1] must be (4*H, H) = (36, 9), got (36, 7)"):
        lstm.prepack({**weights, "w_ih": [weights["w_ih"][0]] * 2})
    with refused(TypeError, "w_hh[1] must be float32 like w_ih[0], got float64"):
        wide = [weights["w_hh"][0], weights["w_hh"][1].astype(np.float64)]
        lstm.prepack({**weights, "w_hh": wide})
    with refused(ValueError, "w_ih must hold two arrays a layer for bidirectional=True, got 3"):
        lstm.prepack({n: [*a, a[1]] for n, a in weights.items()}, bidirectional=True)
    alone = {name: arrays[0] for name, arrays in weights.items()}
    with refused(ValueError, "bidirectional=True needs sequences of weights"):
        lstm.prepack(alone, bidirectional=True)
    with refused(ValueError, "reverse must be False with bidirectional=True"):
        lstm.prepack(weights, bidirectional=True, reverse=True)
    with refused(TypeError, "bidirectional must be True or False, got 1"):
        lstm.prepack(weights, bidirectional=1)
    packed = lstm.prepack(weights)
    with refused(ValueError, "h0 must be (L, B, H) = (2, 2, 9), got (2, 9)"):
        packed(rest["x"], h0=rest["h0"][0])
    with refused(ValueError, "x must be (T, B, I) = (12, 2, 7), got (12, 2, 9)"):
        packed(np.zeros((12, 2, 9), np.float32))
    with refused(ValueError, "state h must be (L, B, H) = (2, 2, 9), got (3, 2, 9)"):
        packed.step(rest["x"][0], (np.zeros((3, 2, 9), np.float32), rest["c0"]))
    with refused(TypeError, "state must be None or the pair (h, c), got ndarray"):
        packed.step(rest["x"][0], rest["h0"])
    both, rest = stacked(lstm, np.float32, 1, 2)
    with refused(ValueError, "step needs a cell packed with bidirectional=False"):
        lstm.prepack(both, bidirectional=True).step(rest["x"][0])
