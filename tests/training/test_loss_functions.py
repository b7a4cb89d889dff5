"""Losses that are functions of one's own, misspelt attributes, and predictions that are none."""

import functools
import inspect

import numpy as np
import pytest

from rnnfast import Sequential, layers, losses

Y_TRUE = np.array([[0.0, 1.0], [2.0, 3.0], [1.0, 1.0]])
Y_PRED = np.array([[1.0, 1.0], [0.0, 3.5], [2.0, -1.0]])


def squares(y_true, y_pred, factor=1.0):
    difference = y_pred - y_true
    return factor * (difference**2).mean(axis=-1), factor * 2 * difference / y_pred.shape[-1]


@pytest.mark.parametrize("reduction", ["mean", "sum", "mean_with_sample_weight", None])
@pytest.mark.parametrize("weights", [None, [1, 0, 2]])
def test_a_function_is_a_loss(reduction, weights):
    ours = losses.LossFunctionWrapper(squares, reduction)
    theirs = losses.MeanSquaredError(reduction)
    value, grad = ours.value_and_grad(Y_TRUE, Y_PRED, weights)
    wanted, wanted_grad = theirs.value_and_grad(Y_TRUE, Y_PRED, weights)
    np.testing.assert_allclose(value, wanted, rtol=1e-14)
    np.testing.assert_allclose(grad, wanted_grad, rtol=1e-14)
    np.testing.assert_allclose(ours(Y_TRUE, Y_PRED, weights), wanted, rtol=1e-14)


def test_get_and_compile_take_functions():
    loss = losses.get(squares)
    assert isinstance(loss, losses.LossFunctionWrapper)
    assert loss.name == "squares"
    assert losses.get(functools.partial(squares, factor=2.0)).name == "squares"
    histories = []
    x, y = np.random.default_rng(0).normal(size=(8, 3, 2)), np.arange(8.0)
    model = Sequential([layers.Input((3, 2)), layers.SimpleRNN(4), layers.Dense(1)])
    weights = model.get_weights()
    for loss in (squares, "mse"):
        model.set_weights(weights)
        model.compile("sgd", loss)
        histories.append(model.fit(x, y, epochs=2, shuffle=False, verbose=0).history["loss"])
    assert histories[0] == pytest.approx(histories[1], rel=1e-6)


def test_options_of_the_function_and_config():
    loss = losses.LossFunctionWrapper(squares, name="triple", factor=3.0)
    assert loss(Y_TRUE, Y_PRED) == pytest.approx(3 * losses.get("mse")(Y_TRUE, Y_PRED))
    again = losses.LossFunctionWrapper.from_config(loss.get_config())
    assert again(Y_TRUE, Y_PRED) == loss(Y_TRUE, Y_PRED)
    assert again.name == "triple"


def test_float32_predictions_get_a_float32_gradient():
    _, grad = losses.get(squares).value_and_grad(Y_TRUE, Y_PRED.astype(np.float32), [1, 0, 2])
    assert grad.dtype == np.float32


@pytest.mark.parametrize(
    ("fn", "message"),
    [
        (lambda t, p: (p - t) ** 2, r"must return \(losses, gradient\).*; got ndarray alone"),
        (lambda t, p: None, "got NoneType alone"),
        (lambda t, p: (p, p, p), "got 3 values"),
        (lambda t, p: (np.mean(p), p), r"shape \(3,\).*got shapes \(\) and \(3, 2\)"),
        (lambda t, p: (p[:, 0], p[:, 0]), r"shape \(3, 2\); got shapes \(3,\) and \(3,\)"),
        (lambda t, p: ("a", p), "got dtypes <U1 and float64"),
    ],
)
def test_what_a_function_must_return_is_told(fn, message):
    loss = losses.get(fn)
    for call in (loss, loss.value_and_grad):
        with pytest.raises(TypeError, match=f"the loss <lambda> .*{message}"):
            call(Y_TRUE, Y_PRED)


def test_what_is_no_function_is_refused():
    with pytest.raises(TypeError, match="fn must be a function, got 3"):
        losses.LossFunctionWrapper(3)


def test_a_loss_of_another_framework_is_told_of_ours():
    class MeanSquaredError:
        def __call__(self, y_true, y_pred):
            return 0.0

    MeanSquaredError.__module__ = "keras.src.losses.losses"
    with pytest.raises(TypeError, match=r"of keras; use rnnfast's own MeanSquaredError, or extend"):
        losses.get(MeanSquaredError())


@pytest.mark.parametrize("name", ["mse", "huber", "bce"])
def test_a_misspelt_attribute_is_an_error(name):
    with pytest.raises(AttributeError, match="did you mean 'reduction'"):
        losses.get(name).reductoin = "sum"


PROBABILITIES = np.array([[0.25, 0.75], [1.0, 0.0]])


@pytest.mark.parametrize(
    ("loss", "y_true", "activation"),
    [
        ("categorical_crossentropy", np.eye(2), "softmax"),
        ("sparse_categorical_crossentropy", np.array([0, 1]), "softmax"),
        ("binary_crossentropy", np.eye(2), "sigmoid"),
    ],
)
@pytest.mark.parametrize("method", ["__call__", "value_and_grad"])
def test_predictions_that_are_no_probabilities_are_told_of_once(loss, y_true, activation, method):
    loss = losses.get(loss)
    with pytest.warns(UserWarning, match="no probabilities: one is -0.5") as caught:
        getattr(loss, method)(y_true, np.array([[-0.5, 1.5], [0.5, 0.5]]))
    assert f"activation='{activation}'" in str(caught[0].message)
    assert f"{type(loss).__name__}(from_logits=True)" in str(caught[0].message)
    getattr(loss, method)(y_true, np.array([[-0.5, 1.5], [0.5, 0.5]]))  # not again


@pytest.mark.parametrize("loss", ["categorical_crossentropy", "binary_crossentropy"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_only_the_first_batch_is_looked_at_and_probabilities_are_fine(loss, dtype):
    loss = losses.get(loss)
    loss(np.eye(2), PROBABILITIES.astype(dtype))
    loss(np.eye(2), -PROBABILITIES)


def test_rows_that_do_not_sum_to_one_and_numbers_above_one():
    with pytest.warns(UserWarning, match="a row of them sums to 2"):
        losses.get("categorical_crossentropy")(np.eye(2), 2 * PROBABILITIES)
    with pytest.warns(UserWarning, match="one is 1.5"):
        losses.get("bce")(np.eye(2), 2 * PROBABILITIES)
    losses.get("bce")(np.eye(2), np.ones((2, 2)))  # a sigmoid each


def test_a_last_layer_without_softmax_is_told_of_by_fit():
    model = Sequential([layers.Input((3, 2)), layers.GRU(4), layers.Dense(3)])
    model.compile("sgd", "categorical_crossentropy")
    x = np.random.default_rng(0).normal(size=(6, 3, 2))
    with pytest.warns(UserWarning, match="activation='softmax'.*from_logits=True"):
        model.fit(x, np.eye(3)[[0, 1, 2, 0, 1, 2]], batch_size=2, epochs=2, verbose=0)


def test_the_signature_is_that_of_the_class():
    assert list(inspect.signature(losses.Huber).parameters) == [
        "delta",
        "reduction",
        "name",
        "dtype",
    ]
