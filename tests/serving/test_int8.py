"""Streams in products of bytes: the bits of `prepack(precision="int8")`, and what these refuse."""

from __future__ import annotations

import copy
import pickle
import re

import numpy as np
import pytest

import rnnfast
from rnnfast import QuantizedWeight
from rnnfast.testing.cells import CELLS_BY_NAME
from rnnfast.weights import StackWeights, read_weights, save_weights
from streams import arguments_of, as_tuple, assert_states_equal, stack_of, weights_of

BOUNDED = ["lstm", "gru", "gru_reset_before", "rnn_tanh"]


def packed(weights: StackWeights) -> rnnfast.Prepacked:
    return rnnfast.prepack(**weights.arguments(), precision="int8")


def steps_of(cell: rnnfast.Prepacked, x: np.ndarray) -> np.ndarray:
    """h of the last layer after each step of one stream, x (T, I)."""
    found, state = [], None
    for x_t in x:
        state = cell.step(x_t[None], state)
        h = as_tuple(state)[0]
        found.append(h[0] if h.ndim == 2 else h[-1, 0])
    return np.stack(found)


def check_streams(weights: StackWeights, x: np.ndarray) -> None:
    """Sessions and pools of a model, step by step and at once, beside the packed cell's steps."""
    model, want = rnnfast.load(weights, precision="int8"), steps_of(packed(weights), x)
    assert model.precision == "int8" and model.dtype == np.float32 and "int8" in repr(model)
    session, pool = model.session(), model.pool(4)
    np.testing.assert_array_equal([session.step(x_t) for x_t in x], want)
    other = model.session()
    np.testing.assert_array_equal(other.run(x), want)
    assert_states_equal(session.state(), other.state())
    ids = [pool.open() for _ in range(3)]
    for t, x_t in enumerate(x[:20]):
        got = pool.step(ids, np.stack([x_t, -2 * x_t, x_t]))
        np.testing.assert_array_equal(got[[0, 2]], want[[t, t]])
    late = pool.open()
    chunk = np.stack([x, x], axis=1)
    chunk[: len(x) - 20, 0] = x[20:]
    y = pool.run([ids[0], late], chunk, lengths=[len(x) - 20, len(x)])
    np.testing.assert_array_equal(y[: len(x) - 20, 0], want[20:])
    np.testing.assert_array_equal(y[:, 1], want)


@pytest.mark.parametrize("name", BOUNDED)
@pytest.mark.parametrize("H", [19, 67])
def test_streams_have_the_bits_of_packed_cells(name: str, H: int) -> None:
    arguments = arguments_of(CELLS_BY_NAME[name], H=H)
    check_streams(weights_of(CELLS_BY_NAME[name], arguments), arguments["x"][:, 0])


@pytest.mark.parametrize("function", ["lstm", "gru"])
def test_layers(function: str) -> None:
    arguments = stack_of(function, zoneout=0.25)
    weights = {name: value for name, value in arguments.items() if name != "x"}
    check_streams(StackWeights(function, **weights), arguments["x"][:, 0])


def test_weights_take_a_quarter() -> None:
    weights = weights_of(CELLS_BY_NAME["lstm"], arguments_of(CELLS_BY_NAME["lstm"], I=64, H=64))
    assert rnnfast.load(weights, "int8").nbytes < 0.3 * rnnfast.load(weights).nbytes


@pytest.mark.parametrize(
    "name", ["rnn_relu", "mgu", "light_gru", "lstm_projected", "lstm_peephole", "gru_norm"]
)
def test_what_packed_cells_refuse_is_refused_alike(name: str) -> None:
    weights = weights_of(CELLS_BY_NAME[name], arguments_of(CELLS_BY_NAME[name]))
    with pytest.raises(ValueError, match='precision="int8" needs a cell that keeps h') as said:
        packed(weights)
    with pytest.raises(ValueError, match=re.escape(str(said.value))):
        rnnfast.load(weights, precision="int8")


