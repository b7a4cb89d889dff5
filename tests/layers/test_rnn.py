"""RNN: cells one above another are layers one above another."""

import re

import numpy as np
import pytest

from rnnfast import Sequential, layers

F64 = {"dtype": "float64"}
X = np.random.default_rng(0).standard_normal((3, 5, 4))
CELLS = {
    "SimpleRNN": (layers.SimpleRNNCell, layers.SimpleRNN),
    "LSTM": (layers.LSTMCell, layers.LSTM),
    "GRU": (layers.GRUCell, layers.GRU),
}
every_cell = pytest.mark.parametrize(("cell", "kind"), CELLS.values(), ids=CELLS.keys())


def refused(error, message):
    return pytest.raises(error, match=f"^{re.escape(message)}")


def stack():
    return [layers.LSTMCell(6, **F64), layers.GRUCell(5, **F64), layers.LSTMCell(3, **F64)]


@pytest.mark.parametrize("return_sequences", [False, True])
@every_cell
def test_one_cell_is_its_layer(cell, kind, return_sequences):
    layer = layers.RNN(cell(6, use_bias=False, **F64), return_sequences=return_sequences)
    plain = kind(6, use_bias=False, return_sequences=return_sequences, **F64)
    layer.build(X.shape)
    plain.build(X.shape)
    plain.set_weights(layer.get_weights())
    np.testing.assert_array_equal(layer(X), plain(X))


@pytest.mark.parametrize("back", [False, True])
def test_cells_above_another_are_layers_above_another(back):
    layer = layers.RNN(stack(), return_sequences=True, go_backwards=back)
    layer.build(X.shape)
    y, pullback = layer.vjp(X, wrt_input=True)
    kinds = [layers.LSTM(6, **F64), layers.GRU(5, **F64), layers.LSTM(3, **F64)]
    for part in kinds:
        part.return_sequences = True
    model = Sequential([layers.Input((5, 4)), *kinds])
    model.set_weights(layer.get_weights())
    seen = X[:, ::-1] if back else X
    np.testing.assert_array_equal(y, model(seen))
    np.testing.assert_array_equal(layer(X), y)
    dx, gradients = pullback(np.cos(y))
    arrays, pullbacks = seen, []
    for part in model.layers:
        arrays, pull = part.vjp(arrays, wrt_input=True)
        pullbacks.append(pull)
    dy, wanted = np.cos(y), []
    for pull in reversed(pullbacks):
        dy, own = pull(dy)
        wanted = own + wanted
    np.testing.assert_array_equal(dx, dy[:, ::-1] if back else dy)
    for got, want in zip(gradients, wanted, strict=True):
        np.testing.assert_array_equal(got, want)


def test_states_of_a_list_of_cells_come_in_lists():
    layer = layers.RNN(stack(), return_state=True)
    y, *states = layer(X)
    sizes = [[6, 6], [5], [3, 3]]
    assert [[array.shape for array in of_cell] for of_cell in states] == [
        [(3, size) for size in of_cell] for of_cell in sizes
    ]
    assert layer.compute_output_shape(X.shape) == (
        (3, 3),
        *([(3, size) for size in of_cell] for of_cell in sizes),
    )
    np.testing.assert_array_equal(y, states[2][0])
    again, *_ = layer(X, initial_state=states)
    assert (again != y).any()
    one, h, c = layers.RNN(layers.LSTMCell(4), return_state=True)(X)
    assert one.shape == h.shape == c.shape == (3, 4)
    _, of_first = layers.RNN([layers.LSTMCell(4)], return_state=True)(X)
    assert len(of_first) == 2


def test_what_cells_tell():
    assert layers.LSTMCell(4).state_size == [4, 4]
    assert layers.GRUCell(4).state_size == 4
    assert layers.StackedRNNCells(stack()).state_size == [[6, 6], 5, [3, 3]]
    assert repr(layers.GRUCell(4, name="mine")) == "<GRUCell name=mine, units=4>"


