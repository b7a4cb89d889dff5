"""Objects of other frameworks, told apart without importing any."""

import numpy as np
import pytest

from fake_fit import class_of
from rnnfast import layers
from rnnfast.utils.foreign import foreign, instead

DENSE = class_of("Dense", "keras.src.layers.core.dense")


@pytest.mark.parametrize(
    ("obj", "framework"),
    [
        (DENSE(), "keras"),
        (DENSE, "keras"),
        (type("Mine", (DENSE,), {})(), "keras"),
        (class_of("Dense", "tf_keras.src.layers")(), "tf_keras"),
        (class_of("LSTM", "torch.nn.modules.rnn")(), "torch"),
        (class_of("Dense", "kerasque.layers")(), None),
        (layers.Dense(1), None),
        (np.ones(3), None),
        (None, None),
    ],
)
def test_whose_an_object_is(obj, framework):
    assert foreign(obj) == framework


def test_what_to_use_in_its_place():
    known = ["Dense", "Dropout"]
    assert (
        instead(DENSE(), "rnnfast.layers", known) == "; Dense is keras's, use rnnfast.layers.Dense"
    )
    assert instead(class_of("Dropout1D")(), "rnnfast.layers", known) == (
        "; Dropout1D is keras's, rnnfast.layers has none of this name; did you mean 'Dropout'?"
    )
    assert instead(layers.Dense(1), "rnnfast.layers", known) == ""
