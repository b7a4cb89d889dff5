"""BackupAndRestore: what was killed, interrupted or could not be saved ends with the same bits."""

import errno
import os
import random
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

import interrupted_fit
from rnnfast import Sequential, callbacks, layers, optimizers, utils
from rnnfast.files import state_file
from rnnfast.testing.bits import digest
from rnnfast.utils import random_seed

KILLS = 200


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """Digest and seconds of each training that nobody disturbs, from a process of its own."""

    def undisturbed(name):
        process = interrupted_fit.start(name, tmp_path_factory.mktemp(name))
        process.stdout.readline()
        begin = time.monotonic()
        output, errors = process.communicate()
        assert process.returncode == 0, errors
        return output.strip(), time.monotonic() - begin

    return {name: undisturbed(name) for name in interrupted_fit.FITS}


@pytest.mark.slow
@pytest.mark.parametrize("name", interrupted_fit.FITS)
def test_a_killed_training_goes_on_with_the_same_bits(name, whole, tmp_path):
    wanted, seconds = whole[name]
    rng = random.Random(name)
    got, _ = interrupted_fit.outcome_after_kills(name, tmp_path, rng, seconds, most=3)
    assert got == wanted


@pytest.mark.full
def test_two_hundred_kills(whole, tmp_path, capsys):
    """Takes six minutes or more: pytest --full tests/training/test_resuming.py -k hundred."""
    rng = random.Random(1)
    kills = ends = 0
    names = list(interrupted_fit.FITS)
    while kills < KILLS:
        folder = tmp_path / str(ends)
        folder.mkdir()
        name = names[ends % len(names)]
        wanted, seconds = whole[name]
        got, of_run = interrupted_fit.outcome_after_kills(
            name, folder, rng, seconds, most=min(12, KILLS - kills)
        )
        assert got == wanted, f"{name}, after {of_run} kills"
        kills, ends = kills + of_run, ends + 1
    with capsys.disabled():
        print(f"\n{kills} kills, {kills} resumes, {ends} trainings, all with the same bits")


