"""Data that come in batches: generators, iterables, data sets; steps, epochs, validation."""

import gc
import warnings
import weakref

import numpy as np
import pytest

from rnnfast import Model, Sequential, layers, optimizers
from rnnfast.callbacks import Callback

F64 = {"dtype": "float64"}
SAMPLES, SIZE = 10, 4


@pytest.fixture
def data():
    rng = np.random.default_rng(0)
    return rng.standard_normal((SAMPLES, 3)), rng.standard_normal((SAMPLES, 1))


def model_of(metrics=None):
    model = Sequential([layers.Input((3,)), layers.Dense(1, kernel_initializer="ones", **F64)])
    model.compile(optimizers.SGD(0.1), "mse", metrics=metrics)
    return model


def cut(*columns):
    return [tuple(one[k : k + SIZE] for one in columns) for k in range(0, len(columns[0]), SIZE)]


class Indexed:
    """Like `keras.utils.PyDataset` of older days."""

    def __init__(self, batches):
        self.batches, self.passes = batches, 0

    def __len__(self):
        return len(self.batches)

    def __getitem__(self, k):
        return self.batches[k]

    def on_epoch_end(self):
        self.passes += 1


class Begun:
    """An iterable that does not know its length, and counts how often it is begun."""

    def __init__(self, batches):
        self.batches, self.begun = batches, 0

    def __iter__(self):
        self.begun += 1
        return iter(self.batches)

    def __len__(self):
        raise TypeError("no length")


class Heard(Callback):
    def __init__(self):
        super().__init__()
        self.events = []

    def on_epoch_begin(self, epoch, logs=None):
        self.events.append(f"epoch {epoch}")

    def on_train_batch_begin(self, batch, logs=None):
        self.events.append(f"step {batch}")

    def on_test_begin(self, logs=None):
        self.events.append("test")

    def on_epoch_end(self, epoch, logs=None):
        self.events.append(f"end {epoch}")

    def on_train_end(self, logs=None):
        self.events.append("done")


