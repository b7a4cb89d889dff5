"""compile, fit, evaluate and predict: order, splits, reproducibility, errors."""

import numpy as np
import pytest

import rnnfast
from rnnfast import Sequential, callbacks, layers, losses, metrics, optimizers, utils

SAMPLES, STEPS, FEATURES = 50, 4, 3


@pytest.fixture
def data():
    rng = np.random.default_rng(0)
    x = rng.standard_normal((SAMPLES, STEPS, FEATURES))
    return x, x.sum(axis=(1, 2))[:, None]


def make(loss="mse", optimizer="sgd", **options):
    model = Sequential([layers.GRU(5), layers.Dense(1)])
    model.compile(optimizer, loss, **options)
    return model


class Recorder(callbacks.Callback):
    """Keeps the batches of inputs that the first layer sees in training."""

    def __init__(self):
        super().__init__()
        self.batches = []

    def on_train_begin(self, logs=None):
        first = self.model.layers[0]
        vjp = first.vjp

        def recording(x, **options):
            self.batches.append(x.copy())
            return vjp(x, **options)

        first.vjp = recording


def test_training_learns(data):
    utils.set_random_seed(0)
    model = make(optimizer=optimizers.Adam(0.02))
    history = model.fit(*data, epochs=60, batch_size=10, verbose=0)
    assert history.history["loss"][-1] < 0.05 * history.history["loss"][0]
    assert model.evaluate(*data, verbose=0) < 0.05 * history.history["loss"][0]


def test_a_model_has_what_it_was_compiled_with(data):
    model = Sequential([layers.Dense(1)])
    assert not model.compiled
    for name in ("optimizer", "loss", "metrics", "history"):
        with pytest.raises(AttributeError, match=f"'Sequential' object has no attribute '{name}'"):
            getattr(model, name)
    other = make()
    optimizer, loss = optimizers.Adam(), losses.MeanSquaredError()
    model.compile(optimizer, loss, metrics=["mae"])
    assert model.compiled
    assert model.optimizer is optimizer
    assert model.loss is loss
    assert [metric.name for metric in model.metrics] == ["mae"]
    assert not other.metrics
    other.optimizer = optimizer
    assert other.optimizer is optimizer


def test_history(data):
    model = make(metrics=["mae"])
    history = model.fit(*data, epochs=3, validation_split=0.2, verbose=0)
    assert history is model.history
    assert history.epoch == [0, 1, 2]
    assert set(history.history) == {"loss", "mae", "val_loss", "val_mae"}
    assert {len(values) for values in history.history.values()} == {3}
    assert {type(value) for values in history.history.values() for value in values} == {float}
    params = {"verbose": 0, "epochs": 3, "steps": 2, "samples": 40, "batch_size": 32}
    assert history.params == params


def test_layers_added_after_fit_want_a_new_optimizer(data):
    model = make()
    model.fit(*data, verbose=0)
    model.add(layers.Dense(1))
    with pytest.raises(ValueError, match="after changing the layers of a model, call compile with"):
        model.fit(*data, verbose=0)
    model.compile("sgd", "mse")
    model.fit(*data, verbose=0)


def test_initial_epoch(data):
    model = make()
    assert model.fit(*data, epochs=5, initial_epoch=3, verbose=0).epoch == [3, 4]
    assert model.fit(*data, epochs=3, initial_epoch=3, verbose=0).epoch == []


def test_the_loss_of_an_epoch_is_the_mean_over_its_samples(data):
    x, y = data
    model = make(optimizer=optimizers.SGD(0.0))
    loss = model.fit(x, y, batch_size=32, verbose=0).history["loss"][0]
    wanted = np.mean((model.predict(x, verbose=0) - y) ** 2)
    assert loss == pytest.approx(wanted, rel=1e-6)
    assert model.evaluate(x, y, batch_size=7, verbose=0) == pytest.approx(wanted, rel=1e-6)


def test_validation_takes_the_last_samples_before_any_shuffling(data):
    x, y = data
    recorder = Recorder()
    model = make(optimizer=optimizers.SGD(0.0))
    history = model.fit(x, y, validation_split=0.3, callbacks=recorder, verbose=0).history
    seen = np.concatenate(recorder.batches)
    key = np.lexsort(seen[:, 0].T)
    wanted = x[:35].astype(np.float32)
    np.testing.assert_array_equal(seen[key], wanted[np.lexsort(wanted[:, 0].T)])
    assert history["val_loss"][0] == pytest.approx(model.evaluate(x[35:], y[35:], verbose=0))


