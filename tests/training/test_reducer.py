"""Several processes train as one would on the whole batch: with threads in their place."""

import csv
import sys
import threading

import numpy as np
import pytest

from fake_processes import together
from rnnfast import Model, Sequential, callbacks, layers, losses, metrics, optimizers
from rnnfast.training import MPI
from rnnfast.training.reducer import Processes

RNG = np.random.default_rng(0)
X = RNG.normal(size=(11, 5, 3))
CLASSES = RNG.integers(0, 4, 11)
STEPS = RNG.normal(size=(11, 5, 2))
WEIGHTS = RNG.uniform(0, 2, 11)
RAGGED = [RNG.normal(size=(length, 3)) for length in RNG.integers(1, 7, 11)]
RAGGED_STEPS = [RNG.normal(size=(len(one), 2)) for one in RAGGED]
RAGGED_WEIGHTS = [RNG.uniform(0, 2, len(one)) for one in RAGGED]
LABELS = RNG.integers(0, 3, (11, 1))
IGNORED = np.where(RNG.random((11, 5)) < 0.4, -1, RNG.integers(0, 2, (11, 5)))


def classifier(**compiled):
    model = Sequential(
        [
            layers.GRU(4, input_shape=(None, 3), dtype="float64"),
            layers.Dense(4, activation="softmax", kernel_regularizer="l2", dtype="float64"),
        ]
    )
    model.compile(
        **{
            "optimizer": "adam",
            "loss": "sparse_categorical_crossentropy",
            "metrics": ["accuracy"],
            **compiled,
        }
    )
    return model


def tagger(units=2, **compiled):
    model = Sequential(
        [
            layers.LSTM(4, return_sequences=True, input_shape=(None, 3), dtype="float64"),
            layers.Dense(units, dtype="float64"),
        ]
    )
    model.compile(**{"optimizer": "sgd", "loss": "mse", "metrics": ["mae"], **compiled})
    return model


def two_outputs(loss):
    x = layers.Input((5, 3), dtype="float64")
    sequence = layers.GRU(4, return_sequences=True, dtype="float64", name="sequence")(x)
    steps = layers.Dense(2, dtype="float64", name="steps")(sequence)
    last = layers.GRU(4, dtype="float64", name="last")(sequence)
    model = Model(x, [steps, last])
    model.compile("sgd", loss=loss, loss_weights=[1.0, 0.5])
    return model


TARGETS_OF_LAST = RNG.normal(size=(11, 4))


class EachTime:
    """Batches of one's own, which can be begun again."""

    def __iter__(self):
        return ((X[k : k + 4], CLASSES[k : k + 4]) for k in (0, 4, 8))


# a model, and what it is fitted to
FITS = {
    "classes": lambda: (classifier(), {"x": X, "y": CLASSES}),
    "weights": lambda: (classifier(), {"x": X, "y": CLASSES, "sample_weight": WEIGHTS}),
    "class weights": lambda: (
        classifier(weighted_metrics=["accuracy"]),
        {"x": X, "y": CLASSES, "class_weight": {1: 3.0}},
    ),
    "weighted mean": lambda: (
        classifier(loss=losses.SparseCategoricalCrossentropy(reduction="mean_with_sample_weight")),
        {"x": X, "y": CLASSES, "sample_weight": WEIGHTS},
    ),
    "sum": lambda: (
        classifier(loss=losses.SparseCategoricalCrossentropy(reduction="sum")),
        {"x": X, "y": CLASSES},
    ),
    "ignored": lambda: (
        tagger(
            loss=losses.SparseCategoricalCrossentropy(from_logits=True, ignore_class=-1),
            metrics=[],
        ),
        {"x": X, "y": IGNORED},
    ),
    "ragged": lambda: (tagger(), {"x": RAGGED, "y": RAGGED_STEPS}),
    "ragged weights": lambda: (
        tagger(),
        {"x": RAGGED, "y": RAGGED_STEPS, "sample_weight": RAGGED_WEIGHTS},
    ),
    "accumulated": lambda: (
        classifier(optimizer=optimizers.Adam(gradient_accumulation_steps=2)),
        {"x": X, "y": CLASSES},
    ),
    "generator": lambda: (
        classifier(),
        {"x": EachTime()},
    ),
    "counted": lambda: (
        classifier(metrics=[metrics.SparseTopKCategoricalAccuracy(2)]),
        {"x": X, "y": CLASSES, "steps_per_epoch": 2},
    ),
    "labels": lambda: (
        tagger(5, loss=losses.CTC(), metrics=[]),
        {"x": [np.repeat(one, 3, axis=0) for one in RAGGED], "y": LABELS},
    ),
    "two outputs": lambda: (two_outputs("mse"), {"x": X, "y": [STEPS, TARGETS_OF_LAST]}),
    "area": lambda: (
        tagger(
            1,
            loss=losses.BinaryCrossentropy(from_logits=True),
            metrics=[metrics.AUC(name="auc", from_logits=True)],
        ),
        {"x": X, "y": (STEPS[..., :1] > 0).astype("int64")},
    ),
}


