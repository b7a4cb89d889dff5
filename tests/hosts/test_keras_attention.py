"""Agreement with Keras of attention: results, scores, masks, and training in a graph."""

from __future__ import annotations

import numpy as np
import pytest

from keras_twins import (
    TOLERANCE,
    assert_same_structure,
    assert_same_weights,
    keras,
    marks,
    set_same_weights,
)
from rnnfast import Model, layers, optimizers

pytestmark = marks

BATCH, QUERIES, VALUES, UNITS, WORDS = 3, 4, 5, 6, 9
F64 = {"dtype": "float64"}

KINDS = {
    "dot": lambda kit: kit.Attention(**F64),
    "scaled dot": lambda kit: kit.Attention(use_scale=True, **F64),
    "concat": lambda kit: kit.Attention(score_mode="concat", **F64),
    "scaled concat": lambda kit: kit.Attention(True, "concat", **F64),
    "additive": lambda kit: kit.AdditiveAttention(**F64),
    "unscaled additive": lambda kit: kit.AdditiveAttention(False, **F64),
}
every_kind = pytest.mark.parametrize("make", KINDS.values(), ids=KINDS.keys())


@pytest.mark.parametrize("keyed", [False, True])
@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("causal", [False, True])
@every_kind
def test_results_and_scores_are_the_same(make, keyed, masked, causal):
    rng = np.random.default_rng(0)
    ours, theirs = make(layers), make(keras.layers)
    x = [rng.standard_normal((BATCH, n, UNITS)) for n in (QUERIES, VALUES, VALUES)[: 2 + keyed]]
    ours.build([one.shape for one in x])
    theirs.build([one.shape for one in x])
    assert ours.weight_names == [one.name for one in theirs.weights]
    set_same_weights(rng, ours, theirs)
    mask = None
    if masked:
        of_values = rng.random((BATCH, VALUES)) < 0.6
        of_values[:, 0] = True  # where none is, Keras averages over what is masked
        mask = [rng.random((BATCH, QUERIES)) < 0.6, of_values]
    options = {"return_attention_scores": True, "use_causal_mask": causal}
    got = ours(x, mask=mask, **options)
    assert_same_structure(got, theirs(x, mask=mask, **options))
    assert ours.compute_output_shape([a.shape for a in x]) == tuple(
        theirs.compute_output_shape([a.shape for a in x])
    )


def reader(kit, make, model):
    """Questions and texts of words, padded with 0, to two numbers for each word asked."""
    asked, read = kit.Input((QUERIES,), name="asked"), kit.Input((VALUES,), name="read")
    q = kit.Embedding(WORDS, UNITS, mask_zero=True, name="query", **F64)(asked)
    v = kit.Embedding(WORDS, UNITS, mask_zero=True, name="value", **F64)(read)
    v = kit.GRU(UNITS, return_sequences=True, name="gru", **F64)(v)
    attention = make(kit)
    attention.name = "attention"
    found = kit.Concatenate(name="both", **F64)([q, attention([q, v])])
    found = kit.LSTM(3, return_sequences=True, name="lstm", **F64)(found)
    return model([asked, read], kit.Dense(2, name="dense", **F64)(found))


@every_kind
def test_training_is_the_same(make):
    rng = np.random.default_rng(0)
    ours = reader(layers, make, Model)
    theirs = reader(keras.layers, make, keras.Model)
    for layer in theirs.layers[2:]:  # in another order than ours
        set_same_weights(rng, ours.get_layer(layer.name), layer)
    x = [rng.integers(1, WORDS, (BATCH, n)) for n in (QUERIES, VALUES)]
    x[0][:2, 2:], x[1][1:, 3:] = 0, 0
    y = rng.standard_normal((BATCH, QUERIES, 2))
    ours.compile(optimizers.SGD(0.1), "mse")
    theirs.compile(keras.optimizers.SGD(0.1), "mse")
    options = {"batch_size": BATCH, "epochs": 5, "shuffle": False, "verbose": 0}
    got, wanted = ours.fit(x, y, **options), theirs.fit(x, y, **options)
    np.testing.assert_allclose(got.history["loss"], wanted.history["loss"], **TOLERANCE)
    for layer in theirs.layers[2:]:
        assert_same_weights(ours.get_layer(layer.name), layer)


@every_kind
def test_configurations_are_the_same(make):
    ours, theirs = make(layers).get_config(), make(keras.layers).get_config()
    of_every_layer = {"name", "trainable", "dtype"}
    assert {key: ours[key] for key in ours.keys() - of_every_layer} == {
        key: theirs[key] for key in theirs.keys() - of_every_layer
    }