def test_validation_data_goes_before_validation_split(data):
    x, y = data
    recorder = Recorder()
    model = make(optimizer=optimizers.SGD(0.0))
    history = model.fit(
        x,
        y,
        validation_split=0.3,
        validation_data=(x[:4], y[:4]),
        callbacks=[recorder],
        verbose=0,
    ).history
    assert sum(map(len, recorder.batches)) == SAMPLES
    assert history["val_loss"][0] == pytest.approx(model.evaluate(x[:4], y[:4], verbose=0))


def test_shuffling(data):
    x, y = data
    wanted = x.astype(np.float32)
    for shuffle in (False, True):
        recorder = Recorder()
        make().fit(x, y, batch_size=16, epochs=2, shuffle=shuffle, callbacks=recorder, verbose=0)
        assert [len(batch) for batch in recorder.batches] == [16, 16, 16, 2] * 2
        epochs = np.concatenate(recorder.batches).reshape(2, *x.shape)
        assert (epochs == wanted).all() != shuffle
        assert (epochs[0] == epochs[1]).all() != shuffle
        for epoch in epochs:
            np.testing.assert_array_equal(np.sort(epoch, axis=None), np.sort(wanted, axis=None))


def test_unshuffled_batches_are_views_of_one_converted_array(data):
    x = data[0].astype(np.float32)
    seen = []

    class Spy(layers.GRU):
        def vjp(self, x, *, wrt_input):
            seen.append(x)
            return super().vjp(x, wrt_input=wrt_input)

    model = Sequential([Spy(4), layers.Dense(1)])
    model.compile("sgd", "mse")
    model.fit(x, data[1], shuffle=False, verbose=0)
    assert all(np.shares_memory(batch, x) for batch in seen)


def fit_from_seed(seed, threads):
    utils.set_random_seed(seed)
    rng = np.random.default_rng(0)
    x, y = rng.integers(20, size=(70, 12)), rng.integers(3, size=70)
    model = Sequential(
        [
            layers.Embedding(20, 16),
            layers.LSTM(32, return_sequences=True),
            layers.Dropout(0.3),
            layers.GRU(32),
            layers.Dropout(0.3),
            layers.Dense(3, "softmax"),
        ]
    )
    model.compile("adam", "sparse_categorical_crossentropy")
    with rnnfast.num_threads(threads):
        history = model.fit(x, y, epochs=3, validation_split=0.2, verbose=0)
    return [*model.get_weights(), np.array(list(history.history.values()))]


def test_equal_seeds_give_equal_bits_on_any_number_of_threads():
    first = fit_from_seed(7, threads=1)
    for other in (fit_from_seed(7, threads=1), fit_from_seed(7, threads=2)):
        for one, two in zip(first, other, strict=True):
            np.testing.assert_array_equal(one, two)
    assert any(
        (one != two).any() for one, two in zip(first, fit_from_seed(8, threads=1), strict=True)
    )


def test_evaluate_returns_what_keras_returns(data):
    assert isinstance(make().evaluate(*data, verbose=0), float)
    with_metrics = make(metrics=["mae", "mse"])
    values = with_metrics.evaluate(*data, verbose=0)
    named = with_metrics.evaluate(*data, verbose=0, return_dict=True)
    assert list(named) == ["loss", "mae", "mse"]
    assert list(named.values()) == values
    assert make().evaluate(*data, verbose=0, return_dict=True).keys() == {"loss"}


def test_metrics_of_one_name_are_numbered(data):
    model = make(metrics=["mae", metrics.MeanAbsoluteError(name="mae")])
    assert list(model.evaluate(*data, verbose=0, return_dict=True)) == ["loss", "mae", "mae_1"]


def test_evaluate_changes_nothing_and_drops_nothing(data):
    model = Sequential([layers.Dropout(0.5), layers.GRU(5), layers.Dense(1)])
    model.compile("sgd", "mse")
    values = [model.evaluate(*data, verbose=0) for _ in range(2)]
    assert values[0] == values[1]


@pytest.mark.parametrize("batch_size", [None, 1, 7, 50, 64])
def test_predict_does_not_depend_on_the_batch_size(data, batch_size):
    model = make()
    got = model.predict(data[0], batch_size=batch_size, verbose=0)
    assert got.shape == (SAMPLES, 1)
    np.testing.assert_allclose(got, model(data[0]), rtol=1e-5, atol=1e-6)


def test_predict_of_no_samples_is_empty(data):
    model = make()
    assert model.predict(data[0][:0], verbose=0).shape == (0, 1)


def test_predict_needs_no_compile(data):
    assert Sequential([layers.LSTM(3)]).predict(data[0], verbose=0).shape == (SAMPLES, 3)


@pytest.mark.parametrize("dtype", [np.float64, np.float16, np.int32, np.bool_, ">f4"])
def test_inputs_of_any_dtype_are_converted(data, dtype):
    x = data[0].astype(dtype)
    model = make()
    np.testing.assert_array_equal(
        model.predict(x, verbose=0), model.predict(x.astype(np.float32), verbose=0)
    )


