"""Lists of sequences of different lengths: each counts as if it were alone, padding for nothing."""

import numpy as np
import pytest

from rnnfast import Model, Sequential, layers, optimizers

F64 = {"dtype": "float64"}
LENGTHS = [4, 1, 7, 0, 3, 7, 2]


@pytest.fixture
def rng():
    return np.random.default_rng(0)


@pytest.fixture
def sequences(rng):
    return [rng.standard_normal((length, 3)) for length in LENGTHS]


def model_of(rng, *, return_sequences):
    model = Sequential(
        [
            layers.Input((None, 3)),
            layers.LSTM(4, return_sequences=True, **F64),
            layers.GRU(3, return_sequences=return_sequences, **F64),
        ]
    )
    model.set_weights([rng.standard_normal(w.shape) for w in model.get_weights()])
    model.compile(optimizers.SGD(0.1), "mse", metrics=["mae"], weighted_metrics=["mse"])
    return model


@pytest.mark.parametrize("batch_size", [1, 2, 3, 7, 100])
@pytest.mark.parametrize("return_sequences", [True, False])
def test_each_sequence_gives_the_bits_that_it_gives_alone(
    rng, sequences, return_sequences, batch_size
):
    model = model_of(rng, return_sequences=return_sequences)
    outputs = model.predict(sequences, batch_size, verbose=0)
    assert isinstance(outputs, list if return_sequences else np.ndarray)
    assert len(outputs) == len(sequences)
    for output, sequence in zip(outputs, sequences, strict=True):
        alone = model(sequence[None])[0]
        assert output.shape == alone.shape
        assert (output == alone).all()


def test_padding_is_never_read(rng, sequences, monkeypatch):
    """Whatever stands there, results and gradients are the same."""
    from rnnfast.training import ragged

    def trained():
        weights = np.random.default_rng(1)
        model = model_of(weights, return_sequences=True)
        y = [one[:, :3] for one in sequences]
        model.fit(sequences, y, batch_size=3, epochs=2, shuffle=False, verbose=0)
        return [*model.get_weights(), *model.predict(sequences, verbose=0)]

    wanted = trained()
    take = ragged.Ragged.take

    def poisoned(self, rows):
        value = take(self, rows)
        if value.mask is not None:
            value.array[~value.mask] = np.nan
        return value

    monkeypatch.setattr(ragged.Ragged, "take", poisoned)
    for got, before in zip(trained(), wanted, strict=True):
        np.testing.assert_array_equal(got, before)


@pytest.mark.parametrize("per_step", [True, False])
@pytest.mark.parametrize("weighted", [None, "samples", "steps"])
def test_losses_are_those_of_the_sequences_alone(rng, sequences, per_step, weighted):
    if weighted == "steps" and not per_step:
        return
    model = model_of(rng, return_sequences=per_step)
    if per_step:
        sequences = [one for one in sequences if len(one)]
    steps = [len(one) for one in sequences]
    y = [rng.standard_normal((length, 3) if per_step else 3) for length in steps]
    weights = None
    if weighted is not None:
        weights = [rng.random(n) if weighted == "steps" else rng.random() for n in steps]
    got = model.evaluate(
        sequences, y, batch_size=100, sample_weight=weights, verbose=0, return_dict=True
    )
    total = absolute = weighed = norm = 0.0
    for k, (one, target) in enumerate(zip(sequences, y, strict=True)):
        output = model(one[None])[0]
        w = 1.0 if weights is None else weights[k]
        squares = ((output - target) ** 2).mean(axis=-1)
        absolute += np.abs(output - target).mean(axis=-1).sum()
        total += (w * squares).sum()
        norm += (w * np.ones(squares.shape)).sum()
        weighed += (w * squares).sum()
    count = sum(steps) if per_step else len(steps)
    assert got["loss"] == pytest.approx(total / count, rel=1e-12)
    assert got["mean_absolute_error" if "mean_absolute_error" in got else "mae"] == pytest.approx(
        absolute / count, rel=1e-12
    )
    [name] = [name for name in got if "mse" in name or "squared" in name]
    assert got[name] == pytest.approx(weighed / norm, rel=1e-12)