def fitted(model, fit, **more):
    """Fit in batches of 4, 4 and 3; return the weights and the history."""
    size = None if isinstance(fit["x"], EachTime) else 4
    history = model.fit(**fit, **{"batch_size": size, "epochs": 3, "verbose": 0, **more})
    return model.get_weights(), history.history


def assert_equal_weights(models, tolerance=0.0):
    for model in models[1:]:
        for own, wanted in zip(model.get_weights(), models[0].get_weights(), strict=True):
            np.testing.assert_allclose(own, wanted, rtol=0, atol=tolerance)


@pytest.mark.parametrize("size", [2, 3, 4])
@pytest.mark.parametrize("name", FITS)
def test_processes_end_with_the_weights_of_one(name, size):
    # The shares of the last batch, of 3, differ; of 4 processes one has nothing of it.
    alone, fit = FITS[name]()
    models = [FITS[name]()[0] for _ in range(size)]
    models[0].set_weights(alone.get_weights())  # the others have weights of their own
    _, history = fitted(alone, fit, shuffle=False)

    def work(reducer):
        return fitted(models[reducer.rank], fit, shuffle=False, reducer=reducer)[1]

    for logs in together(size, work):
        assert logs.keys() == history.keys()
        for figure, values in history.items():
            np.testing.assert_allclose(logs[figure], values, rtol=1e-12, err_msg=figure)
    assert_equal_weights([alone, *models], 1e-12)


def test_float32_rounds_alike():
    def model():
        own = Sequential([layers.LSTM(4, input_shape=(None, 3)), layers.Dense(2)])
        own.compile("adam", "mse")
        return own

    fit = {"x": X, "y": STEPS[:, 0]}
    alone, *models = model(), model(), model()
    models[0].set_weights(alone.get_weights())
    fitted(alone, fit, shuffle=False)
    work = lambda reducer: fitted(models[reducer.rank], fit, shuffle=False, reducer=reducer)  # noqa: E731
    together(2, work)
    assert_equal_weights(models)
    assert_equal_weights([alone, *models], 1e-6)


def train_together(models, work_of=lambda rank: {}, fit=None, **more):
    """Fit models at once; return what each returned, the reducers, and the models' outcomes."""
    reducers = {}

    def work(reducer):
        reducers[reducer.rank] = reducer
        own = fit or {"x": X, "y": CLASSES}
        return fitted(models[reducer.rank], own, reducer=reducer, **more, **work_of(reducer.rank))

    outcomes = together(len(models), work)
    return outcomes, [reducers[rank] for rank in range(len(models))]


def test_the_first_process_chooses_the_order():
    models = [classifier() for _ in range(3)]
    outcomes, _ = train_together(models)
    assert outcomes[0][1] == outcomes[1][1] == outcomes[2][1]
    assert_equal_weights(models)
    order = [classifier(), classifier()]
    order[1].set_weights(order[0].get_weights())
    for model in order:
        fitted(model, {"x": X, "y": CLASSES})
    with pytest.raises(AssertionError):  # orders do matter
        assert_equal_weights(order)


def test_a_step_takes_one_mean():
    outcomes, reducers = train_together([classifier(), classifier()], epochs=2)
    few = [reducer.means for reducer in reducers]
    outcomes, reducers = train_together(
        [classifier(), classifier()], epochs=2, fit={"x": X[:8], "y": CLASSES[:8]}
    )
    assert len(outcomes[0][1]["loss"]) == 2
    assert few == [reducer.means + 2 for reducer in reducers]  # an epoch has 3 steps, or 2


def test_an_optimizer_goes_on_from_the_first_one():
    alone, *models = classifier(), classifier(), classifier()
    fitted(alone, {"x": X, "y": CLASSES})
    models[0].set_weights(alone.get_weights())
    models[0].optimizer.build(models[0].trained_parameters)
    models[0].optimizer.set_state(alone.optimizer.get_state())
    fitted(alone, {"x": X, "y": CLASSES}, shuffle=False)
    train_together(models, shuffle=False)
    assert_equal_weights([alone, *models], 1e-12)
    assert models[1].optimizer.iterations == alone.optimizer.iterations


