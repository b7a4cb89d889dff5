"""BackupAndRestore: what was killed, interrupted or could not be saved ends with the same bits."""

import errno
import os
import random
import time

import numpy as np
import pytest

import interrupted_fit
from rnnfast import Sequential, callbacks, layers, optimizers, utils
from rnnfast.testing.bits import digest
from rnnfast.training import state_file

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
    """Takes three minutes: pytest --full tests/training/test_resuming.py -k hundred."""
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
