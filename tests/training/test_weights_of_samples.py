"""What losses and metrics count: weights of samples, steps, classes and outputs."""

import numpy as np
import pytest

from rnnfast import Model, Sequential, layers, metrics, optimizers

F64 = {"dtype": "float64"}
SAMPLES, STEPS, CLASSES = 6, 4, 3


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def classifier(per_step=False, mask=False, metric=None):
    masking = [layers.Masking(**F64)] if mask else []
    model = Sequential(
        [
            layers.Input((STEPS, 2)),
            *masking,
            layers.GRU(4, return_sequences=per_step, **F64),
            layers.Dense(CLASSES, "softmax", **F64),
        ]
    )
    model.compile(optimizers.SGD(0.1), "sparse_categorical_crossentropy", weighted_metrics=metric)
    return model


def two_outputs(**choices):
    x = layers.Input((2,))
    a = layers.Dense(1, name="a", **F64)(x)
    b = layers.Dense(2, name="b", **F64)(x)
    model = Model(x, [a, b])
    model.compile(optimizers.SGD(0.0), **choices)
    return model


def test_class_weights_are_weights_of_samples(rng):
    x, y = rng.standard_normal((SAMPLES, STEPS, 2)), np.array([0, 1, 2, 2, 0, 1])
    by_class = {0: 0.5, 2: 3}
    weights = np.array([0.5, 1, 3, 3, 0.5, 1])
    model = classifier()
    wanted = model.evaluate(x, y, sample_weight=weights, verbose=0)
    options = {"class_weight": by_class, "shuffle": False, "verbose": 0}
    for targets in (y, y[:, None], y.tolist(), y.astype(float), y.astype(np.int8)):
        model = classifier_like(model)
        assert model.fit(x, targets, **options).history["loss"] == [wanted]
    own = rng.random(SAMPLES)
    wanted = model.evaluate(x, y, sample_weight=weights * own, verbose=0)
    for given in (own, own[:, None]):
        model = classifier_like(model)
        got = model.fit(x, y, sample_weight=given.reshape(-1), **options).history["loss"]
        assert got == [pytest.approx(wanted, rel=1e-12)]


def classifier_like(model):
    """An equal model, that trains with a rate of zero."""
    model.compile(optimizers.SGD(0.0), model.loss)
    return model


def test_class_weights_of_one_hot_targets(rng):
    x, y = rng.standard_normal((SAMPLES, STEPS, 2)), np.array([0, 1, 2, 2, 0, 1])
    model = classifier_like(classifier())
    wanted = model.fit(x, y, class_weight={1: 4}, verbose=0).history["loss"]
    model.compile(optimizers.SGD(0.0), "categorical_crossentropy")
    got = model.fit(x, np.eye(CLASSES)[y], class_weight={1: 4}, verbose=0).history["loss"]
    assert got == pytest.approx(wanted, rel=1e-12)


def test_class_weights_of_steps(rng):
    """Also where labels of steps look like one row of a one-hot target: one event a sequence."""
    x, y = rng.standard_normal((SAMPLES, STEPS, 2)), np.eye(STEPS, dtype=int)[[0, 1, 2, 3, 0, 1]]
    model = classifier_like(classifier(per_step=True))
    wanted = model.evaluate(x, y, sample_weight=np.where(y, 5.0, 1.0), verbose=0)
    assert model.fit(x, y, class_weight={1: 5}, shuffle=False, verbose=0).history["loss"] == [
        wanted
    ]
    of_samples = rng.random(SAMPLES)
    weights = np.where(y, 5.0, 1.0) * of_samples[:, None]
    wanted = model.evaluate(x, y, sample_weight=weights, verbose=0)
    options = {"class_weight": {1: 5}, "shuffle": False, "verbose": 0}
    got = model.fit(x, y, sample_weight=of_samples, **options).history["loss"]
    assert got == [pytest.approx(wanted, rel=1e-12)]


def test_large_class_numbers_take_no_memory(rng):
    model = Sequential([layers.Input((2,)), layers.Dense(1, **F64)])
    model.compile("sgd", "mse")
    y = np.array([0, 2**40])
    assert len(model.fit(np.ones((2, 2)), y, class_weight={2**41: 2}, verbose=0).history) == 1


