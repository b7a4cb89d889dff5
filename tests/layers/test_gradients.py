"""Gradients of whole models by central differences, in float64."""

import numpy as np
import pytest

from rnnfast import Sequential, layers, losses
from rnnfast.layers import activations
from rnnfast.layers.value import Value
from rnnfast.training.graph import chain
from rnnfast.training.objective import Objective, Target
from rnnfast.training.samples import Batch

BATCH, STEPS, FEATURES, CLASSES, VOCABULARY = 4, 5, 3, 4, 7

# Central differences of a smooth function: error about step**2 from the cut series and eps / step
# from rounding, least where the two meet, at 6e-6 with 4e-11 left.
STEP = 6e-6
TOLERANCE = 1e-8

F64 = {"dtype": "float64"}

MODELS = {
    "simple_rnn": lambda: [layers.SimpleRNN(6, **F64), layers.Dense(CLASSES, **F64)],
    "simple_rnn_sigmoid": lambda: [layers.SimpleRNN(6, "sigmoid", **F64)],
    "lstm": lambda: [layers.LSTM(6, **F64), layers.Dense(CLASSES, **F64)],
    "projections": lambda: [
        layers.LSTM(5, projection=3, return_sequences=True, **F64),
        layers.Bidirectional(layers.LSTM(5, projection=2, return_sequences=True, **F64)),
        layers.RNN([layers.LSTMCell(5, projection=6, **F64), layers.LSTMCell(4, **F64)]),
        layers.Dense(CLASSES, **F64),
    ],
    "peepholes": lambda: [
        layers.Bidirectional(layers.LSTM(5, peephole=True, return_sequences=True, **F64)),
        layers.LSTM(4, "softsign", "hard_sigmoid", peephole=True, use_bias=False, **F64),
        layers.Dense(CLASSES, **F64),
    ],
    "layer_norms": lambda: [
        layers.LSTM(5, layer_norm=True, return_sequences=True, **F64),
        layers.Bidirectional(layers.GRU(5, layer_norm=True, return_sequences=True, **F64)),
        layers.GRU(4, layer_norm=True, use_bias=False, **F64),
        layers.Dense(CLASSES, **F64),
    ],
    "gru": lambda: [layers.GRU(6, **F64), layers.Dense(CLASSES, **F64)],
    "gru_reset_before": lambda: [layers.GRU(6, reset_after=False, **F64)],
    "light_gru": lambda: [layers.LightGRU(6, **F64)],
    "no_biases": lambda: [
        layers.LSTM(5, use_bias=False, return_sequences=True, **F64),
        layers.GRU(4, use_bias=False, return_sequences=True, **F64),
        layers.SimpleRNN(3, use_bias=False, **F64),
        layers.Dense(CLASSES, use_bias=False, **F64),
    ],
    "all_steps": lambda: [
        layers.LSTM(5, return_sequences=True, **F64),
        layers.Dense(6, "tanh", **F64),
        layers.GRU(4, return_sequences=True, **F64),
        layers.Dense(CLASSES, "sigmoid", **F64),
    ],
    "backwards": lambda: [
        layers.LSTM(5, go_backwards=True, return_sequences=True, **F64),
        layers.GRU(4, go_backwards=True, **F64),
    ],
    "bidirectional": lambda: [
        layers.Bidirectional(layers.LSTM(4, return_sequences=True, **F64)),
        layers.Bidirectional(layers.GRU(3, return_sequences=True, **F64), "mul"),
        layers.Bidirectional(layers.SimpleRNN(3, return_sequences=True, **F64), "ave"),
        layers.Bidirectional(
            layers.GRU(3, go_backwards=True, **F64), "sum", backward_layer=layers.LSTM(3, **F64)
        ),
    ],
    "masked_all_steps": lambda: [
        layers.Masking(0.0, **F64),
        layers.LSTM(5, return_sequences=True, **F64),
        layers.Dense(6, "tanh", **F64),
        layers.Bidirectional(layers.GRU(4, return_sequences=True, **F64)),
        layers.SimpleRNN(4, return_sequences=True, go_backwards=True, **F64),
        layers.TimeDistributed(layers.Dense(CLASSES, **F64)),
    ],
    "masked_last_step": lambda: [
        layers.Masking(0.0, **F64),
        layers.GRU(5, return_sequences=True, zero_output_for_mask=True, **F64),
        layers.Bidirectional(layers.LSTM(4, **F64)),
        layers.Dense(CLASSES, **F64),
    ],
    "cells_above_another": lambda: [
        layers.RNN([layers.LSTMCell(5, **F64), layers.GRUCell(4, **F64)], return_sequences=True),
        layers.Bidirectional(
            layers.RNN([layers.SimpleRNNCell(4, **F64), layers.LSTMCell(3, **F64)])
        ),
    ],
    "masked_words": lambda: [
        layers.Embedding(VOCABULARY, 5, mask_zero=True, **F64),
        layers.RNN([layers.LSTMCell(5, **F64), layers.GRUCell(4, **F64)], return_sequences=True),
        layers.Dense(CLASSES, **F64),
    ],
    "dropout_between": lambda: [
        layers.Dropout(0.2, seed=1, **F64),
        layers.LSTM(6, return_sequences=True, **F64),
        layers.Dropout(0.5, seed=2, **F64),
        layers.GRU(5, **F64),
        layers.Dropout(0.5, seed=3, **F64),
        layers.Dense(CLASSES, **F64),
    ],
    "normalized": lambda: [
        layers.LayerNormalization(**F64),
        layers.LSTM(5, return_sequences=True, **F64),
        layers.LayerNormalization(center=False, epsilon=0.1, **F64),
        layers.GRU(5, **F64),
        layers.LayerNormalization(scale=False, **F64),
        layers.Dense(5, **F64),
        layers.LayerNormalization(scale=False, center=False, **F64),
        layers.Dense(CLASSES, **F64),
    ],
    "encoder and decoder": lambda: [
        layers.LSTM(6, **F64),
        layers.RepeatVector(3, **F64),
        layers.GRU(4, return_sequences=True, **F64),
        layers.Reshape((2, -1), **F64),
        layers.SpatialDropout1D(0.3, seed=1, **F64),
        layers.Flatten(**F64),
        layers.Dense(CLASSES, **F64),
    ],
    "pooled": lambda: [
        layers.GRU(5, return_sequences=True, **F64),
        layers.GlobalAveragePooling1D(**F64),
        layers.Dense(CLASSES, **F64),
    ],
    "masked and pooled": lambda: [
        layers.Masking(0.0, **F64),
        layers.GRU(5, return_sequences=True, **F64),
        layers.LayerNormalization(**F64),
        layers.Activation("tanh", **F64),
        layers.GlobalAveragePooling1D(keepdims=True, **F64),
        layers.Dense(CLASSES, **F64),
    ],
    "embedding": lambda: [
        layers.Embedding(VOCABULARY, 5, **F64),
        layers.LSTM(6, **F64),
        layers.Dense(CLASSES, "softmax", **F64),
    ],
}