def test_weights_have_names_and_are_saved(tmp_path):
    cells = [layers.GRUCell(3), layers.GRUCell(3), layers.SimpleRNNCell(2, use_bias=False)]
    model = Sequential([layers.Input((5, 4)), layers.RNN(cells), layers.Dense(1)])
    names = model.layers[0].weight_names
    assert names[::3] == ["gru_cell/kernel", "gru_cell_1/kernel", "simple_rnn_cell/kernel"]
    assert all(not cell.layer.built for cell in cells)
    path = tmp_path / "model.weights.safetensors"
    model.save_weights(path)
    wanted = model.predict(X, verbose=0)
    model.set_weights([np.zeros_like(w) for w in model.get_weights()])
    model.load_weights(path)
    np.testing.assert_array_equal(model.predict(X, verbose=0), wanted)
    printed = []
    model.summary(print_fn=printed.append)
    assert "(RNN)" in printed[0]
    assert "(None, 2)" in printed[0]


def test_both_directions_have_weights_and_states_of_their_own():
    layer = layers.Bidirectional(layers.RNN(stack(), stateful=True))
    layer(X)
    assert not np.array_equal(layer.get_weights()[0], layer.get_weights()[9])
    assert layer.weight_names[9] == "backward_lstm_cell/kernel"
    assert len(layer.states) == 10
    assert not np.array_equal(layer.states[0], layer.states[5])


def test_each_cell_drops_inputs_of_its_own():
    x = np.ones((4, 5, 8), np.float32)
    cells = [layers.LSTMCell(8, seed=1, dropout=0.5), layers.GRUCell(8, seed=2, dropout=0.5)]
    layer = layers.RNN(cells)
    layer.build(x.shape)
    plain = layers.RNN([layers.LSTMCell(8), layers.GRUCell(8)])
    plain.build(x.shape)
    plain.set_weights(layer.get_weights())
    np.testing.assert_array_equal(layer(x), plain(x))
    first, second = (layer.vjp(x, wrt_input=False)[0] for _ in range(2))
    assert (first != second).any()


def test_refused():
    cell = layers.GRUCell(3)
    with refused(TypeError, "a cell must be a SimpleRNNCell, LSTMCell or GRUCell, got GRU"):
        layers.RNN(layers.GRU(3))
    with refused(TypeError, "a cell must be a SimpleRNNCell, LSTMCell or GRUCell, got int"):
        layers.RNN([cell, 3])
    with refused(ValueError, "cells must be one cell at least, got none"):
        layers.RNN([])
    with refused(ValueError, "cells must be different objects, got one twice; weights are not"):
        layers.RNN([cell, cell])
    with refused(ValueError, "cells must have one dtype, got float32 and float64"):
        layers.StackedRNNCells([cell, layers.GRUCell(3, **F64)])
    with refused(ValueError, "dtype must be that of the cells, float32, got float64"):
        layers.RNN(cell, dtype="float64")
    with refused(TypeError, "GRUCell got an unexpected argument 'return_sequences'; pass"):
        layers.GRUCell(3, return_sequences=True)
    with refused(TypeError, "LSTM got an unexpected argument 'unitz'"):
        layers.LSTMCell(3, unitz=3)
    with refused(ValueError, "units must be a positive integer, got 0"):
        layers.SimpleRNNCell(0)
    with refused(ValueError, "name must be a non-empty string"):
        layers.SimpleRNNCell(3, name="a/b")
    with refused(TypeError, "stateful must be True or False, got 1"):
        layers.RNN(cell, stateful=1)
    layer = layers.RNN(cell, name="mine")
    with refused(ValueError, "the input of layer 'mine' must be (batch, time, features)"):
        layer(np.ones((3, 4)))
    layer(np.ones((3, 5, 4)))
    with pytest.raises(ValueError, match="was built for inputs with 4 features"):
        layer(np.ones((3, 5, 3)))