def test_weights_of_masked_steps_count_for_nothing(rng):
    x = rng.standard_normal((SAMPLES, STEPS, 2))
    x[:3, 2:] = 0
    y = rng.integers(CLASSES, size=(SAMPLES, STEPS))
    weights = rng.random((SAMPLES, STEPS))
    model = classifier(per_step=True, mask=True, metric=["accuracy"])
    got = model.evaluate(x, y, sample_weight=weights, verbose=0)
    weights[:3, 2:] = 1e9
    assert model.evaluate(x, y, sample_weight=weights, verbose=0) == got
    probabilities = np.take_along_axis(model(x), y[..., None], axis=-1)[..., 0]
    there = (x != 0).any(axis=-1)
    losses = -np.log(probabilities[there])
    assert got[0] == pytest.approx((losses * weights[there]).sum() / there.sum(), rel=1e-9)
    hits = (model(x).argmax(axis=-1) == y)[there]
    assert got[1] == pytest.approx(np.average(hits, weights=weights[there]), rel=1e-9)


def test_weights_count_for_weighted_metrics_alone(rng):
    x, y, w = rng.standard_normal((SAMPLES, 2)), rng.standard_normal(SAMPLES), rng.random(SAMPLES)
    model = Sequential([layers.Input((2,)), layers.Dense(1, **F64)])
    model.compile("sgd", "mse", metrics=["mae"], weighted_metrics=["mae", "mse"])
    logs = model.evaluate(x, y, sample_weight=w, batch_size=4, verbose=0, return_dict=True)
    error = model(x)[:, 0] - y
    assert list(logs) == ["loss", "mae", "weighted_mae", "mse"]
    assert logs["mae"] == pytest.approx(np.abs(error).mean(), rel=1e-12)
    assert logs["weighted_mae"] == pytest.approx(np.average(np.abs(error), weights=w), rel=1e-12)
    assert logs["mse"] == pytest.approx(np.average(error**2, weights=w), rel=1e-12)


def test_one_weight_for_each_sample_is_for_all_outputs(rng):
    x, a, b = rng.standard_normal((5, 2)), rng.standard_normal((5, 1)), rng.standard_normal((5, 2))
    w = rng.random(5)
    model = two_outputs(loss="mse")
    wanted = model.evaluate(x, [a, b], sample_weight=[w, w], verbose=0)
    for given in (w, w[:, None], {"b": w, "a": w}):
        assert model.evaluate(x, [a, b], sample_weight=given, verbose=0) == wanted
    only = model.evaluate(x, [a, b], sample_weight=[None, w], verbose=0)
    assert only[2] == wanted[2] and only[1] != wanted[1]


def test_losses_by_output(rng):
    x, a, b = rng.standard_normal((5, 2)), rng.standard_normal((5, 1)), rng.standard_normal((5, 2))
    y = {"b": b, "a": a}
    model = two_outputs(loss="mse")
    base = model.evaluate(x, y, verbose=0, return_dict=True)
    assert list(base) == ["loss", "a_loss", "b_loss"]
    assert base["loss"] == pytest.approx(base["a_loss"] + base["b_loss"], rel=1e-12)

    def again(**choices):
        model.compile(optimizers.SGD(0.0), **choices)
        return model.fit(x, y, shuffle=False, verbose=0).history

    weighted = again(loss={"a": "mse", "b": "mae"}, loss_weights={"b": 0.25})
    assert weighted["a_loss"] == [base["a_loss"]]
    assert weighted["loss"] == [
        pytest.approx(weighted["a_loss"][0] + 0.25 * weighted["b_loss"][0], rel=1e-12)
    ]
    assert again(loss=["mse", "mae"], loss_weights=[1, 0.25]) == weighted
    # A loss that is alone is all there is to tell.
    assert again(loss=["mse", None]) == {"loss": [base["a_loss"]]}
    assert again(loss={"a": "mse"}, loss_weights=[3, 1])["loss"] == [
        pytest.approx(3 * base["a_loss"], rel=1e-12)
    ]
    told = again(loss="mse", metrics={"b": ["mae", metrics.MeanSquaredError()]})
    assert list(told) == ["loss", "a_loss", "b_loss", "b_mae", "b_mean_squared_error"]
    told = again(loss="mse", metrics=["mae", ["mse", "mae"]], weighted_metrics=[None, ["mae"]])
    assert list(told)[3:] == ["a_mae", "b_mae", "b_mse", "b_weighted_mae"]
    model.compile("sgd", "mse", loss_weights=2.0, metrics=None)


