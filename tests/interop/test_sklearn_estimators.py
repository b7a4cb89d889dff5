"""Recurrent networks among scikit-learn's estimators: its own checks, and what they cannot know."""

import pickle
from concurrent.futures import ThreadPoolExecutor

import joblib
import numpy as np
import pytest
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV, cross_val_score, train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import check_estimator

import rnnfast
from rnnfast import layers
from rnnfast.interop.sklearn import RNNClassifier, RNNRegressor

RNG = np.random.default_rng(0)
RAGGED = [RNG.normal(size=(length, 2)) for length in RNG.integers(2, 9, 120)]
X = RNG.normal(size=(120, 5, 2))
# What the first step says, which must be kept to the last.
CLASSES = np.where(X[:, 0, 0] > 0, "up", "down")
RAGGED_CLASSES = np.where([one[0, 0] > 0 for one in RAGGED], "up", "down")
MEANS = X.mean(axis=1)

EXPECTED_TO_FAIL = {
    "check_sample_weight_equivalence_on_dense_data": "a sample that is there twice makes other "
    "batches than one of weight 2, as with all that is trained batch by batch",
}
IN_FLOAT32 = {
    "check_methods_subset_invariance": "probabilities are asked to be equal to 1e-7, and the sums "
    "of a product in float32 are taken in an order that depends on the number of samples",
}


@pytest.fixture(autouse=True)
def one_thread():
    with rnnfast.num_threads(1):
        yield


def small(kind, **options):
    return kind(**{"units": 8, "random_state": 0, **options})


@pytest.mark.slow
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("kind", [RNNClassifier, RNNRegressor])
def test_scikit_learn_finds_nothing_wrong(kind, dtype):
    expected = EXPECTED_TO_FAIL | (IN_FLOAT32 if dtype == "float32" else {})
    with np.errstate(all="ignore"):
        results = check_estimator(
            small(kind, units=16, dtype=dtype),
            expected_failed_checks=expected,
            on_skip=None,
            on_fail=None,
        )
    assert len(results) >= 60
    assert not [
        f"{one['check_name']}: {one['exception']!r}" for one in results if one["status"] == "failed"
    ]
    for name in EXPECTED_TO_FAIL:  # one that no longer fails is not to be listed
        assert [one["status"] for one in results if one["check_name"] == name] == ["xfail"]
    assert {one["check_name"] for one in results if one["status"] == "skipped"} <= {
        "check_array_api_input"
    }


@pytest.mark.parametrize(
    "options",
    [
        {"cell": "lstm"},
        {"cell": "gru", "bidirectional": True},
        {"cell": "rnn", "layers": 2},
        {"cell": "light_gru", "dropout": 0.1},
    ],
    ids=str,
)
def test_a_classifier_keeps_what_it_has_read(options):
    model = small(RNNClassifier, **options).fit(X, CLASSES)
    assert model.score(X, CLASSES) > 0.9
    assert set(model.predict(X)) == {"up", "down"}
    assert model.n_features_in_ == 2
    assert len(model.history_["loss"]) == model.epochs
    probabilities = model.predict_proba(X)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1)
    np.testing.assert_array_equal(model.classes_[probabilities.argmax(axis=1)], model.predict(X))


def test_the_network_is_the_one_described():
    model = small(RNNClassifier, cell="gru", layers=2, bidirectional=True, dropout=0.5, epochs=1)
    model.fit(X, CLASSES)
    kinds = [type(layer) for layer in model.model_.layers]
    both = [layers.Bidirectional, layers.Dropout]
    assert kinds == [*both, *both, layers.Dense]
    assert model.model_.output_shape == (None, 2)
    assert model.model_.optimizer.learning_rate == pytest.approx(0.01)


@pytest.mark.parametrize("as_objects", [False, True])
def test_sequences_of_different_lengths(as_objects):
    given = np.array(RAGGED, dtype=object) if as_objects else RAGGED
    model = small(RNNClassifier).fit(given, RAGGED_CLASSES)
    assert model.score(given, RAGGED_CLASSES) > 0.9
    # What is padded does not count: each alone has the same probabilities.
    together = model.predict_proba(given)[:5]
    alone = [model.predict_proba(one[None])[0] for one in RAGGED[:5]]
    np.testing.assert_allclose(together, alone, rtol=1e-5)


def test_sequences_of_numbers_need_no_axis_of_features():
    flat = X[:, :, 0]
    wanted = small(RNNClassifier, epochs=2).fit(X[:, :, :1], CLASSES).predict_proba(X[:, :, :1])
    model = small(RNNClassifier, epochs=2).fit(flat, CLASSES)
    np.testing.assert_array_equal(model.predict_proba(flat), wanted)
    assert model.n_features_in_ == 5
    ragged = [one[:, 0] for one in RAGGED]
    model = small(RNNClassifier, epochs=2).fit(ragged, RAGGED_CLASSES)
    assert model.n_features_in_ == 1


def test_a_regressor_gives_one_number_or_several():
    model = small(RNNRegressor, learning_rate=0.02).fit(X, MEANS)
    assert model.score(X, MEANS) > 0.8
    assert model.predict(X).shape == MEANS.shape
    model = small(RNNRegressor, epochs=1).fit(X, MEANS[:, 0])
    assert model.predict(X).shape == (120,)


def test_weights_of_samples_count():
    wrong = np.where(np.arange(120) % 4 == 0, "up", CLASSES)
    trusted = (np.arange(120) % 4 != 0).astype(float)
    held = slice(0, None, 4)
    with_weights = small(RNNClassifier).fit(X, wrong, trusted).score(X[held], CLASSES[held])
    assert with_weights > small(RNNClassifier).fit(X, wrong).score(X[held], CLASSES[held])


