"""A table of all epochs in a file."""

import numpy as np
import pytest

from fake_fit import fit
from rnnfast import Sequential, layers
from rnnfast.callbacks import CSVLogger

EPOCHS = [{"loss": 2.0, "val_loss": 3.0}, {"loss": 1.5, "val_loss": 2.5}, {"loss": 1.0}]
ROWS = ["epoch,loss,val_loss", "0,2.0,3.0", "1,1.5,2.5", "2,1.0,NA"]


@pytest.fixture
def path(tmp_path):
    return tmp_path / "log.csv"


def test_a_row_for_each_epoch(path):
    fit([CSVLogger(path)], EPOCHS)
    assert path.read_text().splitlines() == ROWS


def test_columns_for_a_validation_that_may_come(path):
    fit([CSVLogger(path, separator=";")], [{"loss": 2.0, "acc": 0.5}])
    assert path.read_text().splitlines() == ["epoch;acc;loss;val_acc;val_loss", "0;0.5;2.0;NA;NA"]


def test_lists_and_arrays(path):
    fit([CSVLogger(path)], [{"val_a": [1, 2], "b": np.array([0.5]), "c": np.array(3), "d": "x"}])
    assert path.read_text().splitlines()[1] == '0,"""[0.5]""",3,x,"""[1, 2]"""'


def test_a_second_training_replaces_the_rows_or_goes_on(path):
    fit([CSVLogger(path)], EPOCHS[:1])
    fit([CSVLogger(path, append=True)], EPOCHS[1:2])
    assert path.read_text().splitlines() == [*ROWS[:2], "0,1.5,2.5"]
    logger = CSVLogger(path)
    for _ in range(2):
        fit([logger], EPOCHS[:1])
        assert path.read_text().splitlines() == ROWS[:2]


def test_columns_are_those_of_the_first_epoch(path):
    logger = CSVLogger(path)
    fit([logger], [{"loss": 2.0, "val_loss": 3.0}])
    fit([logger], [{"mae": 2.0, "val_mae": 3.0}])
    assert path.read_text().splitlines() == ["epoch,mae,val_mae", "0,2.0,3.0"]
    fit([CSVLogger(path)], [{}, {"loss": 1.0}], first_epoch=1, state=[logger.get_state()])
    assert path.read_text().splitlines() == ["epoch,mae,val_mae", "0,2.0,3.0", "1,NA,NA"]


def test_an_earlier_file_is_there_until_the_first_epoch_is_over(path):
    path.write_text("precious\n")
    fit([CSVLogger(path)], [])
    assert path.read_text() == "precious\n"
    fit([CSVLogger(path)], EPOCHS[:1])
    assert path.read_text().splitlines() == ROWS[:2]


def test_rows_are_there_while_the_training_runs(path):
    logger = CSVLogger(path)
    logger.on_train_begin()
    logger.on_epoch_end(0, EPOCHS[0])
    assert path.read_text().splitlines() == ROWS[:2]
    path.unlink()
    logger.on_epoch_end(1, EPOCHS[1])
    assert path.read_text().splitlines() == [ROWS[0], ROWS[2]]


def test_a_resumed_training_goes_on_where_the_backup_was_made(path):
    path.write_text("epoch,loss,val_loss\r\n7,1.0,1.0\r\n")
    first = CSVLogger(path, append=True)
    first.on_train_begin()
    first.on_epoch_end(0, EPOCHS[0])
    state = first.get_state()
    first.on_epoch_end(1, EPOCHS[1])
    with path.open("a") as file:  # killed in the middle of a row
        file.write("2,1.")
    fit([CSVLogger(path, append=True)], EPOCHS, first_epoch=1, state=[state])
    assert path.read_text().splitlines() == [ROWS[0], "7,1.0,1.0", *ROWS[1:]]


def test_a_model_and_a_file_that_cannot_be_written(path, tmp_path):
    model = Sequential([layers.Dense(1)])
    model.compile("sgd", "mse")
    x, y = np.ones((4, 1)), np.ones(4)
    history = model.fit(x, y, epochs=2, callbacks=CSVLogger(path), verbose=0)
    table = np.genfromtxt(path, delimiter=",", names=True)
    np.testing.assert_array_equal(table["loss"], history.history["loss"])
    before = model.get_weights()[0]
    with pytest.raises(FileNotFoundError, match="missing"):
        model.fit(x, y, callbacks=CSVLogger(tmp_path / "missing" / "log.csv"), verbose=0)
    np.testing.assert_array_equal(model.get_weights()[0], before)


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"separator": ", "}, ValueError, "separator must be one character, got ', '"),
        ({"append": "a"}, TypeError, "append must be True or False, got 'a'"),
        ({"seperator": ","}, TypeError, "'seperator'; did you mean 'separator'"),
    ],
)
def test_arguments_that_are_refused(path, options, error, message):
    with pytest.raises(error, match=message):
        CSVLogger(path, **options)