MODELS |= {
    f"activation {name}": lambda name=name: [
        layers.Dense(5, name, **F64),
        layers.LSTM(4, **F64),
        layers.Dense(5, **F64),
        layers.Activation(name, **F64),
        layers.Dense(CLASSES, **F64),
    ]
    for name in activations._BY_NAME
}


def restart_dropout(model):
    for layer in model.layers:
        if isinstance(layer, layers.Dropout):
            layer._rng = np.random.default_rng(layer.seed)


def assert_gradients(model, loss, x, y, rng):
    """Compare with differences in a random direction, one parameter at a time."""
    objective = Objective(model.graph, [Target("y", losses.get(loss))])
    batch = Batch([Value(model.input_converters[0](x))], [y], [None])

    def value():
        restart_dropout(model)
        return objective.value_and_pullback(batch)[0].loss

    restart_dropout(model)
    _, pullback = objective.value_and_pullback(batch)
    gradients = pullback()
    assert len(gradients) == len(model.parameters)
    for parameter, gradient in zip(model.parameters, gradients, strict=True):
        assert gradient.shape == parameter.shape
        assert gradient.dtype == parameter.dtype
        before, direction = parameter.copy(), rng.standard_normal(parameter.shape)
        values = []
        for sign in (1, -1):
            parameter[...] = before + sign * STEP * direction
            values.append(value())
        parameter[...] = before
        wanted = (values[0] - values[1]) / (2 * STEP)
        assert np.vdot(gradient, direction) == pytest.approx(wanted, rel=TOLERANCE, abs=TOLERANCE)