@pytest.mark.parametrize(
    "given",
    [Begun, Indexed, lambda b: (one for one in b * 3), lambda b: Begun([list(one) for one in b])],
)
def test_batches_train_as_the_samples_do(data, given):
    wanted, got = model_of(), model_of()
    options = {"epochs": 3, "verbose": 0}
    before = wanted.fit(*data, SIZE, shuffle=False, **options).history
    batches = given(cut(*data))
    if not hasattr(batches, "__next__"):
        after = got.fit(batches, **options).history
    else:
        after = got.fit(batches, steps_per_epoch=3, **options).history
    assert after == before
    for a, b in zip(got.get_weights(), wanted.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    if isinstance(batches, Begun):
        assert batches.begun == 3  # a loader that shuffles draws when it is begun
    if isinstance(batches, Indexed):
        assert batches.passes == 3


def test_weights_and_classes_of_batches(data):
    x, _ = data
    y = np.arange(SAMPLES) % 2
    weight = np.linspace(0, 1, SAMPLES)
    wanted, got = model_of(), model_of()
    options = {"epochs": 2, "verbose": 0, "class_weight": {0: 0.5, 1: 2}}
    before = wanted.fit(x, y, SIZE, shuffle=False, sample_weight=weight, **options).history
    assert got.fit(Begun(cut(x, y, weight)), **options).history == before


def test_several_inputs_and_outputs_of_batches(data):
    a, b = layers.Input((3,), name="a"), layers.Input((1,), name="b")
    shared = layers.Dense(1, kernel_initializer="ones", **F64)
    inputs = [a, layers.Concatenate(**F64)([b, b, b])]
    model = Model([a, b], {"y": shared(inputs[0]), "z": shared(inputs[1])})
    model.compile(optimizers.SGD(0.0), "mse")
    x, y = data
    wanted = model.evaluate([x, y], [y, y], SIZE, verbose=0)
    of_lists = Begun([((x, y), (y, y)) for x, y in cut(x, y)])
    of_dicts = Begun([({"b": y, "a": x}, {"z": y, "y": y}) for x, y in cut(x, y)])
    assert model.evaluate(of_lists, verbose=0) == wanted
    assert model.evaluate(of_dicts, verbose=0) == wanted


def test_an_epoch_goes_on_where_the_last_one_ended(data):
    numbers = []

    class Noting(Begun):
        def __iter__(self):
            for number, batch in enumerate(self.batches):
                numbers.append(number)
                yield batch

    heard = Heard()
    model_of().fit(Noting(cut(*data)), steps_per_epoch=2, epochs=4, callbacks=heard, verbose=0)
    assert numbers == [0, 1, 2, 0, 1, 2, 0, 1]
    assert heard.events[:4] == ["epoch 0", "step 0", "step 1", "end 0"]
    assert heard.events[-2:] == ["end 3", "done"]


def test_steps_of_samples_go_through_all_of_them(data):
    """Two epochs of 3 steps over 10 samples in batches of 5: every sample three times."""
    x, y = data
    model = Sequential([layers.Input((3,)), layers.Dense(1, trainable=False, **F64)])
    model.compile("sgd", "mse")
    wanted = model.evaluate(x, y, verbose=0)
    losses = model.fit(x, y, 5, epochs=2, steps_per_epoch=3, verbose=0).history["loss"]
    assert np.mean(losses) == pytest.approx(wanted, rel=1e-12)
    losses = model.fit(x, y, 5, epochs=1, steps_per_epoch=4, verbose=0).history["loss"]
    assert losses == [pytest.approx(wanted, rel=1e-12)]


def test_a_generator_that_ends_ends_the_training(data):
    """There is no epoch without batches, whose loss would be zero."""
    heard = Heard()
    model = model_of()
    with pytest.warns(UserWarning, match="there are batches for 1 of 5 epochs: give an iterable"):
        history = model.fit(iter(cut(*data)), epochs=5, callbacks=heard, verbose=0)
    assert len(history.history["loss"]) == 1
    assert heard.events == ["epoch 0", "step 0", "step 1", "step 2", "end 0", "done"]
    with pytest.warns(UserWarning, match="the batches ended after 1 of 2 steps"):
        model.fit(iter(cut(*data)), epochs=2, steps_per_epoch=2, verbose=0)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model.fit(iter(cut(*data)), verbose=0)
        model.fit(iter(cut(*data)), steps_per_epoch=3, verbose=0)


def test_validation_that_has_ended_is_said(data):
    with pytest.raises(ValueError, match="no more batches to evaluate: give an iterable"):
        model_of().fit(*data, epochs=2, validation_data=iter(cut(*data)), verbose=0)


@pytest.mark.parametrize("frequency, wanted", [(1, [0, 1, 2, 3]), (2, [1, 3]), ([1, 4], [0, 3])])
def test_validation_of_some_epochs(data, frequency, wanted):
    heard = Heard()
    history = model_of().fit(
        *data,
        epochs=4,
        validation_data=Begun(cut(*data)),
        validation_freq=frequency,
        callbacks=heard,
        verbose=0,
    )
    ends = [heard.events[k + 1] for k, event in enumerate(heard.events) if event == "test"]
    assert ends == [f"end {epoch}" for epoch in wanted]
    assert len(history.history["val_loss"]) == len(wanted)


def test_validation_data_of_each_kind(data):
    x, y = data
    weight = np.linspace(0, 1, SAMPLES)
    model = model_of(["mae"])
    model.optimizer.learning_rate = 0.0

    def validated(given, **options):
        history = model.fit(x, y, verbose=0, validation_data=given, **options).history
        return [history["val_loss"][0], history["val_mae"][0]]

    whole = model.evaluate(x, y, verbose=0)
    weighted = model.evaluate(x, y, sample_weight=weight, verbose=0)
    assert validated((x, y)) == whole
    assert validated([x, y, weight]) == weighted
    # Batches of one size or another: beside samples, they need no batch_size.
    assert validated(Begun(cut(x, y)), batch_size=3) == pytest.approx(whole, rel=1e-12)
    assert validated(Begun(cut(x, y, weight))) == pytest.approx(weighted, rel=1e-12)
    first = model.evaluate(x[:6], y[:6], 3, verbose=0)
    assert validated((x, y), validation_batch_size=3, validation_steps=2) == first
    assert validated(Begun(cut(x, y)), validation_steps=1) == model.evaluate(
        x[:SIZE], y[:SIZE], verbose=0
    )


def test_evaluate_and_predict_some_steps(data):
    x, y = data
    model = model_of()
    wanted = model.evaluate(x[:8], y[:8], SIZE, verbose=0)
    assert model.evaluate(x, y, SIZE, steps=2, verbose=0) == wanted
    assert model.evaluate(Begun(cut(x, y)), steps=2, verbose=0) == wanted
    whole = model.predict(x, verbose=0)
    assert model.predict(x, SIZE, steps=1, verbose=0).tolist() == whole[:4].tolist()
    assert model.predict(x, SIZE, steps=9, verbose=0).tolist() == whole.tolist()
    for batches in (cut(x), cut(x, y), [list(one) for one in cut(x, y)], [x[:4], x[4:]]):
        got = model.predict(Begun(batches), verbose=0)
        np.testing.assert_allclose(got, whole, rtol=1e-12)
    assert len(model.predict(Begun(cut(x)), steps=2, verbose=0)) == 8


def test_a_batch_by_itself(data):
    x, y = data
    model, same = model_of(["mae"]), model_of(["mae"])
    weight = np.linspace(0, 1, SAMPLES)
    before = model.test_on_batch(x, y, weight)
    assert before == model.evaluate(x, y, SAMPLES, sample_weight=weight, verbose=0)
    assert model.train_on_batch(x, y, weight) == before
    same.fit(x, y, SAMPLES, sample_weight=weight, shuffle=False, verbose=0)
    np.testing.assert_array_equal(model.get_weights()[0], same.get_weights()[0])
    assert model.test_on_batch(x, y, return_dict=True).keys() == {"loss", "mae"}
    assert model.train_on_batch(x, y, return_dict=True).keys() == {"loss", "mae"}
    assert model.optimizer.iterations == 2
    classes = np.arange(SAMPLES) % 2
    weighted = model.test_on_batch(x, classes, np.where(classes, 3.0, 1.0))
    assert model.train_on_batch(x, classes, class_weight={1: 3.0}) == weighted
    np.testing.assert_array_equal(model.predict_on_batch(x), model(x))


def test_a_training_that_is_over_keeps_no_data(data):
    class Source(Begun):
        pass

    source = Source(cut(*data))
    model = model_of()
    model.fit(source, verbose=0)
    left = weakref.ref(source)
    del source
    gc.collect()
    assert left() is None
    assert model.run is None


def test_whether_a_training_was_stopped_is_known_after_it(data):
    class Stopping(Callback):
        def on_epoch_end(self, epoch, logs=None):
            self.model.stop_training = epoch == 1

    model = model_of()
    assert len(model.fit(*data, epochs=5, callbacks=Stopping(), verbose=0).history["loss"]) == 2
    assert model.stop_training
    model.fit(*data, verbose=0)
    assert not model.stop_training


BATCHES = [(np.zeros((2, 3)), np.zeros((2, 1)))]

REFUSED = [
    ("fit", {"x": [], "y": []}, ValueError, "x must have the shape of the model's Input"),
    ("fit", {"x": Begun([])}, ValueError, "the batches must be one at least, got none"),
    ("fit", {"x": Begun(BATCHES), "y": 0}, ValueError, "y and sample_weight must be left out"),
    ("fit", {"x": Begun(BATCHES), "sample_weight": 0}, ValueError, "must be left out where x"),
    ("fit", {"x": Begun(BATCHES), "batch_size": 2}, ValueError, "batch_size must be left out"),
    ("fit", {"x": Begun(BATCHES), "validation_split": 0.5}, ValueError, "is for arrays; where x"),
    ("fit", {"x": Begun([np.zeros((2, 3))])}, ValueError, r"must be \(x, y\) or .* got ndarray"),
    ("fit", {"x": Begun([(1,)])}, ValueError, r"must be \(x, y\) or .*, got tuple of 1"),
    ("fit", {"x": Begun(BATCHES), "steps_per_epoch": 0}, ValueError, "steps_per_epoch must be a"),
    ("fit", {"validation_steps": 0}, ValueError, "validation_steps must be a positive integer"),
    ("fit", {"validation_batch_size": 0}, ValueError, "validation_batch_size must be a positive"),
    ("fit", {"validation_freq": 0}, ValueError, "validation_freq must be a positive integer"),
    ("fit", {"validation_freq": "1"}, TypeError, "validation_freq must be a number of epochs or"),
    ("fit", {"validation_data": (1,)}, ValueError, "validation_data must be a tuple .* got tuple"),
    (
        "fit",
        {"validation_data": Begun(BATCHES), "validation_batch_size": 2},
        ValueError,
        "validation_batch_size must be left out where validation_data gives batches",
    ),
    ("fit", {"epochs": 1.5}, ValueError, "epochs must be a whole number from 0, got 1.5"),
    ("fit", {"callbacks": 5}, TypeError, "callbacks must be instances of .*Callback, got"),
    ("fit", {"x": "text"}, TypeError, "x must be an array of numbers, got str"),
    ("fit", {"y": None}, TypeError, "y must be an array of numbers, got NoneType"),
    ("evaluate", {"steps": -1}, ValueError, "steps must be a positive integer, got -1"),
    ("predict", {"steps": 0}, ValueError, "steps must be a positive integer, got 0"),
    ("predict", {"batch_size": 0}, ValueError, "batch_size must be a positive integer, got 0"),
]


@pytest.mark.parametrize("method, options, error, message", REFUSED)
def test_what_is_refused(data, method, options, error, message):
    model = model_of()
    x, y = data
    given = {"x": x, "verbose": 0} | ({} if method == "predict" else {"y": y})
    if isinstance(options.get("x"), Begun):
        given.pop("y")
    if any(name.startswith("validation") for name in options):
        given["validation_data"] = (x, y)
    if "validation_split" in options:
        given.pop("validation_data")
    before = model.get_weights()
    with pytest.raises(error, match=message):
        getattr(model, method)(**(given | options))
    np.testing.assert_array_equal(model.get_weights()[0], before[0])


@pytest.mark.parametrize("method", ["fit", "evaluate", "train_on_batch", "test_on_batch"])
def test_what_must_be_compiled(data, method):
    model = Sequential([layers.Dense(1)])
    with pytest.raises(ValueError, match=rf"call compile\(optimizer, loss\) before {method}"):
        getattr(model, method)(*data)
    model.compile("sgd")
    with pytest.raises(ValueError, match=f"{method} needs a loss; pass one to compile"):
        getattr(model, method)(*data)


def test_batches_of_several_lengths_have_no_one_prediction():
    model = Sequential([layers.GRU(2, return_sequences=True)])
    batches = Begun([np.zeros((2, 4, 3)), np.zeros((2, 5, 3))])
    with pytest.raises(ValueError, match=r"samples of one shape .*\(4, 2\) and \(5, 2\)"):
        model.predict(batches, verbose=0)
