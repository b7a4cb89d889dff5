"""Files of a model while it trains."""

import numpy as np
import pytest

from fake_fit import FakeModel, fit
from rnnfast import Sequential, layers
from rnnfast.callbacks import ModelCheckpoint
from rnnfast.models import load_model


def saved(values, filepath="at.safetensors", steps=0, **options):
    """What is saved, as (file, number of the epoch), and the callback."""
    model, checkpoint = FakeModel(), ModelCheckpoint(filepath, **options)
    fit([checkpoint], values, model, steps=steps)
    return [(path, epoch) for _, path, epoch in model.saved], checkpoint


def test_the_last_of_all_epochs():
    files, checkpoint = saved([2.0, 1.0, 3.0])
    assert files == [("at.safetensors", 0), ("at.safetensors", 1), ("at.safetensors", 2)]
    assert checkpoint.best is None


@pytest.mark.parametrize(
    ("options", "epochs"),
    [
        ({}, [0, 1, 4]),
        ({"mode": "max"}, [0, 2]),
        ({"initial_value_threshold": 1.5}, [1, 4]),
        ({"initial_value_threshold": 0.1}, []),
    ],
)
def test_the_best(options, epochs):
    files, _ = saved([2.0, 1.0, 3.0, 1.0, 0.5], save_best_only=True, **options)
    assert [epoch for _, epoch in files] == epochs


def test_the_best_of_several_trainings():
    model, checkpoint = FakeModel(), ModelCheckpoint("at.safetensors", save_best_only=True)
    fit([checkpoint], [2.0], model)
    fit([checkpoint], [3.0, 1.0], model)
    assert [epoch for _, _, epoch in model.saved] == [0, 1]


def test_names_are_filled_in():
    template = "{epoch:02d}-{val_loss:.2f}.safetensors"
    assert saved([2.0, 0.125], template)[0] == [
        ("01-2.00.safetensors", 0),
        ("02-0.12.safetensors", 1),
    ]
    template = "{epoch}-{batch:02d}.safetensors"
    assert saved([1.0] * 2, template, steps=3, save_freq=2)[0] == [
        ("1-02.safetensors", 0),
        ("2-01.safetensors", 1),
        ("2-03.safetensors", 1),
    ]


def test_weights_alone_or_all():
    for options, kind in [({}, "model"), ({"save_weights_only": True}, "weights")]:
        model = FakeModel()
        fit([ModelCheckpoint("at.safetensors", **options)], [1.0], model)
        assert model.saved == [(kind, "at.safetensors", 0)]


def test_what_cannot_be_monitored_is_saved_each_time_with_one_warning():
    with pytest.warns(UserWarning, match="'val_los'.*did you mean 'val_loss'") as heard:
        files, _ = saved([1.0, 2.0], monitor="val_los", save_best_only=True)
    assert [epoch for _, epoch in files] == [0, 1]
    assert len(heard) == 1


def test_what_it_prints(capsys):
    saved([2.0, 3.0], save_best_only=True, verbose=1)
    assert capsys.readouterr().out == (
        "\nEpoch 1: val_loss improved from none to 2.00000, saving model to at.safetensors\n"
        "\nEpoch 2: val_loss did not improve from 2.00000\n"
    )
    saved([2.0], verbose=1)
    assert capsys.readouterr().out == "\nEpoch 1: saving model to at.safetensors\n"


def test_the_file_of_a_model_has_its_weights(tmp_path):
    path = tmp_path / "new" / "folder" / "{epoch}.safetensors"
    model = Sequential([layers.Dense(1)])
    model.compile("sgd", "mse")
    checkpoint = ModelCheckpoint(path, save_weights_only=True)
    x, y = np.ones((4, 2)), np.ones(4)
    model.fit(x, y, epochs=2, callbacks=[checkpoint], verbose=0)
    assert sorted(file.name for file in path.parent.iterdir()) == ["1.safetensors", "2.safetensors"]
    trained = model.get_weights()
    model.load_weights(path.parent / "1.safetensors")
    assert not np.array_equal(model.get_weights()[0], trained[0])
    model.load_weights(path.parent / "2.safetensors")
    np.testing.assert_array_equal(model.get_weights()[0], trained[0])


def test_the_best_model_is_saved_whole(tmp_path):
    model = Sequential([layers.Dense(1)])
    model.compile("adam", "mse")
    checkpoint = ModelCheckpoint(tmp_path / "best.safetensors", monitor="loss", save_best_only=True)
    model.fit(np.ones((4, 2)), np.ones(4), epochs=2, callbacks=checkpoint, verbose=0)
    loaded = load_model(tmp_path / "best.safetensors")
    assert loaded.optimizer.iterations == 2
    np.testing.assert_array_equal(loaded.get_weights()[0], model.get_weights()[0])


@pytest.mark.parametrize(
    ("filepath", "message"),
    [
        ("model.keras", r"must end in \.safetensors, got 'model\.keras'"),
        ("model.weights.h5", r"must end in \.safetensors"),
        ("{epoch.safetensors", r"damaged \{field\}"),
        ("{}.safetensors", r"must name what is to be filled in"),
        ("{0}.safetensors", r"must name what is to be filled in"),
    ],
)
def test_paths_that_are_refused(filepath, message):
    with pytest.raises(ValueError, match=message):
        ModelCheckpoint(filepath)


def test_a_path_that_names_what_is_not_in_the_logs():
    with pytest.raises(ValueError, match=r"names 'val_los'.*did you mean 'val_loss'.*epoch, val"):
        saved([1.0], "{val_los:.2f}.safetensors")


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"save_freq": "epochs"}, ValueError, "'epoch' or a number of batches.*mean 'epoch'"),
        ({"save_freq": 0}, ValueError, "save_freq must be a positive integer, got 0"),
        ({"save_best_only": 1}, TypeError, "save_best_only must be True or False, got 1"),
        ({"save_best": True}, TypeError, "'save_best'; did you mean 'save_best_only'"),
        ({"initial_value_threshold": "1"}, TypeError, "initial_value_threshold must be a number"),
    ],
)
def test_arguments_that_are_refused(options, error, message):
    with pytest.raises(error, match=message):
        ModelCheckpoint("at.safetensors", **options)