@pytest.mark.parametrize("number", [0, 1, 7])
def test_killed_while_a_file_is_half_written(number, whole, tmp_path):
    """Of a backup or a checkpoint: the one of before is whole, or there is none yet."""
    killed = (
        "import os, pathlib, signal, sys, interrupted_fit\n"
        "write, left = os.write, [int(sys.argv[1])]\n"
        "def half(file, data):\n"
        "    if not left[0]:\n"
        "        write(file, data[: len(data) // 2])\n"
        "        os.kill(os.getpid(), signal.SIGKILL)\n"
        "    left[0] -= 1\n"
        "    return write(file, data)\n"
        "os.write = half\n"
        "interrupted_fit.run('ragged', pathlib.Path(sys.argv[2]))\n"
    )
    here = os.path.dirname(interrupted_fit.__file__)
    paths = os.pathsep.join([here, *filter(None, [os.environ.get("PYTHONPATH")])])
    done = subprocess.run(
        [sys.executable, "-c", killed, str(number), str(tmp_path)],
        env={**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": paths},
    )
    assert done.returncode == -signal.SIGKILL
    got, _ = interrupted_fit.outcome_after_kills("ragged", tmp_path, random.Random(0), 0, most=0)
    assert got == whole["ragged"][0]


# ------------------------------------------------------------------- within one process

X = np.random.default_rng(0).standard_normal((24, 5, 2)).astype(np.float32)
Y = np.random.default_rng(1).integers(3, size=24)


class Example:
    """A small training, made anew for each process that is imagined."""

    def __init__(self, folder, units=4, optimizer=None, more=(), x=X, **fit):
        utils.set_random_seed(3)
        self.model = Sequential(
            [layers.Input((5, 2)), layers.LSTM(units, dropout=0.2), layers.Dense(3, "softmax")]
        )
        self.model.compile(optimizer or optimizers.Adam(0.05), "sparse_categorical_crossentropy")
        self.folder, self.more = folder, list(more)
        self.arguments = {"x": x, "y": Y, "epochs": 4, "batch_size": 4, "verbose": 0, **fit}

    def fit(self):
        backup = callbacks.BackupAndRestore(self.folder, save_freq=2)
        return self.model.fit(**self.arguments, callbacks=[backup, *self.more])

    def left(self):
        """Digest of what a training changes."""
        state = self.model.optimizer.get_state()
        drawn = repr([layer.get_random_state() for layer in self.model.layers])
        arrays = [*self.model.get_weights(), *state.values()]
        return digest([*arrays, np.frombuffer(drawn.encode(), np.uint8)])


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "made" / "backup"


@pytest.fixture
def undisturbed(tmp_path):
    example = Example(tmp_path / "undisturbed")
    return example.fit().history, example.left()


def interrupt(monkeypatch, after):
    """Raise KeyboardInterrupt in an update, when some of the parameters have changed."""
    step, left = optimizers.Adam.update_step, [after]

    def interrupted(*arguments):
        step(*arguments)
        left[0] -= 1
        if not left[0]:
            raise KeyboardInterrupt

    monkeypatch.setattr(optimizers.Adam, "update_step", interrupted)


@pytest.mark.parametrize("after", [3, 27, 78])  # updates of five parameters, six a epoch
def test_ctrl_c_in_the_middle_of_an_update(after, folder, undisturbed, monkeypatch):
    history, left = undisturbed
    example = Example(folder)
    with monkeypatch.context() as patch:
        interrupt(patch, after)
        with pytest.raises(KeyboardInterrupt):
            example.fit()
    if after > 5:  # there is a backup: the same model goes on, and one of a new process
        again = example.model.get_weights()
        assert example.fit().history == history
        assert digest(again) != digest(example.model.get_weights())
    else:
        example = Example(folder)
        assert example.fit().history == history
    assert example.left() == left
    assert not list(folder.iterdir())  # a run that has ended leaves nothing to go on with


def test_a_full_disk(folder, undisturbed, monkeypatch):
    example = Example(folder)
    write, left = os.write, [4]

    def full(file, data):
        left[0] -= 1
        if left[0] < 0:
            write(file, data[:100])
            raise OSError(errno.ENOSPC, "No space left on device")
        return write(file, data)

    with monkeypatch.context() as patch:
        patch.setattr("os.write", full)
        with pytest.raises(OSError, match=r"No space left on device: '.*fit\.safetensors'"):
            example.fit()
    [path] = folder.iterdir()
    assert state_file.load(path, "run")["epoch"] == 1  # whole: that of the epoch's end
    example = Example(folder)
    assert (example.fit().history, example.left()) == undisturbed


def test_a_loss_that_is_nan_is_met_again(folder):
    x = X.copy()
    x[13] = np.nan
    for _ in range(2):
        example = Example(folder, x=x, shuffle=False)
        with pytest.raises(FloatingPointError, match="in epoch 1, step 4"):
            example.fit()


def test_a_training_that_a_callback_has_ended_is_not_taken_up(folder):
    class Stop(callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            self.model.stop_training = epoch == 1

        def on_train_end(self, logs=None):
            self.logs = logs

    class Kill(callbacks.Callback):
        def on_train_end(self, logs=None):
            raise KeyboardInterrupt

    first, second = Stop(), Stop()
    example = Example(folder, more=[first, Kill()])
    with pytest.raises(KeyboardInterrupt):
        example.fit()
    again = Example(folder, more=[second, Kill()])
    with pytest.raises(KeyboardInterrupt):
        again.fit()
    assert again.left() == example.left()
    assert again.model.history.epoch == [0, 1]
    assert second.logs == first.logs != {}


@pytest.mark.parametrize("last", [1, 3, 5])
def test_an_epoch_that_was_stopped_is_ended(last, folder, tmp_path):
    """The backup is that of its last batch, after which come validation and the epoch's end."""

    class Stop(callbacks.Callback):
        killed = False

        def on_train_batch_end(self, batch, logs=None):
            self.model.stop_training = batch == last and self.model.run.epoch == 1

        def on_epoch_end(self, epoch, logs=None):
            if self.killed and epoch == 1:
                raise KeyboardInterrupt

    outcomes = []
    for where, killed in ((tmp_path / "undisturbed", False), (folder, True), (folder, False)):
        stop = Stop()
        stop.killed = killed
        example = Example(where, more=[stop], validation_data=(X[:5], Y[:5]))
        if killed:
            with pytest.raises(KeyboardInterrupt):
                example.fit()
        else:
            outcomes.append((example.fit().history, example.left()))
    assert outcomes[0] == outcomes[1]


def test_more_epochs_go_on(folder, undisturbed):
    for epochs in (2, 4):
        example = Example(folder, epochs=epochs)
        example.arguments["callbacks"] = [
            callbacks.BackupAndRestore(folder, delete_checkpoint=False)
        ]
        history = example.model.fit(**example.arguments).history
    assert (history, example.left()) == undisturbed


# ------------------------------------------------------------------------- what is refused

OTHERS = {
    "weights were": {"units": 5},
    "optimizer were 'Adam', now": {"optimizer": "sgd"},
    "data were [24, 4, 6], now": {"batch_size": 8},
    "callbacks were": {"more": [callbacks.TerminateOnNaN()]},
    "state": {"optimizer": optimizers.Adam(0.05, amsgrad=True)},
    "state lacks": {"optimizer": optimizers.Adam(0.05, gradient_accumulation_steps=2)},
}


@pytest.fixture
def backup(folder, monkeypatch):
    with monkeypatch.context() as patch:
        interrupt(patch, 60)
        with pytest.raises(KeyboardInterrupt):
            Example(folder).fit()
    [path] = folder.iterdir()
    return path


def refused(example, path, *mentioned):
    before = example.model.get_weights(), path.read_bytes()
    drawn = random_seed.get_state()
    with pytest.raises(ValueError) as caught:
        example.fit()
    for one in (str(path), *mentioned):
        assert one in str(caught.value)
    assert digest(example.model.get_weights()) == digest(before[0])
    assert int(example.model.optimizer.iterations) == 0
    assert path.read_bytes() == before[1]
    # The order of samples has drawn a seed.
    assert {**random_seed.get_state(), "seeds": 0} == {**drawn, "seeds": 0}


@pytest.mark.parametrize("what", OTHERS)
def test_a_backup_of_another_fit(what, backup):
    refused(Example(backup.parent, **OTHERS[what]), backup, "is of another fit", what)


def test_a_file_that_is_no_backup(backup):
    example = Example(backup.parent)
    example.model.save(backup)
    refused(example, backup, "holds a 'model', wanted a 'run'")
    example.model.save_weights(backup)
    refused(example, backup, "was not written by rnnfast")


def test_a_damaged_backup(backup):
    whole = backup.read_bytes()
    example = Example(backup.parent)
    for length in range(0, len(whole), 997):
        backup.write_bytes(whole[:length])
        refused(example, backup)


@pytest.mark.parametrize("lost", ["fit", "weights", "optimizer", "feed", "layers", "random"])
def test_a_backup_without_a_part(lost, backup):
    state = state_file.load(backup, "run")
    for value in (None, [], {}):
        state_file.save(backup, "run", {**state, lost: value})
        refused(Example(backup.parent), backup, "is of another fit, or damaged")
    del state[lost]
    state_file.save(backup, "run", state)
    refused(Example(backup.parent), backup, "is of another fit, or damaged")


@pytest.mark.parametrize("save_freq", [0, -1, 1.5, True, "batch", None])
def test_save_freq(save_freq):
    with pytest.raises(ValueError, match="save_freq must be"):
        callbacks.BackupAndRestore("backup", save_freq)


def test_one_file_is_enough():
    with pytest.raises(NotImplementedError, match="double_checkpoint=True"):
        callbacks.BackupAndRestore("backup", "epoch", True)
