"""Losses, their gradients and optimizers beside those of Keras 3."""

import inspect
import os

os.environ.setdefault("KERAS_BACKEND", "torch")

import keras
import numpy as np
import pytest
import torch

from rnnfast import losses, optimizers

# Keras 3.15.1 with NumPy 2 and the torch backend.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

EPS = float(np.finfo(np.float32).eps)

RNG = np.random.default_rng(3)
LABELS = RNG.integers(0, 7, (4, 5))
ONE_HOT = np.eye(7, dtype=np.float32)[LABELS]
LOGITS = (2 * RNG.normal(size=(4, 5, 7))).astype(np.float32)
SOFTMAX = np.exp(LOGITS) / np.exp(LOGITS).sum(axis=-1, keepdims=True)
SIGMOID = 1 / (1 + np.exp(-LOGITS))
# Probabilities that Keras clips, and that do not sum to one.
CLIPPED = np.where(SOFTMAX < 0.05, 0.0, SOFTMAX).astype(np.float32)

LOSSES = [
    ("MeanSquaredError", {}, ONE_HOT, LOGITS),
    ("MeanSquaredError", {"reduction": "sum"}, ONE_HOT, LOGITS),
    ("MeanSquaredError", {}, ONE_HOT[:, 0, 0], LOGITS[:, 0, :1]),
    ("MeanSquaredError", {"reduction": "sum"}, ONE_HOT[:, :, 0], LOGITS[:, :, :1]),
    ("MeanSquaredError", {}, ONE_HOT[:, :, :1], LOGITS[:, :, 0]),
    ("MeanAbsoluteError", {}, ONE_HOT, LOGITS),
    ("MeanAbsoluteError", {}, ONE_HOT[:, :, :1], LOGITS[:, :, 0]),
    ("MeanAbsoluteError", {}, ONE_HOT, ONE_HOT),
    ("Huber", {}, ONE_HOT, LOGITS),
    ("Huber", {"delta": 0.3, "reduction": "sum"}, ONE_HOT, LOGITS),
    ("SparseCategoricalCrossentropy", {}, LABELS, SOFTMAX),
    ("SparseCategoricalCrossentropy", {"ignore_class": 2}, LABELS, SOFTMAX),
    (
        "SparseCategoricalCrossentropy",
        {"ignore_class": -1, "from_logits": True, "reduction": "sum"},
        np.where(LABELS == 2, -1, LABELS),
        LOGITS,
    ),
    ("SparseCategoricalCrossentropy", {}, LABELS, CLIPPED),
    ("SparseCategoricalCrossentropy", {"reduction": "sum"}, LABELS[..., None], SOFTMAX),
    ("SparseCategoricalCrossentropy", {"from_logits": True}, LABELS, LOGITS),
    ("CategoricalCrossentropy", {}, ONE_HOT, SOFTMAX),
    ("CategoricalCrossentropy", {"label_smoothing": 0.1}, ONE_HOT, CLIPPED),
    ("CategoricalCrossentropy", {"from_logits": True}, ONE_HOT, LOGITS),
    ("CategoricalCrossentropy", {"from_logits": True, "label_smoothing": 0.1}, ONE_HOT, LOGITS),
    ("BinaryCrossentropy", {}, ONE_HOT, SIGMOID),
    ("BinaryCrossentropy", {"label_smoothing": 0.1}, ONE_HOT, CLIPPED),
    ("BinaryCrossentropy", {"from_logits": True}, ONE_HOT, LOGITS),
    ("BinaryCrossentropy", {"reduction": "sum"}, ONE_HOT[:, 0, 0], SIGMOID[:, 0, :1]),
]


# Keras divides probabilities by their sum, whatever they are, and does not say so.
UNNORMALISED = pytest.mark.filterwarnings("ignore:.*a row of them sums to:UserWarning")


@UNNORMALISED
@pytest.mark.parametrize(("name", "config", "y_true", "y_pred"), LOSSES)
def test_loss_and_gradient(name, config, y_true, y_pred):
    value, grad = getattr(losses, name)(**config).value_and_grad(y_true, y_pred)
    given = torch.tensor(y_pred, requires_grad=True)
    theirs = getattr(keras.losses, name)(**config)(y_true, given)
    theirs.backward()
    assert value == pytest.approx(theirs.item(), rel=50 * EPS)
    # Where a probability is clipped, 1 / p makes the gradient 1e7 and float32 keeps 7 digits.
    np.testing.assert_allclose(grad, given.grad.numpy(), rtol=100 * EPS, atol=10 * EPS)


# Weights of steps, and of samples, as Keras broadcasts them.
WEIGHTS = RNG.random((4, 5)).astype(np.float32) * (RNG.random((4, 5)) > 0.3)
WEIGHINGS = [
    (ONE_HOT, LABELS, LOGITS, WEIGHTS),
    (ONE_HOT, LABELS, LOGITS, WEIGHTS[..., None]),
    (ONE_HOT, LABELS, LOGITS, WEIGHTS[:, :1]),
    (ONE_HOT[:, 0], LABELS[:, 0], LOGITS[:, 0], WEIGHTS[:, 0]),
    (ONE_HOT[:, 0], LABELS[:, 0], LOGITS[:, 0], WEIGHTS[:, :1]),
    (ONE_HOT, LABELS, LOGITS, None),
]