def test_outputs_that_count_differently_are_refused():
    losses_of = [losses.MeanSquaredError(), losses.MeanSquaredError(reduction="sum")]
    models = [two_outputs(losses_of) for _ in range(2)]
    outcomes, reducers = train_together(models, fit={"x": X, "y": [STEPS, TARGETS_OF_LAST]})
    for outcome in outcomes:
        assert isinstance(outcome, (ValueError, threading.BrokenBarrierError))
    assert any(
        "same share of the loss of every output" in str(outcome)
        and "['steps', 'last']" in str(outcome)
        for outcome in outcomes
    )
    assert any(reducer.aborted for reducer in reducers)


class StopsAt(callbacks.Callback):
    """Wants to stop after a step or an epoch."""

    def __init__(self, **at):
        super().__init__()
        self.at, self.steps = at, 0

    def on_train_batch_end(self, batch, logs=None):
        self.steps += 1
        if self.steps == self.at.get("step"):
            self.model.stop_training = True

    def on_epoch_end(self, epoch, logs=None):
        if epoch == self.at.get("epoch"):
            self.model.stop_training = True


@pytest.mark.parametrize(
    ("at", "steps"), [({"step": 1}, 2), ({"step": 3}, 3), ({"step": 4}, 5), ({"epoch": 0}, 3)]
)
def test_when_one_process_stops_all_do(at, steps):
    models = [classifier() for _ in range(3)]
    listeners = [StopsAt(), StopsAt(**at), StopsAt()]
    outcomes, reducers = train_together(models, lambda rank: {"callbacks": [listeners[rank]]})
    assert [listener.steps for listener in listeners] == [steps] * 3
    assert outcomes[0][1] == outcomes[1][1] == outcomes[2][1]
    assert_equal_weights(models)
    assert not any(reducer.aborted for reducer in reducers)


@pytest.mark.parametrize("raise_error", [None, False, True])
def test_a_loss_that_is_no_number_ends_all(raise_error):
    spoilt = X.copy()
    spoilt[2] = np.nan  # a row that the first process sees
    models = [classifier() for _ in range(2)]
    kinds = [] if raise_error is None else [callbacks.TerminateOnNaN]
    before = models[0].get_weights()
    outcomes, reducers = train_together(
        models,
        lambda rank: {"callbacks": [kind(raise_error) for kind in kinds]},
        fit={"x": spoilt, "y": CLASSES},
        shuffle=False,
    )
    if raise_error is None:
        assert [type(outcome) for outcome in outcomes] == [FloatingPointError] * 2
    elif raise_error:
        assert {type(outcome) for outcome in outcomes} <= {
            RuntimeError,
            threading.BrokenBarrierError,
        }
    else:
        assert [len(logs["loss"]) for _, logs in outcomes] == [1, 1]
    assert any(reducer.aborted for reducer in reducers) == bool(raise_error)
    for own, wanted in zip(models[1].get_weights(), before, strict=True):
        np.testing.assert_array_equal(own, wanted)  # no step was taken


class Fails(callbacks.Callback):
    def on_train_batch_end(self, batch, logs=None):
        raise KeyError("mine")


def test_when_one_process_fails_all_end():
    models = [classifier() for _ in range(2)]
    outcomes, reducers = train_together(
        models, lambda rank: {"callbacks": [Fails()] if rank else []}
    )
    assert [type(outcome) for outcome in outcomes] == [threading.BrokenBarrierError, KeyError]
    assert reducers[1].aborted


def test_arguments_that_are_wrong_in_one_process_end_all():
    models = [classifier() for _ in range(2)]
    outcomes, _ = train_together(models, lambda rank: {"initial_epoch": -rank})
    assert [type(outcome) for outcome in outcomes] == [threading.BrokenBarrierError, ValueError]


def test_processes_at_different_places_are_refused():
    models = [classifier() for _ in range(2)]
    outcomes, _ = train_together(models, lambda rank: {"initial_epoch": rank})
    for outcome in outcomes:
        assert isinstance(outcome, (ValueError, threading.BrokenBarrierError))
    assert any("epoch 0, step 0, this one, of rank" in str(outcome) for outcome in outcomes)


# --- what is written and shown --------------------------------------------------------------------