def test_early_stopping_keeps_the_best_epoch():
    noise = RNG.integers(0, 2, 120)
    options = {"early_stopping": True, "n_iter_no_change": 3, "validation_fraction": 0.25}
    model = small(RNNClassifier, epochs=60, **options).fit(RAGGED, noise)
    losses = model.history_["val_loss"]
    assert len(losses) < 60
    assert len(losses) - 1 - int(np.argmin(losses)) == 3
    _, held_out = train_test_split(
        np.arange(120),
        test_size=0.25,
        random_state=_after_one_draw(0),
        stratify=noise,
    )
    given = [RAGGED[k] for k in held_out]
    right = model.predict_proba(given)[np.arange(len(given)), noise[held_out]]
    assert -np.log(right).mean() == pytest.approx(min(losses), rel=1e-5)


def _after_one_draw(seed):
    state = np.random.RandomState(seed)
    state.randint(2**31)
    return state


# --- chance, copies, processes --------------------------------------------------------------------


def test_chance_is_of_the_estimator_alone():
    rnnfast.utils.set_random_seed(1)
    np.random.seed(1)
    before = np.random.get_state()[1].copy()

    def fit(_=None):
        return small(RNNClassifier, epochs=3, dropout=0.2).fit(X, CLASSES).predict_proba(X)

    wanted = fit()
    np.testing.assert_array_equal(np.random.get_state()[1], before)
    with ThreadPoolExecutor(4) as pool:
        for found in pool.map(fit, range(4)):
            np.testing.assert_array_equal(found, wanted)
    other = small(RNNClassifier, epochs=3, random_state=1).fit(X, CLASSES).predict_proba(X)
    assert not np.array_equal(other, wanted)


def test_copies_predict_the_same():
    model = small(RNNClassifier, epochs=2).fit(X, CLASSES)
    copy = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(copy.predict_proba(X), model.predict_proba(X))
    copy.model_.fit(X, (CLASSES == "up").astype(int), verbose=0)  # it can be trained as well
    assert not hasattr(clone(model), "model_")
    assert clone(model).get_params() == model.get_params()


def test_a_pipeline_scales_and_fits():
    flat = X[:, :, 0] * 1000
    model = make_pipeline(StandardScaler(), small(RNNClassifier))
    assert cross_val_score(model, flat, CLASSES, cv=3).mean() > 0.8


@pytest.mark.parametrize("backend", ["loky", "threading"])
@pytest.mark.parametrize("given", [X, RAGGED], ids=["array", "ragged"])
def test_a_grid_searched_in_parallel_gives_the_same_scores(given, backend):
    target = CLASSES if given is X else RAGGED_CLASSES
    grid = {"units": [2, 8], "cell": ["gru", "rnn"]}

    def search(jobs):
        found = GridSearchCV(small(RNNClassifier, epochs=5), grid, cv=2, n_jobs=jobs)
        return found.fit(given, target)

    alone = search(1)
    with joblib.parallel_backend(backend):
        parallel = search(2)
    np.testing.assert_array_equal(
        parallel.cv_results_["mean_test_score"], alone.cv_results_["mean_test_score"]
    )
    assert parallel.best_params_ == alone.best_params_
    np.testing.assert_array_equal(parallel.predict(given), alone.predict(given))


def test_processes_share_the_cores():
    counts = joblib.Parallel(n_jobs=2, backend="loky")(
        joblib.delayed(rnnfast.get_num_threads)() for _ in range(2)
    )
    assert max(counts) <= max(1, joblib.cpu_count() // 2)


# --- what is wrong --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"cell": "gruu"}, ValueError, "cell must be one of 'rnn'.*got 'gruu'.*'gru'"),
        ({"units": 0}, ValueError, "units must be"),
        ({"layers": 0}, ValueError, "layers must be"),
        ({"epochs": 0}, ValueError, "epochs must be"),
        ({"batch_size": 0}, ValueError, "batch_size must be"),
        ({"dropout": 2.0}, ValueError, "rate must be"),
        ({"optimizer": "adamm"}, ValueError, "adam"),
        ({"learning_rate": -1.0}, ValueError, "learning_rate must be"),
        ({"dtype": "int8"}, (TypeError, ValueError), "dtype"),
    ],
    ids=str,
)
def test_wrong_arguments_are_told_by_fit(options, error, message):
    model = small(RNNClassifier, **options)
    with pytest.raises(error, match=message):
        model.fit(X, CLASSES)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (X[:, :, :, None], r"\(samples, time, features\)"),
        ([*RAGGED[:-1], RAGGED[-1][:, :1]], r"as many features in all sequences, got \[1, 2\]"),
        ([*RAGGED[:-1], RAGGED[-1] * np.nan], r"Input X\[119\] contains NaN"),
        ([*RAGGED[:-1], RAGGED[-1][None]], r"X\[119\] must have the shape \(time, features\)"),
        (X[:7], "inconsistent numbers of samples"),
        (np.abs(X) * np.inf, "Input X contains infinity"),
    ],
)
def test_wrong_data_are_told_by_fit(given, message):
    with pytest.raises(ValueError, match=message):
        small(RNNClassifier, epochs=1).fit(given, CLASSES)


def test_predictions_need_the_features_of_before():
    model = small(RNNClassifier, epochs=1).fit(X, CLASSES)
    assert model.predict(X[:, :3]).shape == (120,)  # of any length
    with pytest.raises(ValueError, match="X has 1 features, but RNNClassifier is expecting 2"):
        model.predict(X[:, :, :1])
    with pytest.raises(ValueError, match="X has 1 features"):
        model.predict([one[:, :1] for one in RAGGED])