@pytest.mark.parametrize("reduction", ["mean", "sum", "mean_with_sample_weight", "none", None])
@pytest.mark.parametrize("weighing", range(len(WEIGHINGS)))
@pytest.mark.parametrize(
    ("name", "config"),
    [
        ("MeanSquaredError", {}),
        ("MeanAbsoluteError", {}),
        ("Huber", {"delta": 0.5}),
        ("SparseCategoricalCrossentropy", {"from_logits": True}),
        ("SparseCategoricalCrossentropy", {"from_logits": True, "ignore_class": 2}),
        ("CategoricalCrossentropy", {"from_logits": True}),
        ("BinaryCrossentropy", {"from_logits": True}),
    ],
)
def test_weighted_loss_and_gradient(name, config, weighing, reduction):
    rows, labels, y_pred, weights = WEIGHINGS[weighing]
    y_true = labels if name.startswith("Sparse") else rows
    ours = getattr(losses, name)(**config, reduction=reduction)
    value, grad = ours.value_and_grad(y_true, y_pred, weights)
    given = torch.tensor(y_pred, requires_grad=True)
    if (
        np.shape(weights) == (4, 1)
        and y_pred.ndim > 2
        and (reduction == "mean_with_sample_weight" or "ignore_class" in config)
    ):
        # Keras adds up weights, and multiplies with a mask, before it broadcasts: the first is a
        # mean times the number of steps, the second an error.
        weights = np.tile(weights, (1, 5))
    theirs = getattr(keras.losses, name)(**config, reduction=reduction)(
        y_true, given, sample_weight=weights
    )
    theirs.sum().backward()
    np.testing.assert_allclose(
        value, theirs.detach().numpy().reshape(np.shape(value)), rtol=50 * EPS, atol=EPS
    )
    np.testing.assert_allclose(grad, given.grad.numpy(), rtol=100 * EPS, atol=10 * EPS)


@pytest.mark.parametrize("name", ["MeanAbsoluteError", "Huber", "SparseCategoricalCrossentropy"])
def test_losses_have_keras_arguments(name):
    ours = inspect.signature(getattr(losses, name)).parameters
    theirs = inspect.signature(getattr(keras.losses, name)).parameters
    assert [(p.name, p.default) for p in ours.values()] == [
        (p.name, p.default) for p in theirs.values()
    ]


@UNNORMALISED
@pytest.mark.parametrize(
    "name",
    [
        "mse",
        "MSE",
        "mean_squared_error",
        "mae",
        "MAE",
        "mean_absolute_error",
        "huber",
        "bce",
        "binary_crossentropy",
        "categorical_crossentropy",
    ],
)
def test_loss_by_name(name):
    theirs = keras.ops.mean(keras.losses.get(name)(ONE_HOT, SIGMOID))
    assert losses.get(name)(ONE_HOT, SIGMOID) == pytest.approx(float(theirs), rel=50 * EPS)


SHAPES = [(3, 4), (4,), (4, 5)]
CLIPPINGS = [{}, {"clipnorm": 0.5}, {"global_clipnorm": 0.5}, {"clipvalue": 0.2}]
OPTIMIZERS = [
    ("SGD", {}),
    ("SGD", {"learning_rate": 0.1, "momentum": 0.9}),
    ("SGD", {"learning_rate": 0.1, "momentum": 0.9, "nesterov": True}),
    ("RMSprop", {}),
    ("RMSprop", {"learning_rate": 0.01, "momentum": 0.5, "rho": 0.8}),
    ("RMSprop", {"learning_rate": 0.01, "momentum": 0.5, "centered": True, "epsilon": 1e-3}),
    ("Adam", {}),
    ("Adam", {"learning_rate": 0.1, "beta_1": 0.5, "beta_2": 0.9, "epsilon": 1e-2}),
    ("Adam", {"amsgrad": True}),
]


@pytest.mark.parametrize("clipping", CLIPPINGS, ids=str)
@pytest.mark.parametrize(("name", "config"), OPTIMIZERS)
def test_ten_steps(name, config, clipping):
    rng = np.random.default_rng(11)
    ours = [rng.normal(size=shape).astype(np.float32) for shape in SHAPES]
    theirs = [keras.Variable(parameter) for parameter in ours]
    optimizer = getattr(optimizers, name)(**config, **clipping)
    keras_optimizer = getattr(keras.optimizers, name)(**config, **clipping)
    for step in range(10):
        grads = [(rng.normal(size=s) * 0.5**step).astype(np.float32) for s in SHAPES]
        optimizer.apply(grads, ours)
        keras_optimizer.apply([torch.tensor(grad) for grad in grads], theirs)
    for parameter, variable in zip(ours, theirs, strict=True):
        # Keras computes 1 - beta_2**t, about 0.001 at first, in float32: it has 4 digits.
        np.testing.assert_allclose(
            parameter, keras.ops.convert_to_numpy(variable), rtol=1e-4, atol=2e-5
        )
    assert optimizer.iterations == int(keras_optimizer.iterations)


@pytest.mark.parametrize("name", ["SGD", "RMSprop", "Adam", "AdamW"])
def test_same_defaults(name):
    ours = getattr(optimizers, name)().get_config()
    theirs = getattr(keras.optimizers, name)().get_config()
    del ours["name"], theirs["name"]
    # Keras keeps the learning rate in float32.
    assert ours.pop("learning_rate") == pytest.approx(theirs.pop("learning_rate"), rel=EPS)
    assert ours == theirs
