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
    with pytest.raises(TypeError, match="weights must be StackWeights, got dict"):
        rnnfast.load({"w_ih": 1})
    with pytest.raises(FileNotFoundError):
        rnnfast.load(tmp_path / "none.safetensors")


@pytest.mark.parametrize("precision", [None, "float32"])
def test_precision_is_that_of_the_weights(precision) -> None:
    weights = weights_of(LSTM, arguments_of(LSTM))
    assert rnnfast.load(weights, precision=precision).dtype == np.float32


def test_another_precision_is_refused() -> None:
    weights = weights_of(LSTM, arguments_of(LSTM))
    with pytest.raises(ValueError, match="precision must be None or 'float32'"):
        rnnfast.load(weights, precision="float64")
