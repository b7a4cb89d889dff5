"""What is loaded, from where, and what is not."""

from __future__ import annotations

import pickle
import re

import numpy as np
import pytest

import rnnfast
from rnnfast.testing.cells import CELLS_BY_NAME
from rnnfast.weights import StackWeights, save_weights
from streams import arguments_of, stack_of, weights_of

LSTM = CELLS_BY_NAME["lstm_projected"]


def test_from_a_file(tmp_path) -> None:
    arguments = arguments_of(LSTM)
    path = tmp_path / "model.safetensors"
    save_weights(path, weights_of(LSTM, arguments))
    y = LSTM.forward(arguments).y[:, 0]
    for place in (path, str(path)):
        np.testing.assert_array_equal(rnnfast.load(place).session().run(arguments["x"][:, 0]), y)


def test_from_a_state_dict() -> None:
    arguments = arguments_of(CELLS_BY_NAME["gru"])
    named = {"weight_ih": "w_ih", "weight_hh": "w_hh", "bias_ih": "b_ih", "bias_hh": "b_hh"}
    state = {f"encoder.{name}_l0": arguments[own] for name, own in named.items()}
    x = arguments["x"][:, 0]
    y = CELLS_BY_NAME["gru"].forward(arguments).y[:, 0]
    np.testing.assert_array_equal(rnnfast.load(state).session().run(x), y)


def test_from_a_module_of_torch() -> None:
    torch = pytest.importorskip("torch", reason="no package torch of the extra hosts")
    module = torch.nn.LSTM(7, 19, num_layers=2)
    x = np.random.default_rng(0).standard_normal((30, 7)).astype(np.float32)
    with torch.no_grad():
        y = module(torch.from_numpy(x))[0].numpy()
    np.testing.assert_allclose(rnnfast.load(module).session().run(x), y, rtol=0, atol=1e-6)


def test_pickled_by_its_weights() -> None:
    arguments = arguments_of(LSTM)
    model = rnnfast.load(weights_of(LSTM, arguments))
    again = pickle.loads(pickle.dumps(model))
    x = arguments["x"][:, 0]
    np.testing.assert_array_equal(again.session().run(x), model.session().run(x))


def test_it_knows_its_sizes() -> None:
    model = rnnfast.load(weights_of(LSTM, arguments_of(LSTM, np.float64)))
    assert (model.input_size, model.output_size) == (7, 12)
    assert model.weights.hidden_size == 19 and model.dtype == np.float64
    assert model.nbytes >= 8 * 4 * 19 * (7 + 12)
    assert repr(model) == f"<Model of {model.weights!r}>"


@pytest.mark.parametrize("option", ["reverse", "bidirectional"])
def test_directions_without_a_beginning_are_refused(option: str) -> None:
    arguments = stack_of("gru", layers=2)
    weights = {name: value for name, value in arguments.items() if name != "x"}
    if option == "bidirectional":
        weights["w_ih"][1] = weights["w_ih"][0]
    message = f"weights must have {option}=False, got True: a stream has no end to begin from"
    with pytest.raises(ValueError, match=re.escape(message)):
        rnnfast.load(StackWeights("gru", **weights, **{option: True}))


def test_what_is_no_model_is_refused(tmp_path) -> None:
    cell = rnnfast.prepack(**weights_of(LSTM, arguments_of(LSTM)).arguments())
    for wrong in (None, 5, cell):
        with pytest.raises(TypeError, match=f"StackWeights, .* got {type(wrong).__name__}; Prep"):
            rnnfast.load(wrong)
    with pytest.raises(ValueError, match="no recurrent layers were found"):
        rnnfast.load({"w_ih": 1})
    with pytest.raises(TypeError, match="weights must be StackWeights, got dict"):
        rnnfast.serving.Model({"w_ih": 1})
    with pytest.raises(FileNotFoundError):
        rnnfast.load(tmp_path / "none.safetensors")


def test_precision_is_that_of_the_weights_by_default() -> None:
    for dtype, name in ((np.float32, "float32"), (np.float64, "float64")):
        weights = weights_of(LSTM, arguments_of(LSTM, dtype))
        assert rnnfast.load(weights).precision == rnnfast.load(weights, name).precision == name


def rounded(arguments: dict, precision: str) -> dict:
    """The weights that are multiplied as a precision holds them."""

    def to_bfloat16(a: np.ndarray) -> np.ndarray:
        bits = a.view(np.uint32)
        return ((bits + 0x7FFF + (bits >> 16 & 1)) & 0xFFFF0000).view(np.float32)

    convert = {
        "float16": lambda a: a.astype(np.float16).astype(np.float32),
        "bfloat16": to_bfloat16,
    }[precision]
    return {name: convert(a) if name.startswith("w_") else a for name, a in arguments.items()}


@pytest.mark.parametrize("name", ["lstm", "gru", "gru_reset_before", "rnn_tanh", "lstm_projected"])
@pytest.mark.parametrize(("precision", "off"), [("float16", 1e-5), ("bfloat16", 0.03)])
def test_weights_may_be_kept_in_half_as_many_bytes(name: str, precision: str, off: float) -> None:
    cell = CELLS_BY_NAME[name]
    arguments = arguments_of(cell, H=67)
    model = rnnfast.load(weights_of(cell, arguments), precision=precision)
    x, session, pool = arguments["x"][:, 0], model.session(), model.pool(3)
    y = session.run(x)
    want = cell.forward(rounded(arguments, precision)).y[:, 0]
    assert np.abs(y - want).max() < off
    session.reset()
    np.testing.assert_array_equal([session.step(x_t) for x_t in x], y)
    ids = [pool.open() for _ in range(3)]
    for t in range(5):
        rows = np.stack([x[t], -x[t], x[t]])
        found = pool.step(ids, rows)
        np.testing.assert_array_equal(found[0], y[t])
        np.testing.assert_array_equal(found[2], y[t])
    assert precision in repr(model) and pickle.loads(pickle.dumps(model)).precision == precision
    assert model.dtype == np.float32


@pytest.mark.parametrize(
    ("dtype", "precision", "error", "said"),
    [
        ("f4", "float64", TypeError, "that of float64 arrays, got float32 ones"),
        ("f8", "bfloat16", TypeError, "takes float32 arrays, got float64 ones"),
        ("f4", "int7", ValueError, "precision must be None or one of .*got 'int7'"),
        ("f8", "int8", TypeError, "takes float32 arrays, got float64 ones"),
        ("f4", 16, TypeError, "precision must be a str or None, got 16"),
    ],
)
def test_another_precision_is_refused(dtype: str, precision, error, said) -> None:
    weights = weights_of(LSTM, arguments_of(LSTM, np.dtype(dtype).type))
    with pytest.raises(error, match=said):
        rnnfast.load(weights, precision=precision)
