"""Losses and metrics of a model whose output is masked: those of what remains."""

import re

import numpy as np
import pytest

from rnnfast import Sequential, layers, losses
from rnnfast.layers.value import Value
from rnnfast.training.objective import Objective, Target
from rnnfast.training.samples import Batch

SAMPLES, STEPS, VOCABULARY, CLASSES = 6, 5, 4, 3
F64 = {"dtype": "float64"}
RNG = np.random.default_rng(0)
WORDS = RNG.integers(VOCABULARY, size=(SAMPLES, STEPS))
LABELS = RNG.integers(CLASSES, size=WORDS.shape)


def tagger(activation="softmax"):
    return Sequential(
        [
            layers.Input((STEPS,)),
            layers.Embedding(VOCABULARY, 3, mask_zero=True, **F64),
            layers.GRU(4, return_sequences=True, **F64),
            layers.Dense(CLASSES, activation, **F64),
        ]
    )


def batch(words=WORDS, labels=LABELS):
    return Batch([Value(words)], [labels], [None])


@pytest.mark.parametrize("reduction", ["sum_over_batch_size", "sum"])
@pytest.mark.parametrize("activation", ["softmax", "linear"])
def test_the_loss_is_that_of_the_steps_that_are_there(activation, reduction):
    model = tagger(activation)
    loss = losses.SparseCategoricalCrossentropy(
        from_logits=activation == "linear", reduction=reduction
    )
    valid = WORDS != 0
    wanted, of_valid = loss.value_and_grad(LABELS[valid], model(WORDS)[valid])
    objective = Objective(model.graph, [Target("y", loss)])
    value, _, _, _, [output] = objective.value(batch())
    assert value == pytest.approx(wanted, rel=1e-12)
    np.testing.assert_array_equal(output.mask, valid)
    np.testing.assert_allclose(objective.predictions(0, output.array), model(WORDS), rtol=1e-12)
    trained, pullback = objective.value_and_pullback(batch())
    assert trained.loss == pytest.approx(wanted, rel=1e-12)
    bias = pullback()[-1]
    if activation == "linear":
        np.testing.assert_allclose(bias, of_valid.sum(axis=0), rtol=1e-12)


def test_targets_of_masked_steps_count_for_nothing():
    results = []
    model = tagger()
    weights = model.get_weights()
    for filling in (0, CLASSES - 1):
        model.set_weights(weights)
        model.compile("sgd", "sparse_categorical_crossentropy", metrics=["accuracy"])
        labels = np.where(WORDS == 0, filling, LABELS)
        logs = model.evaluate(WORDS, labels, batch_size=4, verbose=0)
        history = model.fit(WORDS, labels, epochs=2, shuffle=False, verbose=0).history
        results.append([*logs, *history["loss"], *history["accuracy"]])
    assert results[0] == results[1]


def test_accuracy_counts_the_steps_that_are_there():
    model = tagger()
    model.compile("sgd", "sparse_categorical_crossentropy", metrics=["accuracy"])
    right = model.predict(WORDS, verbose=0).argmax(axis=-1)
    wrong = (right + 1) % CLASSES
    assert model.evaluate(WORDS, np.where(WORDS == 0, wrong, right), verbose=0)[1] == 1
    _, half = model.evaluate(WORDS, np.where(WORDS == 1, wrong, right), batch_size=2, verbose=0)
    assert half == pytest.approx(1 - (WORDS == 1).sum() / (WORDS != 0).sum(), rel=1e-12)


def test_a_batch_of_nothing_has_no_loss_and_no_gradient():
    model = tagger()
    loss = losses.get("sparse_categorical_crossentropy")
    objective = Objective(model.graph, [Target("y", loss)])
    valued, pullback = objective.value_and_pullback(batch(np.zeros_like(WORDS)))
    assert valued.loss == 0
    assert not any(gradient.any() for gradient in pullback())


def test_targets_have_the_steps_of_the_mask():
    model = tagger()
    model.compile("sgd", "sparse_categorical_crossentropy")
    message = "y_pred is masked, so that y_true must have a target for each of the "
    with pytest.raises(ValueError, match=re.escape(f"{message}steps (6, 5), got (6, 4)")):
        model.fit(WORDS, LABELS[:, 1:], verbose=0)


def test_without_a_mask_all_steps_count():
    model = Sequential(
        [
            layers.Input((STEPS,)),
            layers.Embedding(VOCABULARY, 3, mask_zero=True, **F64),
            layers.GRU(4, **F64),
            layers.Dense(CLASSES, "softmax", **F64),
        ]
    )
    loss = losses.get("sparse_categorical_crossentropy")
    objective = Objective(model.graph, [Target("y", loss)])
    value, _, _, _, [output] = objective.value(batch(labels=LABELS[:, 0]))
    assert output.mask is None
    assert value == pytest.approx(loss(LABELS[:, 0], model(WORDS)), rel=1e-12)