def test_training_takes_the_same_step_however_sequences_are_given(rng, sequences):
    """Arrays, lists of Python lists, an array of objects; or padded, behind a Masking layer."""
    y = rng.standard_normal((len(sequences), 3))
    objects = np.empty(len(sequences), object)
    objects[:] = sequences
    results = []
    for given in (sequences, [one.tolist() for one in sequences], tuple(sequences), objects):
        model = model_of(np.random.default_rng(1), return_sequences=False)
        model.fit(given, y, batch_size=100, epochs=2, shuffle=False, verbose=0)
        results.append(model.get_weights())
    padded = np.zeros((len(sequences), max(LENGTHS), 3))
    for row, one in zip(padded, sequences, strict=True):
        row[: len(one)] = one
    weights = model_of(np.random.default_rng(1), return_sequences=False).get_weights()
    masked = Sequential([layers.Input((None, 3)), layers.Masking(**F64)])
    masked.add(layers.LSTM(4, return_sequences=True, **F64))
    masked.add(layers.GRU(3, **F64))
    masked.set_weights(weights)
    masked.compile(optimizers.SGD(0.1), "mse")
    masked.fit(padded, y, batch_size=100, epochs=2, shuffle=False, verbose=0)
    for other in results[1:]:
        for a, b in zip(results[0], other, strict=True):
            np.testing.assert_array_equal(a, b)
    for a, b in zip(results[0], masked.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("per_step", [True, False])
def test_words_of_texts(rng, per_step):
    """Integers, with a class for each word or for each text."""
    texts = [[1, 2, 3], [4], [2, 2, 2, 2, 1]]
    classes = [[0, 1, 1], [1], [0, 0, 1, 0, 1]] if per_step else [0, 1, 1]
    model = Sequential(
        [
            layers.Embedding(5, 4),
            layers.GRU(4, return_sequences=per_step),
            layers.Dense(2, "softmax"),
        ]
    )
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    got = model.evaluate(texts, classes, verbose=0)[0]
    alone = [model.evaluate([t], [c], verbose=0)[0] for t, c in zip(texts, classes, strict=True)]
    weights = [len(text) if per_step else 1 for text in texts]
    assert got == pytest.approx(np.average(alone, weights=weights), rel=1e-6)
    history = model.fit(texts, classes, epochs=40, batch_size=2, verbose=0).history
    assert history["loss"][-1] < history["loss"][0]
    assert all(np.isfinite(history["loss"]))
    outputs = model.predict(texts, verbose=0)
    assert [np.shape(one) for one in outputs] == [
        (len(text), 2) if per_step else (2,) for text in texts
    ]


def test_masks_of_layers_are_beside_those_of_padding(rng):
    """Where neither a zero nor padding is taken for the other."""
    model = Sequential([layers.Input((None, 3)), layers.Masking(2.0, **F64), layers.GRU(3, **F64)])
    x = [np.zeros((2, 3)), rng.standard_normal((4, 3)), np.full((3, 3), 2.0)]
    x[1][2] = 2.0
    got = model.predict(x, verbose=0)
    for k, one in enumerate(x):
        np.testing.assert_array_equal(got[k], model(one[None])[0])
    words = Sequential([layers.Embedding(5, 4, mask_zero=True, **F64), layers.GRU(3, **F64)])
    texts = [[0, 1, 0], [2], [0, 0]]
    got = words.predict(texts, verbose=0)
    for k, one in enumerate(texts):
        np.testing.assert_array_equal(got[k], words(np.array([one]))[0])


def test_the_first_batches_are_those_of_the_first_sequences(rng, sequences):
    model = model_of(rng, return_sequences=True)
    whole = model.predict(sequences, verbose=0)
    part = model.predict(sequences, batch_size=2, steps=2, verbose=0)
    assert len(part) == 4
    for got, wanted in zip(part, whole[:4], strict=True):
        assert (got == wanted).all()
    y = [one[:, :3] for one in sequences]
    wanted = model.evaluate(sequences[:4], y[:4], batch_size=2, verbose=0)
    assert model.evaluate(sequences, y, batch_size=2, steps=2, verbose=0) == wanted
    history = model.fit(
        sequences,
        y,
        validation_data=(sequences, y),
        validation_batch_size=2,
        validation_steps=2,
        verbose=0,
    ).history
    wanted = model.evaluate(sequences[:4], y[:4], batch_size=2, verbose=0, return_dict=True)
    assert {name: values[0] for name, values in history.items() if name.startswith("val_")} == {
        f"val_{name}": value for name, value in wanted.items()
    }


def test_validation_split_takes_the_last_sequences(rng, sequences):
    model = model_of(rng, return_sequences=True)
    y = [one[:, :3] for one in sequences]
    weights = [rng.random(len(one)) for one in sequences]
    history = model.fit(
        sequences, y, sample_weight=weights, validation_split=0.4, shuffle=False, verbose=0
    ).history
    wanted = model.evaluate(sequences[4:], y[4:], sample_weight=weights[4:], verbose=0)
    assert history["val_loss"] == [wanted[0]]


def test_each_output_ends_with_the_input_that_it_belongs_to(rng, sequences):
    """An encoder and a decoder, of sequences of other lengths."""
    x, z = layers.Input((None, 3)), layers.Input((None, 3))
    inner = layers.LSTM(4, return_sequences=True, return_state=True, **F64)
    read, h, c = inner(x)
    written = layers.LSTM(4, return_sequences=True, **F64)(z, initial_state=[h, c])
    model = Model([x, z], {"read": read, "written": written, "state": h})
    others = [rng.standard_normal((length, 3)) for length in (2, 6, 1, 3, 9, 9, 1)]
    outputs = model.predict([sequences, others], batch_size=3, verbose=0)
    for output, given in zip(outputs[:2], (sequences, others), strict=True):
        assert [len(one) for one in output] == [len(one) for one in given]
    assert outputs[2].shape == (7, 4)
    for k in range(7):
        alone = model([sequences[k][None], others[k][None]])
        for output, wanted in zip(outputs, alone, strict=True):
            assert (output[k] == wanted[0]).all()


def test_results_keep_no_padding(rng, sequences):
    outputs = model_of(rng, return_sequences=True).predict(sequences, verbose=0)
    assert all(output.base is None for output in outputs)


def test_generators_give_sequences_too(rng, sequences):
    model = model_of(rng, return_sequences=False)
    y = rng.standard_normal((len(sequences), 3))
    wanted = model.predict(sequences, verbose=0)
    parts = [sequences[:4], sequences[4:]]
    got = model.predict((part for part in ((p,) for p in parts)), verbose=0)
    np.testing.assert_array_equal(got, wanted)
    whole = model.evaluate(sequences, y, batch_size=7, verbose=0)
    assert whole == pytest.approx(
        model.evaluate(
            ((part, y[k : k + len(part)]) for part, k in zip(parts, (0, 4), strict=True)), verbose=0
        )
    )


def steps_of_another_shape(rng):
    return [rng.standard_normal((2, 3)), rng.standard_normal((3, 4))], np.zeros((2, 3))


def features_that_do_not_fit(rng):
    return [rng.standard_normal((2, 4)), rng.standard_normal((3, 4))], np.zeros((2, 3))


def arrays_of_several_shapes(rng):
    return [rng.standard_normal((2, 3)), rng.standard_normal((2, 4))], np.zeros((2, 3))


def texts(rng):
    return ["a", "bc"], np.zeros((2, 3))


def lists_of_texts(rng):
    return [["a"], ["b", "c"]], np.zeros((2, 3))


def too_few_targets(rng):
    return [rng.standard_normal((2, 3)), rng.standard_normal((3, 3))], np.zeros((1, 3))


def targets_of_other_lengths(rng):
    return [np.zeros((2, 3)), np.zeros((3, 3))], [np.zeros((2, 3)), np.zeros((4, 3))]


REFUSED = {
    steps_of_another_shape: (ValueError, r"x\[1\] must have steps of shape \(3,\) like the others"),
    features_that_do_not_fit: (ValueError, r"x must have the shape of the model's Input"),
    arrays_of_several_shapes: (ValueError, "x must be an array, or arrays of one shape"),
    texts: (TypeError, "x must be an array of numbers, got list"),
    lists_of_texts: (TypeError, r"x\[0\] must be an array of numbers"),
    too_few_targets: (ValueError, "x and y must have the same number of samples, got 2 and 1"),
    targets_of_other_lengths: (ValueError, r"y_true must have a target for each of the steps \(2"),
}


@pytest.mark.parametrize("make", REFUSED, ids=[make.__name__ for make in REFUSED])
def test_what_is_refused(rng, make):
    error, message = REFUSED[make]
    model = model_of(rng, return_sequences=make is targets_of_other_lengths)
    before = model.get_weights()
    x, y = make(rng)
    with pytest.raises(error, match=message):
        model.fit(x, y, verbose=0)
    for weight, old in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(weight, old)


def test_class_weights_want_targets_of_one_length(rng):
    model = model_of(rng, return_sequences=True)
    with pytest.raises(ValueError, match="one output and targets of one length"):
        model.fit([np.zeros((1, 3)), np.zeros((2, 3))], [[1], [0, 1]], class_weight={0: 2})


def test_numbers_without_axes_are_no_sequences():
    model = Sequential([layers.Input((2,)), layers.Dense(1)])
    model.compile("sgd", "mse")
    y = [np.array(1.0), np.array(2.0)]
    assert len(model.fit(np.ones((2, 2)), y, verbose=0).history["loss"]) == 1