@pytest.mark.parametrize("make", MODELS.values(), ids=MODELS.keys())
def test_gradients_of_every_parameter(make):
    rng = np.random.default_rng(0)
    model = Sequential(make())
    if isinstance(model.layers[0], layers.Embedding):
        x = rng.integers(VOCABULARY, size=(BATCH, STEPS))
    else:
        x = rng.standard_normal((BATCH, STEPS, FEATURES))
    if isinstance(model.layers[0], layers.Masking):
        x[[0, 0, 1, 1, 2, 2, 2], [0, 3, 3, 4, 0, 1, 2]] = 0
    model.build((None, *x.shape[1:]))
    model.set_weights([0.7 * rng.standard_normal(w.shape) for w in model.get_weights()])
    y = rng.standard_normal(model.compute_output_shape(x.shape))
    assert_gradients(model, "mse", x, y, rng)


HEADS = {
    "softmax": ("softmax", "categorical_crossentropy"),
    "sparse softmax": ("softmax", "sparse_categorical_crossentropy"),
    "sigmoid": ("sigmoid", "binary_crossentropy"),
    "sigmoid against rows": ("sigmoid", "categorical_crossentropy"),
    "softmax against mse": ("softmax", "mse"),
    "relu": ("relu", "mse"),
}


@pytest.mark.filterwarnings("ignore:categorical_crossentropy got.*sums to:UserWarning")
@pytest.mark.parametrize("every_step", [False, True])
@pytest.mark.parametrize(("activation", "loss"), HEADS.values(), ids=HEADS.keys())
def test_gradients_of_every_head(activation, loss, every_step):
    rng = np.random.default_rng(1)
    model = Sequential(
        [
            layers.Input((STEPS, FEATURES)),
            layers.GRU(6, return_sequences=every_step, **F64),
            layers.Dense(CLASSES, activation, **F64),
        ]
    )
    model.set_weights([0.7 * rng.standard_normal(w.shape) for w in model.get_weights()])
    shape = (BATCH, STEPS, CLASSES)[:: 1 if every_step else 2]
    y = rng.integers(CLASSES, size=shape[:-1])
    if not loss.startswith("sparse"):
        y = np.eye(CLASSES)[y]
    x = rng.standard_normal((BATCH, STEPS, FEATURES))
    assert_gradients(model, loss, x, y, rng)


@pytest.mark.parametrize("activation", ["linear", "relu", "sigmoid", "tanh", "softmax"])
@pytest.mark.parametrize("shape", [(4, 3), (4, 5, 3), (2, 3, 4, 3)])
def test_gradients_by_the_input_of_dense(activation, shape):
    rng = np.random.default_rng(2)
    dense = layers.Dense(4, activation, **F64)
    dense.build(shape)
    x, direction = rng.standard_normal(shape), rng.standard_normal(shape)
    y, pullback = dense.vjp(x, wrt_input=True)
    dy = rng.standard_normal(y.shape)
    dx, _ = pullback(dy)
    differences = dense.call(x + STEP * direction) - dense.call(x - STEP * direction)
    wanted = np.vdot(dy, differences) / (2 * STEP)
    assert np.vdot(dx, direction) == pytest.approx(wanted, rel=TOLERANCE, abs=TOLERANCE)


def test_nothing_is_asked_of_what_lies_below_the_first_weights():
    asked = []

    class Asked(layers.Dense):
        def vjp(self, x, *, wrt_input):
            asked.append(wrt_input)
            return super().vjp(x, wrt_input=wrt_input)

    links = [layers.Dropout(0.5), Asked(3), Asked(2)]
    model = Sequential([layers.Input((4,)), *links])
    x = np.ones((2, 4), np.float32)
    [(y, _)], pullback = chain(model.layers).vjp([Value(x)])
    assert asked == [False, True]
    assert [g.shape for g in pullback([np.ones_like(y)])] == [p.shape for p in model.parameters]
