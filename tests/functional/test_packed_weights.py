"""Packed cells from descriptions, state_dicts and files, and back; their traces."""

import threading
from typing import Any

import numpy as np
import pytest

import rnnfast
from rnnfast.testing.bits import digest
from rnnfast.testing.cells import CELLS, Cell
from rnnfast.weights import StackWeights

every_cell = pytest.mark.parametrize("cell", CELLS, ids=str)
T, B, I, H = 6, 2, 3, 5  # noqa: E741

rng = np.random.default_rng(13)


def setting(cell: Cell) -> tuple[dict[str, Any], dict[str, Any]]:
    """Weights and the other arguments of a call."""
    arguments = {name: rng.normal(size=cell.shape(name, T, B, I, H)) for name in cell.arguments}
    rest = {name: arguments[name] for name in ("x", *cell.states)}
    return arguments, rest


@every_cell
def test_files_give_an_equal_cell(cell: Cell, tmp_path: Any) -> None:
    arguments, rest = setting(cell)
    packed = cell.prepack(arguments)
    path = tmp_path / "cell.safetensors"
    packed.save(path)
    loaded = rnnfast.Prepacked.load(path)
    assert repr(loaded) == repr(packed)
    assert digest(loaded(**rest)) == digest(packed(**rest))
    with pytest.raises(FileExistsError):
        packed.save(path, overwrite=False)


@every_cell
def test_descriptions_give_an_equal_cell(cell: Cell) -> None:
    arguments, rest = setting(cell)
    packed = cell.prepack(arguments)
    again = rnnfast.prepack(packed.weights())
    assert digest(again(**rest)) == digest(packed(**rest))


def test_stacks_and_options_stay(tmp_path: Any) -> None:
    w_ih = [rng.normal(size=(12, 3))] * 2
    packed = rnnfast.prepack(
        "gru", w_ih, [rng.normal(size=(12, 4))] * 2, bidirectional=True, zoneout=0.5, clip=2.0
    )
    packed.save(tmp_path / "a.safetensors")
    loaded = rnnfast.Prepacked.load(tmp_path / "a.safetensors")
    x = rng.normal(size=(5, 2, 3))
    assert digest(loaded(x)) == digest(packed(x))
    other = rnnfast.Prepacked.load(tmp_path / "a.safetensors", zoneout=0.0)
    assert other.weights().options == {"bidirectional": True, "clip": 2.0}
    one = rnnfast.prepack("gru", w_ih[:1], [rng.normal(size=(12, 4))])
    one.save(tmp_path / "a.safetensors")
    assert rnnfast.Prepacked.load(tmp_path / "a.safetensors")(x).h_n.shape == (1, 2, 4)


def test_a_file_of_other_things_is_refused(tmp_path: Any) -> None:
    with pytest.raises(FileNotFoundError):
        rnnfast.Prepacked.load(tmp_path / "none.safetensors")
    (tmp_path / "a.safetensors").write_bytes(b"no")
    with pytest.raises(ValueError, match="is no safetensors file"):
        rnnfast.Prepacked.load(tmp_path / "a.safetensors")


def test_a_state_dict_is_packed() -> None:
    state = {"rnn.weight_ih_l0": rng.normal(size=(4, 3)), "rnn.weight_hh_l0": np.eye(4)}
    x = rng.normal(size=(5, 2, 3))
    for options in ({}, {"nonlinearity": "relu"}, {"reverse": True}):
        found = rnnfast.prepack(state, **options)(x)
        assert digest(found) == digest(rnnfast.rnn(x, *state.values(), **options))


def test_weights_as_a_whole_are_all_there_is() -> None:
    weights = StackWeights("rnn", np.ones((4, 3)), np.ones((4, 4)))
    with pytest.raises(TypeError, match="w_ih must be left out, cell has weights: a StackWeights"):
        rnnfast.prepack(weights, np.ones((4, 3)))
    with pytest.raises(ValueError, match=r"no recurrent layers.*from_torch takes a name"):
        rnnfast.prepack({})
    with pytest.raises(TypeError, match=r"cell must be the name of a kind of cell.* got ndarray"):
        rnnfast.prepack(np.ones((4, 3)), np.ones((4, 3)))
    with pytest.raises(TypeError, match="w_hh must be an array of float32 or float64, got None"):
        rnnfast.prepack("lstm", np.ones((4, 3)))
    with pytest.raises(ValueError, match="reset_after is an option of cell 'gru'"):
        rnnfast.prepack(weights, reset_after=False)


@every_cell
@pytest.mark.parametrize("options", [{}, {"lengths": [2, 6]}, {"batch_first": True}], ids=str)
def test_traces_are_those_of_the_function(cell: Cell, options: dict) -> None:
    arguments, rest = setting(cell)
    if "batch_first" in options:
        arguments["x"] = rest["x"] = rest["x"].swapaxes(0, 1)
    trace = getattr(rnnfast, f"{cell.function}_trace")
    for reverse in (False, True):
        wanted = trace(**arguments, **cell.options, **options, reverse=reverse)
        found = cell.prepack(arguments, reverse=reverse).trace(**rest, **options)
        assert type(found) is type(wanted)
        assert digest(found) == digest(wanted)


def test_traces_take_states_as_calls_do() -> None:
    cell = next(one for one in CELLS if one.name == "lstm")
    arguments, rest = setting(cell)
    packed = cell.prepack(arguments)
    state = rest["h0"], rest["c0"]
    assert digest(packed.trace(rest["x"], state)) == digest(packed.trace(**rest))


def test_what_has_no_trace() -> None:
    x = rng.normal(size=(5, 2, 3))
    w_ih, w_hh = rng.normal(size=(12, 3)), rng.normal(size=(12, 4))
    with pytest.raises(ValueError, match="w_ih must be one array, a trace is of one layer"):
        rnnfast.prepack("gru", [w_ih], [w_hh]).trace(x)
    with pytest.raises(ValueError, match="trace needs a cell packed without zoneout"):
        rnnfast.prepack("gru", w_ih, w_hh, zoneout=0.5).trace(x)
    with pytest.raises(ValueError, match="x must be 3-D"):
        rnnfast.prepack("gru", w_ih, w_hh).trace(x[0])


def test_files_from_several_threads(tmp_path: Any) -> None:
    packed = rnnfast.prepack("gru", rng.normal(size=(12, 3)), rng.normal(size=(12, 4)))
    path = tmp_path / "a.safetensors"
    packed.save(path)
    failed: list[Exception] = []

    def go() -> None:
        try:
            for _ in range(20):
                packed.save(path)
                assert repr(rnnfast.Prepacked.load(path)) == repr(packed)
        except Exception as error:
            failed.append(error)

    threads = [threading.Thread(target=go) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failed