def test_one_output_by_its_name(rng):
    x, y = rng.standard_normal((5, 2)), rng.standard_normal((5, 1))
    model = Sequential([layers.Input((2,)), layers.Dense(1, name="d", **F64)])
    model.compile("sgd", {"d": "mse"}, loss_weights=2, metrics={"d": ["mae"]})
    logs = model.evaluate(x, {"d": y}, verbose=0, return_dict=True)
    assert list(logs) == ["loss", "mae"]
    model.compile("sgd", "mse", loss_weights=[2], metrics=[["mae"]])
    assert model.evaluate(x, y, verbose=0, return_dict=True) == logs
    model.compile("sgd", "mse")
    assert logs["loss"] == pytest.approx(2 * model.evaluate(x, y, verbose=0), rel=1e-12)


def test_penalties_are_in_the_loss_and_in_no_output(rng):
    x, y = rng.standard_normal((5, 2)), rng.standard_normal((5, 1))
    i = layers.Input((2,))
    h = layers.Dense(3, kernel_regularizer="l2", name="h", **F64)(i)
    frozen = layers.Dense(3, kernel_regularizer="l2", trainable=False, **F64)(i)
    model = Model(i, [layers.Dense(1, **F64)(h), layers.Dense(1, **F64)(frozen)])
    model.compile("sgd", "mse")
    loss, first, second = model.evaluate(x, [y, y], verbose=0)
    penalty = 0.01 * (model.get_layer("h").get_weights()[0] ** 2).sum()
    assert loss == pytest.approx(first + second + penalty, rel=1e-12)


ONE = {"x": np.zeros((4, 2)), "y": [np.zeros((4, 1)), np.zeros((4, 2))]}

REFUSED_DATA = [
    ({"y": np.zeros((4, 1))}, "y must be a list of 2 arrays or a dict.*'a', 'b'.*got ndarray"),
    ({"y": [np.zeros((4, 1))]}, "y must be a list of 2 arrays or a dict.*got 1"),
    ({"y": {"a": 0}}, r"y must have the keys \['a', 'b'\], got \['a'\]"),
    ({"y": {"a": 0, "bb": 0}}, r"y must have the keys \['a', 'b'\], got \['a', 'bb'\]"),
    ({"y": [np.zeros((4, 1)), np.zeros((3, 2))]}, r"x and y\[0\] and y\[1\] must .* 4 and 4 and 3"),
    ({"sample_weight": np.zeros((4, 3))}, "sample_weight must be a list of 2 arrays or a dict"),
    ({"sample_weight": np.zeros(3)}, "sample_weight of 'a'.* must have the same number"),
    ({"sample_weight": [np.zeros(3), np.zeros(4)]}, r"sample_weight\[0\].* the same number of"),
    ({"sample_weight": [-np.ones(4), None]}, r"sample_weight\[0\] must not be negative or NaN"),
    ({"sample_weight": [np.full(4, np.nan), None]}, "must not be negative or NaN, got nan"),
    ({"class_weight": {0: 1}}, "class_weight is for models with one output"),
]


@pytest.mark.parametrize("given, message", REFUSED_DATA)
def test_data_that_do_not_fit_the_outputs(given, message):
    model = two_outputs(loss="mse")
    with pytest.raises(ValueError, match=message):
        model.fit(**(ONE | given), verbose=0)


