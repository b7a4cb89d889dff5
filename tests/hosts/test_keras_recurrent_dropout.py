"""Agreement with Keras's recurrent dropout, given the mask that ours has drawn."""

from __future__ import annotations

import numpy as np
import pytest

from keras_twins import TOLERANCE, keras, marks, set_same_weights
from rnnfast import layers
from rnnfast.engine.noise import Noise
from rnnfast.engine.place import HOST
from rnnfast.utils.random_seed import make_generator

pytestmark = marks

BATCH, STEPS, FEATURES, UNITS = 4, 6, 3, 5
RATE, SEED = 0.4, 7


# Of a GRU that resets before the product Keras has the candidate see its own mask of h, as of the
# others; only the masks of all gates must be one to be ours.
@pytest.mark.parametrize(
    ("kind", "options"),
    [("SimpleRNN", {}), ("LSTM", {}), ("GRU", {}), ("GRU", {"reset_after": False})],
)
def test_the_same_mask_gives_the_same_numbers(kind: str, options: dict) -> None:
    rng = np.random.default_rng(0)
    arguments = {"recurrent_dropout": RATE, "dtype": "float64", "return_sequences": True, **options}
    own = getattr(layers, kind)(UNITS, seed=SEED, **arguments)
    other = getattr(keras.layers, kind)(UNITS, **arguments)
    x = rng.standard_normal((BATCH, STEPS, FEATURES))
    own.build(x.shape)
    other.build(x.shape)
    set_same_weights(rng, own, other)

    noise = Noise(recurrent_dropout=RATE, seed=int(make_generator(SEED).integers(2**63)))
    masks = noise.of_states(HOST, 0, (STEPS, BATCH), (UNITS, UNITS), np.dtype(np.float64))
    assert masks is not None
    mask, _, _ = masks
    given = keras.ops.convert_to_tensor(mask)
    gates = {"SimpleRNN": None, "LSTM": 4, "GRU": 3}[kind]
    of_gates = given if gates is None else [given] * gates
    other.cell.get_recurrent_dropout_mask = lambda step_input: of_gates

    y, _ = own.vjp(x, wrt_input=False)
    wanted = keras.ops.convert_to_numpy(other(x, training=True))
    np.testing.assert_allclose(y, wanted, **TOLERANCE)
    assert not np.allclose(y, keras.ops.convert_to_numpy(other(x, training=False)))