def test_lists_are_data():
    model = Sequential([layers.Dense(1)])
    model.compile("sgd", "mse")
    model.fit([[1, 2], [3, 4]], [1, 2], verbose=0)


def test_softmax_and_cross_entropy_are_exact_where_probabilities_underflow():
    # The probability of the target is exp(-200), far below float32: clipped to 1e-7, its
    # logarithm would be -16 and its gradient zero.
    model = Sequential([layers.Input((2,)), layers.Dense(2, "softmax", use_bias=False)])
    model.set_weights([np.eye(2)])
    model.compile(optimizers.SGD(1.0), "sparse_categorical_crossentropy")
    x, y = np.array([[200.0, 0.0]]), np.array([1])
    assert model.evaluate(x, y, verbose=0) == pytest.approx(200)
    model.fit(x, y, verbose=0)
    np.testing.assert_allclose(model.get_weights()[0], [[-199, 200], [0, 1]])


def test_a_loss_may_be_told_that_a_linear_layer_gives_logits(data):
    x, y = data
    weights = None
    histories = []
    for activation, loss in (
        ("sigmoid", losses.BinaryCrossentropy()),
        (None, losses.BinaryCrossentropy(from_logits=True)),
    ):
        model = Sequential(
            [layers.Input((STEPS, FEATURES)), layers.LSTM(4), layers.Dense(1, activation)]
        )
        weights = weights or model.get_weights()
        model.set_weights(weights)
        model.compile("sgd", loss)
        histories.append(model.fit(x, y > 0, shuffle=False, verbose=0).history)
    assert histories[0] == histories[1]


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_a_loss_that_is_no_number_stops_with_epoch_and_step(data, bad):
    x, y = data[0], data[1].copy()
    y[20] = bad
    model = make()
    message = r"the loss became (nan|inf) in epoch 3, step 2; .*learning_rate.*clipnorm"
    with pytest.raises(FloatingPointError, match=message):
        model.fit(x, y, batch_size=16, shuffle=False, epochs=5, initial_epoch=2, verbose=0)
    assert all(np.isfinite(weight).all() for weight in model.get_weights())


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_a_validation_loss_that_is_no_number_stops_with_the_epoch(data, bad):
    x, y = data
    model = make()

    class Spoil(callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            if epoch == 3:
                validation[1][20] = bad

    validation = x, y.astype(np.float32)
    message = f"the validation loss became {bad} in epoch 4; .*validation data.*learning_rate"
    with pytest.raises(FloatingPointError, match=message):
        model.fit(
            *data,
            epochs=5,
            initial_epoch=1,
            validation_data=validation,
            callbacks=Spoil(),
            verbose=0,
        )
    # As when the loss of training does: the epochs before are there, whole.
    assert model.history.epoch == [1, 2]
    assert {name: len(values) for name, values in model.history.history.items()} == {
        "loss": 2,
        "val_loss": 2,
    }
    assert all(np.isfinite(weight).all() for weight in model.get_weights())


def test_an_evaluation_gives_the_loss_that_it_finds(data):
    x, y = data
    assert np.isnan(make().evaluate(x, np.full_like(y, np.nan), verbose=0))


def test_a_learning_rate_that_explodes_stops(data):
    with pytest.raises(FloatingPointError, match="the loss became"):
        make(optimizer=optimizers.SGD(1e30)).fit(*data, epochs=20, verbose=0)


def test_what_is_missing_is_said(data):
    x, y = data
    model = Sequential([layers.LSTM(3), layers.Dense(1)])
    with pytest.raises(ValueError, match=r"call compile\(optimizer, loss\) before fit"):
        model.fit(x, y)
    with pytest.raises(ValueError, match="before evaluate"):
        model.evaluate(x, y)
    model.compile("sgd")
    with pytest.raises(ValueError, match="fit needs a loss"):
        model.fit(x, y)
    empty = Sequential()
    empty.compile("sgd", "mse")
    with pytest.raises(ValueError, match="no layers"):
        empty.fit(x, y)


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"y": np.zeros((3, 1))}, ValueError, "x and y must have the same number .* 50 and 3"),
        ({"x": None}, TypeError, "x must be an array of numbers, got NoneType"),
        ({"y": None}, TypeError, "y must be an array of numbers, got NoneType"),
        ({"y": ["a"] * 50}, TypeError, "y must be an array of numbers, got list"),
        ({"x": iter(())}, ValueError, "y and sample_weight must be left out where x gives batches"),
        ({"x": iter(()), "y": None}, ValueError, "the batches must be one at least, got none"),
        ({"x": 3.0}, ValueError, "x must have its samples along a first axis"),
        ({"x": np.zeros((50, 4))}, ValueError, r"must be \(batch, time, features\)"),
        ({"x": np.zeros((0, 4, 3)), "y": np.zeros((0, 1))}, ValueError, "x must hold one sample"),
        ({"y": np.zeros((50, 2))}, ValueError, "y_true must have the shape of y_pred"),
        ({"shuffle": "batch"}, TypeError, "shuffle must be True or False, got 'batch'"),
        ({"epochs": 1.5}, ValueError, "epochs must be a whole number from 0, got 1.5"),
        ({"initial_epoch": -1}, ValueError, "initial_epoch must be a whole number"),
        ({"batch_size": 0}, ValueError, "batch_size must be a positive integer"),
        ({"validation_split": 1.0}, ValueError, "validation_split must be from 0 to below 1"),
        ({"validation_split": 0.99}, ValueError, "leaves 0 of 50 samples for training"),
        (
            {"validation_data": np.zeros(3)},
            ValueError,
            r"must be a tuple \(x, y\) or .*, got ndarray",
        ),
        (
            {"validation_data": (np.zeros((2, 4, 3)), np.zeros(3))},
            ValueError,
            r"validation_data\[0\] and validation_data\[1\] must have the same number",
        ),
        ({"validation_data": (1, 2, 3)}, ValueError, r"validation_data\[0\] must have its samples"),
        ({"verbose": 3}, ValueError, "verbose must be 'auto', 0, 1 or 2, got 3"),
        ({"callbacks": [3]}, TypeError, r"callbacks must be .*\.Callback, got int$"),
        (
            {"sample_weight": np.ones(49)},
            ValueError,
            "x and y and sample_weight must have the same",
        ),
        ({"sample_weight": np.full(50, -1.0)}, ValueError, "sample_weight must not be negative"),
        ({"sample_weight": np.full(50, np.nan)}, ValueError, "must not be negative or NaN"),
        ({"sample_weight": ["a"] * 50}, TypeError, "sample_weight must be an array of numbers"),
        ({"class_weight": [1.0, 2.0]}, TypeError, "class_weight must be a dict of class to weight"),
        ({"class_weight": {0: -1.0}, "y": np.ones(50)}, ValueError, r"class_weight\[0\] must be"),
        ({"class_weight": {-1: 1.0}, "y": np.ones(50)}, ValueError, "classes from 0 for keys"),
        ({"steps_per_epoch": 0}, ValueError, "steps_per_epoch must be a positive integer"),
        ({"validation_freq": "2"}, TypeError, "validation_freq must be a number of epochs"),
        ({"epoch": 2}, TypeError, "argument 'epoch'; did you mean 'epochs'"),
    ],
)
def test_what_fit_refuses(data, options, error, message):
    x, y = data
    with pytest.raises(error, match=message):
        make().fit(**{"x": x, "y": y, "verbose": 0, **options})


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"optimizer": "adma"}, ValueError, "unknown optimizer 'adma'"),
        ({"loss": "mes"}, ValueError, "unknown loss 'mes'"),
        ({"metrics": ["acuracy"]}, ValueError, "unknown metric 'acuracy'"),
        ({"metrics": "accuracy"}, TypeError, "metrics must be a list"),
        ({"weighted_metrics": "mae"}, TypeError, "weighted_metrics must be a list"),
        ({"metric": ["mae"]}, TypeError, "did you mean 'metrics'"),
        ({"run_eagerly": True}, NotImplementedError, "run_eagerly=True"),
    ],
)
def test_what_compile_refuses(options, error, message):
    with pytest.raises(error, match=message):
        Sequential([layers.Dense(1)]).compile(**options)


def test_indices_are_checked_against_the_vocabulary():
    model = Sequential([layers.Embedding(4, 2), layers.LSTM(3), layers.Dense(1)])
    model.compile("sgd", "mse")
    with pytest.raises(ValueError, match="takes indices from 0 to input_dim - 1 = 3, got 0 to 4"):
        model.fit(np.arange(5)[:, None], np.zeros(5), verbose=0)


def test_class_numbers_of_floats_train_as_integers_do():
    x, y = np.random.default_rng(0).normal(size=(12, 3)), np.arange(12) % 4
    histories = []
    for labels in (y, y.astype(float), y.astype(np.float32)[:, None].tolist()):
        utils.set_random_seed(3)
        model = Sequential([layers.Dense(4, "softmax")])
        model.compile("sgd", "sparse_categorical_crossentropy", metrics=["accuracy"])
        histories.append(model.fit(x, labels, epochs=2, verbose=0).history)
        with pytest.raises(ValueError, match=r"which are whole, got 0\.5"):
            model.fit(x, y + 0.5, verbose=0)
    assert histories[0] == histories[1] == histories[2]
