"""Attention: the equations, masks, gradients by differences, in graphs and in files."""

import copy

import numpy as np
import pytest

from rnnfast import Model, layers, load_model
from rnnfast.layers.value import Value

BATCH, QUERIES, VALUES, UNITS, WIDTH = 3, 4, 5, 6, 2
F64 = {"dtype": "float64"}
# Central differences in float64, as in test_gradients.py.
STEP, TOLERANCE = 6e-6, 1e-8

KINDS = {
    "dot": lambda **o: layers.Attention(**o, **F64),
    "scaled dot": lambda **o: layers.Attention(use_scale=True, **o, **F64),
    "concat": lambda **o: layers.Attention(score_mode="concat", **o, **F64),
    "scaled concat": lambda **o: layers.Attention(True, "concat", **o, **F64),
    "additive": lambda **o: layers.AdditiveAttention(**o, **F64),
    "unscaled additive": lambda **o: layers.AdditiveAttention(False, **o, **F64),
}
QUERY_MASK = np.arange(QUERIES) < np.array([[4], [2], [3]])
VALUE_MASK = np.arange(VALUES) < np.array([[3], [5], [1]])
VALUE_MASK[1, 2] = False


@pytest.fixture
def rng():
    return np.random.default_rng(0)


@pytest.fixture(params=KINDS.values(), ids=KINDS.keys())
def make(request):
    return request.param


def arrays(rng, width=UNITS, keyed=False):
    found = [rng.standard_normal((BATCH, QUERIES, UNITS))]
    found.append(rng.standard_normal((BATCH, VALUES, width)))
    return [*found, rng.standard_normal((BATCH, VALUES, UNITS))] if keyed else found


def built(make, x, rng, **options):
    layer = make(**options)
    layer.build([one.shape for one in x])
    layer.set_weights([rng.standard_normal(w.shape) for w in layer.get_weights()])
    return layer


def score(layer, query, key):
    """The score of one query and one key, as the papers have it."""
    weights = dict(zip(layer.weight_names, layer.get_weights(), strict=True))
    scale = weights.get("scale", 1.0)
    if isinstance(layer, layers.AdditiveAttention):
        return float(np.sum(scale * np.tanh(query + key)))
    if layer.score_mode == "dot":
        return float(scale * (query @ key))
    return float(weights["concat_score_weight"] * np.sum(np.tanh(scale * (query + key))))


def by_loops(layer, query, value, key, seen):
    """Averages and weights, a query at a time."""
    y, weights = np.zeros((*query.shape[:2], value.shape[2])), np.zeros(seen.shape)
    for b, i in np.ndindex(*query.shape[:2]):
        there = np.flatnonzero(seen[b, i])
        if not there.size:
            continue
        shares = np.exp([score(layer, query[b, i], key[b, j]) for j in there])
        weights[b, i, there] = shares / shares.sum()
        y[b, i] = weights[b, i] @ value[b]
    return y, weights