def test_inputs_that_do_not_fit_the_model():
    a, b = layers.Input((2,), name="a"), layers.Input((3,), name="b")
    model = Model([a, b], layers.Concatenate(**F64)([a, b]))
    x, z = np.zeros((4, 2)), np.zeros((4, 3))
    with pytest.raises(ValueError, match=r"x\['b'\] must have the shape of the model's Input, \(N"):
        model([x, x])
    with pytest.raises(ValueError, match=r"x\[0\] and x\[1\] must have the same number of samples"):
        model([x, z[:2]])
    with pytest.raises(ValueError, match=r"x must have the keys \['a', 'b'\], got \['a', 'B'\]"):
        model({"a": x, "B": z})
    with pytest.raises(ValueError, match="x must be a list of 2 arrays or a dict"):
        model(x)
    with pytest.raises(TypeError, match=r"x\['b'\] must be an array of numbers, got str"):
        model({"a": x, "b": "z"})


REFUSED_CLASSES = [
    ([0.5], TypeError, "class_weight must be a dict of class to weight, got"),
    ({-1: 1}, ValueError, "class_weight must have classes from 0 for keys, got -1"),
    ({"a": 1}, ValueError, "class_weight must have classes from 0 for keys, got 'a'"),
    ({True: 1}, ValueError, "class_weight must have classes from 0 for keys, got True"),
    ({0: -1}, ValueError, r"class_weight\[0\]"),
    ({0: "much"}, TypeError, r"class_weight\[0\]"),
]


@pytest.mark.parametrize("given, error, message", REFUSED_CLASSES)
def test_class_weights_that_are_none(rng, given, error, message):
    x, y = rng.standard_normal((SAMPLES, STEPS, 2)), np.array([0, 1, 2, 2, 0, 1])
    with pytest.raises(error, match=message):
        classifier().fit(x, y, class_weight=given, verbose=0)


def test_targets_that_are_no_classes(rng):
    x, y = rng.standard_normal((SAMPLES, STEPS, 2)), np.array([0, 1, 2, 2, 0, -1])
    with pytest.raises(ValueError, match="class_weight is for classes from 0, got -1 in y"):
        classifier().fit(x, y, class_weight={0: 1}, verbose=0)
    with pytest.raises(ValueError, match="sample_weight beside class_weight must be a number for"):
        classifier().fit(x, abs(y), class_weight={0: 1}, sample_weight=np.ones((6, 4)), verbose=0)


REFUSED_CHOICES = [
    ({"loss": {"c": "mse"}}, ValueError, r"loss must have names of outputs.*\['a', 'b'\], got 'c'"),
    ({"loss": ["mse"]}, ValueError, "loss must have an entry for each of the outputs .*, got 1"),
    ({"loss": {}}, ValueError, "training needs a loss"),
    ({"loss": [None, None]}, ValueError, "training needs a loss"),
    ({"loss": "mse", "loss_weights": {"c": 1}}, ValueError, "loss_weights must have names"),
    ({"loss": "mse", "loss_weights": [1, 2, 3]}, ValueError, "loss_weights must have an entry"),
    ({"loss": "mse", "loss_weights": [1, -1]}, ValueError, "loss_weights"),
    ({"loss": "mse", "metrics": "mae"}, TypeError, r"metrics must be a list, .* got 'mae'"),
    ({"loss": "mse", "metrics": metrics.MeanSquaredError()}, TypeError, "metrics must be a list"),
    ({"loss": "mse", "metrics": ["mae"]}, ValueError, "metrics must have an entry for each of"),
    ({"loss": "mse", "metrics": {"c": "mae"}}, ValueError, "metrics must have names of outputs"),
    (
        {"loss": "mse", "weighted_metrics": {"c": "mae"}},
        ValueError,
        "weighted_metrics must have names of outputs",
    ),
    ({"loss": "mse", "weighted_metrics": "mae"}, TypeError, "weighted_metrics must be a list"),
]


@pytest.mark.parametrize("choices, error, message", REFUSED_CHOICES)
def test_choices_that_do_not_fit_the_outputs(choices, error, message):
    with pytest.raises(error, match=message):
        two_outputs(**choices).evaluate(**ONE, verbose=0)
