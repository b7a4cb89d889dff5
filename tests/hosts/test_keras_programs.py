"""Programs of the tutorials learn the same here as in Keras on TensorFlow: losses of five epochs.

They begin with the same weights, take the same batches, and compute in float32 as users do. Keras
has a process of its own, since its other tests here run on torch's backend.
"""

from __future__ import annotations

import numpy as np
import pytest

import rnnfast
from rnnfast.bench.training.fitted import Fitted
from rnnfast.bench.training.processes import Apart

EPOCHS = 5
WITHIN = 1e-4  # relative

SMALL = {
    "classifier": {"samples": 128, "steps": 9, "features": 6, "units": 24},
    "forecast SimpleRNN": {"layer": "SimpleRNN", "samples": 200, "steps": 12, "units": 10},
    "forecast LSTM": {"layer": "LSTM", "samples": 200, "steps": 12, "units": 10},
    "forecast GRU": {"layer": "GRU", "samples": 200, "steps": 12, "units": 10},
    "text_classifier": {
        "samples": 100,
        "steps": 15,
        "words": 60,
        "embedding": 8,
        "units": 12,
    },
    "stacked": {"samples": 100, "steps": 8, "features": 5, "units": 12},
}


@pytest.fixture(scope="module")
def keras():
    with Apart(Fitted, "keras", 1) as process:
        yield process


@pytest.mark.parametrize(("name", "sizes"), SMALL.items(), ids=SMALL)
def test_losses_are_those_of_keras(keras, name, sizes):
    program = name.split()[0]
    ours = Fitted("rnnfast", rnnfast.get_num_threads())
    keras.ask("prepare", program, sizes, ours.prepare(program, sizes))
    got, wanted = ours.losses(EPOCHS), keras.ask("losses", EPOCHS)
    assert wanted[-1] < wanted[0]
    np.testing.assert_allclose(got, wanted, rtol=WITHIN, atol=0)


def test_an_epoch_is_timed(keras):
    keras.ask("prepare", "classifier", SMALL["classifier"])
    assert 0 < keras.ask("epoch") < 100


def test_other_weights_are_noticed(keras):
    sizes = SMALL["classifier"]
    ours = Fitted("rnnfast", rnnfast.get_num_threads())
    first, *others = ours.prepare("classifier", sizes)
    keras.ask("prepare", "classifier", sizes, [2 * first, *others])
    with pytest.raises(AssertionError):
        np.testing.assert_allclose(ours.losses(1), keras.ask("losses", 1), rtol=WITHIN, atol=0)


def test_what_a_process_raises_is_raised_here(keras):
    with pytest.raises(AttributeError, match="abacus"):
        keras.ask("prepare", "abacus", {})