def test_the_first_process_alone_writes_and_shows(tmp_path, capsys):
    models = [classifier() for _ in range(2)]

    def listeners(rank):
        return {
            "callbacks": [
                callbacks.CSVLogger(tmp_path / f"{rank}.csv"),
                callbacks.ModelCheckpoint(tmp_path / f"{rank}.safetensors", verbose=1),
                callbacks.BackupAndRestore(tmp_path / f"backup{rank}", delete_checkpoint=False),
            ],
        }

    outcomes, _ = train_together(models, listeners, epochs=2, verbose=2)
    shown = capsys.readouterr().out
    assert shown.count("samples/s") == 2
    assert shown.count("saving model to") == 2
    assert {path.name for path in tmp_path.iterdir()} == {
        "0.csv",
        "0.safetensors",
        "backup0",
        "backup1",
    }
    assert not [*(tmp_path / "backup1").iterdir()]
    with open(tmp_path / "0.csv") as file:
        rows = [*csv.DictReader(file)]
    assert [float(row["accuracy"]) for row in rows] == outcomes[1][1]["accuracy"]


class Interrupted(callbacks.Callback):
    def __init__(self, after):
        super().__init__()
        self.after = after

    def on_train_batch_end(self, batch, logs=None):
        self.after -= 1
        if self.after == 0:
            raise KeyboardInterrupt


@pytest.mark.parametrize(("save_freq", "after"), [("epoch", 5), (1, 5), (1, 7)])
def test_a_fit_goes_on_in_all_processes(save_freq, after, tmp_path):
    whole = [classifier(metrics=[]) for _ in range(2)]
    begun, resumed = ([classifier(metrics=[]) for _ in range(2)] for _ in range(2))
    begun[0].set_weights(whole[0].get_weights())

    def listeners(after):
        backup = callbacks.BackupAndRestore
        return lambda rank: {"callbacks": [Interrupted(after), backup(tmp_path, save_freq)]}

    wanted, _ = train_together(whole, shuffle=False)
    train_together(begun, listeners(after), shuffle=False)
    assert [*tmp_path.iterdir()]
    gone_on, _ = train_together(resumed, listeners(-1), shuffle=False)
    assert_equal_weights([*whole, *resumed])
    assert gone_on[0][1] == wanted[1][1]
    assert not [*tmp_path.iterdir()]


# --- metrics --------------------------------------------------------------------------------------


class Largest(metrics.Metric):
    """The largest target: no sum over samples."""

    def reset_state(self):
        self.largest = -np.inf

    def update_state(self, y_true, y_pred, sample_weight=None):
        self.largest = max(self.largest, float(np.max(y_true)))

    def result(self):
        return self.largest


def test_metrics_that_do_not_add_up_are_of_the_samples_of_each():
    models = [classifier(metrics=[Largest("largest")]) for _ in range(2)]
    targets = np.array([1, 0, 2, 0])
    outcomes, _ = train_together(models, fit={"x": X[:4], "y": targets}, shuffle=False)
    assert [logs["largest"][0] for _, logs in outcomes] == [2, 0]


# --- reducers -------------------------------------------------------------------------------------


class Means:
    """A reducer that has nothing but a mean, of one process."""

    def mean_(self, flat):
        pass


def test_a_reducer_may_have_nothing_but_a_mean():
    alone, shared = classifier(), classifier()
    shared.set_weights(alone.get_weights())
    fitted(alone, {"x": X, "y": CLASSES}, shuffle=False)
    fitted(shared, {"x": X, "y": CLASSES}, shuffle=False, reducer=Means())
    assert_equal_weights([alone, shared], 1e-13)


class Odd(Means):
    rank, size = 2, 2


@pytest.mark.parametrize(
    ("reducer", "error", "message"),
    [
        (object(), TypeError, r"reducer must have a method mean_\(flat\).*MPI\(\).*got object"),
        (MPI, TypeError, r"got the class MPI; call it: MPI\(\)"),
        (Odd(), ValueError, "rank from 0 to below its size, got rank 2 of size 2"),
    ],
)
def test_what_is_no_reducer_is_refused(reducer, error, message):
    with pytest.raises(error, match=message):
        fitted(classifier(), {"x": X, "y": CLASSES}, reducer=reducer)


@pytest.mark.parametrize("seed", [0, 1, 2**32, 2**63 - 1])
def test_a_seed_arrives_whole(seed):
    def work(reducer):
        return Processes(reducer).seed_of_first(seed if reducer.rank == 0 else 5)

    assert together(3, work) == [seed] * 3


def test_mpi_says_what_is_missing(monkeypatch):
    monkeypatch.setitem(sys.modules, "mpi4py", None)
    with pytest.raises(ImportError, match="pip install mpi4py mpich"):
        MPI()