def test_a_state_beyond_one_is_refused_and_changes_nothing() -> None:
    arguments = stack_of("lstm", layers=2)
    x = arguments.pop("x")[:, 0]
    model = rnnfast.load(StackWeights("lstm", **arguments), "int8")
    session, pool = model.session(), model.pool(2)
    a = pool.open()
    session.run(x[:9])
    pool.reset(a, session.state())
    before = session.state()
    h, c = copy.deepcopy(before)
    h[1, 3] = -1.5  # in the upper layer: the lower one must stay as well
    message = 'state h must lie within -1 and 1 for weights packed with precision="int8"'
    for call in (session.reset, lambda state: pool.reset(a, state), pool.open):
        with pytest.raises(ValueError, match=re.escape(message)):
            call((h, c))
    assert len(pool) == 1
    assert_states_equal(session.state(), before)
    assert_states_equal(pool.state(a), before)
    h[1, 3] = np.nan
    session.reset((h, 3 * c))
    assert np.isnan(session.step(x[0])).any()


def quantized(seed: int = 0) -> tuple[StackWeights, np.ndarray]:
    """Layers whose matrices came quantized, in ranges that they do not fill, and x (T, I)."""
    rng = np.random.default_rng(seed)

    def matrix(rows: int, columns: int) -> QuantizedWeight:
        values = rng.integers(-90, 91, (rows, columns)).astype(np.int8)
        return QuantizedWeight(values, rng.uniform(0.002, 0.02, rows))

    weights = StackWeights(
        "gru", [matrix(57, n) for n in (7, 19)], [matrix(57, 19) for _ in range(2)]
    )
    return weights, rng.standard_normal((47, 7)).astype(np.float32)


def test_quantized_weights_are_multiplied_as_they_came() -> None:
    weights, x = quantized()
    check_streams(weights, x)
    assert rnnfast.load(weights).precision == "int8"
    assert rnnfast.load(weights, "float32").precision == "float32"
    again = pickle.loads(pickle.dumps(rnnfast.load(weights)))
    np.testing.assert_array_equal(again.session().run(x), rnnfast.load(weights).session().run(x))


def test_quantized_weights_are_bytes_in_a_file(tmp_path) -> None:
    weights, x = quantized()
    floats = StackWeights("gru", *(
        [np.asarray(getattr(layer, name)) for (layer,) in weights.layers]
        for name in ("w_ih", "w_hh")
    ))  # fmt: skip
    for name, one in (("bytes", weights), ("floats", floats)):
        save_weights(tmp_path / f"{name}.safetensors", one)
    sizes = [(tmp_path / f"{n}.safetensors").stat().st_size for n in ("bytes", "floats")]
    assert sizes[0] < 0.6 * sizes[1]
    want = steps_of(packed(weights), x)
    model = rnnfast.load(tmp_path / "bytes.safetensors")
    assert model.precision == "int8"
    np.testing.assert_array_equal(model.session().run(x), want)
    packed(weights).save(tmp_path / "again.safetensors")
    cell = rnnfast.Prepacked.load(tmp_path / "again.safetensors")
    np.testing.assert_array_equal(steps_of(cell, x), want)
    read = read_weights(tmp_path / "bytes.safetensors")
    for one, scales in zip(weights.scales, read.scales, strict=True):
        np.testing.assert_array_equal(one.w_hh, scales.w_hh)


def test_a_file_without_its_scales_is_damaged(tmp_path) -> None:
    from safetensors import safe_open
    from safetensors.numpy import load_file, save_file

    weights, _ = quantized()
    path = tmp_path / "weights.safetensors"
    save_weights(path, weights)
    with safe_open(path, "np") as file:
        note = file.metadata()
    for change, said in (
        ({"weight_ih_l0_scale": None}, "weight_ih|w_ih"),
        ({"weight_ih_l0": None}, "weight_ih_l0"),
        ({"weight_ih_l0_scale": np.zeros(57, np.float32)}, "scale must be more than 0"),
        ({"weight_ih_l0_scale": np.ones(5, np.float32)}, "scale must be one number or"),
    ):
        arrays = {name: a for name, a in {**load_file(path), **change}.items() if a is not None}
        save_file(arrays, tmp_path / "damaged.safetensors", note)
        with pytest.raises(ValueError, match=said):
            read_weights(tmp_path / "damaged.safetensors")