@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("masked", [False, True])
def test_the_equations(make, rng, masked, causal):
    x = arrays(rng, WIDTH, keyed=True)
    layer = built(make, x, rng)
    seen = np.ones((BATCH, QUERIES, VALUES), bool)
    seen &= VALUE_MASK[:, None] if masked else True
    seen &= np.tri(QUERIES, VALUES, dtype=bool) if causal else True
    mask = [QUERY_MASK, VALUE_MASK] if masked else None
    y, weights = layer(x, mask, return_attention_scores=True, use_causal_mask=causal)
    wanted, wanted_weights = by_loops(layer, *x, seen)
    if masked:
        wanted[~QUERY_MASK] = 0
    np.testing.assert_allclose(weights, wanted_weights, rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(y, wanted, rtol=1e-12, atol=1e-14)
    np.testing.assert_array_equal(layer(x, mask, use_causal_mask=causal), y)


def test_keys_are_the_values_where_none_are_given(make, rng):
    x = arrays(rng)
    layer = built(make, x, rng)
    np.testing.assert_array_equal(layer(x), layer([*x, x[1]]))


def test_a_query_without_values_is_given_zeros(make, rng):
    x = arrays(rng)
    nothing = np.zeros((BATCH, VALUES), bool)
    y, weights = make()(x, [None, nothing], return_attention_scores=True)
    assert not y.any()
    assert not weights.any()
    empty = make()([x[0], x[1][:, :0]])
    np.testing.assert_array_equal(empty, np.zeros_like(x[0]))


def test_scores_that_differ_by_far_do_not_overflow(rng):
    query, value = (1e4 * one.astype(np.float32) for one in arrays(rng))
    y = layers.Attention()([query, value])
    assert np.isfinite(y).all()


@pytest.mark.parametrize("keyed", [False, True])
@pytest.mark.parametrize("dropout", [0.0, 0.4])
@pytest.mark.parametrize("masked", [False, True])
def test_gradients(make, rng, keyed, dropout, masked):
    x = arrays(rng, WIDTH if keyed else UNITS, keyed)
    layer = built(make, x, rng, dropout=dropout, seed=3)
    masks = [QUERY_MASK, VALUE_MASK, None] if masked else [None] * 3
    begin = layer.get_random_state()

    def run():
        layer.set_random_state(begin)  # the same are dropped each time
        values = [Value(*one) for one in zip(x, masks, strict=False)]
        return layer.forward_vjp(values, [True] * len(x), use_causal_mask=masked)

    results, pullback = run()
    dresults = [rng.standard_normal(result.array.shape) for result in results]

    def value():
        found, _ = run()
        return sum(np.vdot(dy, one.array) for dy, one in zip(dresults, found, strict=True))

    dx, gradients = pullback(dresults)
    assert len(gradients) == len(layer.parameters)
    for array, gradient in zip([*x, *layer.parameters], [*dx, *gradients], strict=True):
        assert gradient.shape == array.shape
        before, direction = array.copy(), rng.standard_normal(array.shape)
        found = []
        for sign in (1, -1):
            array[...] = before + sign * STEP * direction
            found.append(value())
        array[...] = before
        wanted = (found[0] - found[1]) / (2 * STEP)
        assert np.vdot(gradient, direction) == pytest.approx(wanted, rel=TOLERANCE, abs=TOLERANCE)


def test_what_is_masked_has_no_gradient(make, rng):
    x = arrays(rng)
    layer = built(make, x, rng)
    values = [Value(x[0], QUERY_MASK), Value(x[1], VALUE_MASK)]
    [y, scores], pullback = layer.forward_vjp(values, [True, True])
    assert (y.mask is QUERY_MASK) and (scores.mask is QUERY_MASK)
    (dquery, dvalue), _ = pullback([np.ones_like(y.array), None])
    assert not dquery[~QUERY_MASK].any()
    assert not dvalue[~VALUE_MASK].any()
    assert dvalue[VALUE_MASK].any(axis=-1).all()


def test_a_frozen_layer_gives_no_gradients_of_its_weights(rng):
    x = arrays(rng)
    layer = built(KINDS["additive"], x, rng)
    layer.trainable = False
    y, pullback = layer.vjp(x, wrt_input=True)
    dx, gradients = pullback(np.ones_like(y))
    assert [one.shape for one in dx] == [one.shape for one in x]
    assert gradients == []


def test_dropout_is_for_training_alone(rng):
    x = arrays(rng)
    layer = layers.Attention(dropout=0.5, seed=1, **F64)
    plain = layers.Attention(**F64)
    np.testing.assert_array_equal(layer(x), plain(x))
    [_, scores], _ = layer.forward_vjp([Value(one) for one in x], [True, True])
    _, weights = plain(x, return_attention_scores=True)
    dropped = scores.array == 0
    assert 0 < dropped.mean() < 1
    np.testing.assert_allclose(scores.array[~dropped], 2 * weights[~dropped])


# ------------------------------------------------------------------------------- in a graph


def reader(attention, **call):
    """Queries and values of words, padded with 0, to averages and scores."""
    asked, read = layers.Input((None,), name="asked"), layers.Input((None,), name="read")
    q = layers.Embedding(9, UNITS, mask_zero=True, **F64)(asked)
    v = layers.LSTM(UNITS, return_sequences=True, **F64)(
        layers.Embedding(9, UNITS, mask_zero=True, **F64)(read)
    )
    y, scores = attention([q, v], return_attention_scores=True, **call)
    assert (y.shape, scores.shape) == ((None, None, UNITS), (None, None, None))
    return Model([asked, read], [layers.Dense(2, **F64)(y), scores])


@pytest.mark.parametrize("causal", [False, True])
def test_masks_travel_through_a_graph(make, rng, causal):
    model = reader(make(), use_causal_mask=causal)
    asked, read = rng.integers(1, 9, (BATCH, QUERIES)), rng.integers(1, 9, (BATCH, VALUES))
    asked[:, 3:], read[:2, 2:] = 0, 0
    _, scores = model.predict([asked, read], verbose=0)
    assert not scores[:2, :, 2:].any()
    np.testing.assert_allclose(scores.sum(axis=-1), 1)
    assert np.triu(scores[2], 1).any() == (not causal)
    again = Model.from_config(model.get_config())
    again.set_weights(model.get_weights())
    for got, wanted in zip(again([asked, read]), model([asked, read]), strict=True):
        np.testing.assert_array_equal(got, wanted)


def test_a_model_with_attention_is_trained_saved_and_served(make, rng, tmp_path):
    model = reader(make(dropout=0.1))
    model.compile("adam", ["mse", None])
    x = [rng.integers(1, 9, (8, QUERIES)), rng.integers(1, 9, (8, VALUES))]
    y = [rng.standard_normal((8, QUERIES, 2)), np.zeros((8, QUERIES, VALUES))]
    before = [w.copy() for w in model.get_weights()]
    losses = model.fit(x, y, epochs=20, verbose=0).history["loss"]
    assert losses[-1] < losses[0]
    assert all((now != then).any() for now, then in zip(model.get_weights(), before, strict=True))
    model.save(tmp_path / "model.safetensors")
    again = load_model(tmp_path / "model.safetensors")
    served = copy.deepcopy(model.prepack())
    for twin in (again, served):
        for got, wanted in zip(twin(x), model(x), strict=True):
            np.testing.assert_allclose(got, wanted, rtol=1e-12)
    with pytest.raises(ValueError, match="needs whole sequences"):
        served.step([x[0][:, 0], x[1][:, 0]])


# -------------------------------------------------------------------------------- bad input

Q, V = np.ones((2, 3, 4)), np.ones((2, 5, 4))
BAD_CALLS = [
    (Q, {}, TypeError, r"takes a list, \[query, value\] or"),
    ([Q], {}, ValueError, r"\[query, value, key\] of shapes"),
    ([Q, V, V, V], {}, ValueError, r"\[query, value, key\] of shapes"),
    ([Q, V[0]], {}, ValueError, r"got \(\(2, 3, 4\), \(5, 4\)\)"),
    ([Q, V[..., :3]], {}, ValueError, "V = D without keys"),
    ([Q, V[:1]], {}, ValueError, "of shapes"),
    ([Q, V, V[:, :4]], {}, ValueError, "of shapes"),
    ([Q, [["a"]]], {}, TypeError, "x must be"),
    ([Q, V], {"mask": np.ones((2, 3), bool)}, TypeError, "must be a list.*got ndarray"),
    ([Q, V], {"mask": [None]}, TypeError, "got 1 masks"),
    ([Q, V], {"mask": [None, np.ones((2, 3), bool)]}, ValueError, r"\(2, 5\), got \(2, 3\)"),
    ([Q, V], {"mask": [np.ones((2, 3)), None]}, TypeError, "mask must be bool"),
    ([Q, V], {"use_causal_mask": 1}, TypeError, "use_causal_mask must be True or False"),
    ([Q, V], {"return_attention_scores": None}, TypeError, "return_attention_scores must be"),
    ([layers.Input((3, 4)), V], {}, TypeError, "got ndarray among symbols"),
    (
        [layers.Input((3, 4)), layers.Input((5, 4))],
        {"mask": [None, None]},
        TypeError,
        "comes with symbols",
    ),
]


@pytest.mark.parametrize("kind", [layers.Attention, layers.AdditiveAttention])
@pytest.mark.parametrize(("x", "options", "error", "message"), BAD_CALLS)
def test_bad_calls(kind, x, options, error, message):
    layer = kind()
    with pytest.raises(error, match=message):
        layer(x, **options)
    assert layer([Q, V]).shape == (2, 3, 4)  # nothing was lost


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: layers.Attention(score_mode="cosine"), ValueError, "'dot' or 'concat', got"),
        (lambda: layers.Attention(use_scale=1), TypeError, "use_scale must be True or False"),
        (lambda: layers.Attention(dropout=1.5), ValueError, "dropout must be from 0 to 1"),
        (lambda: layers.Attention(dropuot=0.5), TypeError, "did you mean 'dropout'"),
        (lambda: layers.AdditiveAttention(score_mode="concat"), NotImplementedError, "score_mode"),
        (lambda: layers.AdditiveAttention(seed="a"), TypeError, "seed must be"),
    ],
)
def test_bad_arguments(make, error, message):
    with pytest.raises(error, match=message):
        make()


def test_additive_attention_keeps_to_the_length_it_was_built_for():
    layer = layers.AdditiveAttention()
    layer([Q, V])
    with pytest.raises(ValueError, match="built for queries of length 4"):
        layer([Q[..., :2], V[..., :2]])
