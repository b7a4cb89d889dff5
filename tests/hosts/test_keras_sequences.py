"""Agreement with Keras in what concerns sequences: states, masks, directions, stacked cells."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from keras_twins import (
    TOLERANCE,
    assert_same_structure,
    assert_same_weights,
    keras,
    marks,
    set_same_weights,
    with_same_weights,
)
from rnnfast import layers, optimizers

pytestmark = marks

BATCH, STEPS, FEATURES, VOCABULARY = 4, 6, 3, 7
F64 = {"dtype": "float64"}

# A gradient sums Keras's float32 products over 24 steps, through three cells: up to 1e-5.
OF_GRADIENTS = {"rtol": 2e-5, "atol": 2e-5}
RNG = np.random.default_rng(5)

PADDED = np.arange(STEPS) < np.array([STEPS, 3, 1, 5])[:, None]
MASKS = {
    "no mask": None,
    "padded": PADDED,
    "padded before": PADDED[:, ::-1],
    "holes and nothing": RNG.random((BATCH, STEPS)) < [[0.5], [0.0], [0.5], [0.8]],
}
masks = pytest.mark.parametrize("mask", MASKS.values(), ids=MASKS.keys())


@pytest.fixture
def rng():
    return np.random.default_rng(0)


# Each entry builds the same layer from either library's `layers` module.
LAYERS = {
    "simple_rnn": lambda kit, **kw: kit.SimpleRNN(5, **F64, **kw),
    "lstm": lambda kit, **kw: kit.LSTM(5, **F64, **kw),
    "gru": lambda kit, **kw: kit.GRU(5, **F64, **kw),
    "gru_reset_before": lambda kit, **kw: kit.GRU(5, reset_after=False, **F64, **kw),
    "one cell": lambda kit, **kw: kit.RNN(kit.LSTMCell(5, **F64), **F64, **kw),
    "stack": lambda kit, **kw: kit.RNN(
        [kit.LSTMCell(5, **F64), kit.GRUCell(4, **F64), kit.SimpleRNNCell(6, **F64)], **F64, **kw
    ),
    "stack object": lambda kit, **kw: kit.RNN(
        kit.StackedRNNCells([kit.GRUCell(5, **F64), kit.LSTMCell(4, use_bias=False, **F64)]),
        **F64,
        **kw,
    ),
}
every_layer = pytest.mark.parametrize("make", LAYERS.values(), ids=LAYERS.keys())


def twins(rng, make):
    """A layer of each library with equal weights."""
    theirs, ours = make(keras.layers), make(layers)
    theirs(np.zeros((BATCH, STEPS, FEATURES)))
    ours.build((BATCH, STEPS, FEATURES))
    set_same_weights(rng, ours, theirs)
    return ours, theirs


def tensor(array):
    return None if array is None else keras.ops.convert_to_tensor(array)


@masks
@every_layer
def test_layers_compute_the_same(rng, make, mask):
    x = rng.standard_normal((BATCH, STEPS, FEATURES))
    for every, state, back, zero in product([False, True], repeat=4):
        options = {"return_sequences": every, "return_state": state, "go_backwards": back}
        ours, theirs = twins(
            rng, lambda kit, o=options, z=zero: make(kit, **o, zero_output_for_mask=z)
        )
        assert_same_structure(ours(x, mask=mask), theirs(x, mask=tensor(mask)))


@masks
@pytest.mark.parametrize("merge_mode", ["concat", "ave", None])
@every_layer
def test_bidirectional_layers_compute_the_same(rng, make, merge_mode, mask):
    x = rng.standard_normal((BATCH, STEPS, FEATURES))
    for every, state, zero in product([False, True], repeat=3):
        options = {"return_sequences": every, "return_state": state, "zero_output_for_mask": zero}
        ours, theirs = twins(
            rng,
            lambda kit, o=options: kit.Bidirectional(make(kit, **o), merge_mode=merge_mode, **F64),
        )
        assert_same_structure(ours(x, mask=mask), theirs(x, mask=tensor(mask)))


@masks
@every_layer
def test_initial_states_are_the_same(rng, make, mask):
    x = rng.standard_normal((BATCH, STEPS, FEATURES))
    ours, theirs = twins(rng, lambda kit: make(kit, return_sequences=True, return_state=True))
    _, *states = ours(x)

    def draw(given):
        if isinstance(given, (list, tuple)):
            return [draw(one) for one in given]
        return rng.standard_normal(given.shape)

    initial = draw(states)
    wanted = theirs(x, initial_state=initial, mask=tensor(mask))
    assert_same_structure(ours(x, initial, mask), wanted)


@masks
@pytest.mark.parametrize("every", [False, True])
@every_layer
def test_gradients_are_the_same(rng, make, every, mask):
    for back, zero in product([False, True], repeat=2):
        options = {"go_backwards": back, "zero_output_for_mask": zero}
        ours, theirs = twins(
            rng,
            lambda kit, o=options: make(kit, return_sequences=every, return_state=True, **o),
        )
        x = tensor(rng.standard_normal((BATCH, STEPS, FEATURES))).requires_grad_()
        given = [tensor(rng.standard_normal((BATCH, size))) for size in ours.state_sizes]
        for state in given:
            state.requires_grad_()
        parted = list(given)
        nested = keras.tree.map_structure(
            lambda _, left=parted: left.pop(0), list(ours(np.zeros(x.shape))[1:])
        )
        results = keras.tree.flatten(theirs(x, initial_state=nested, mask=tensor(mask)))
        above = [rng.standard_normal(result.shape) for result in results]
        sum((tensor(d) * result).sum() for d, result in zip(above, results, strict=True)).backward()

        numbers = [state.detach().numpy() for state in given]
        _, pullback = ours.run_vjp(
            x.detach().numpy(), tuple(numbers), mask, wrt_input=True, wrt_states=True
        )
        dx, gradients, dstates = pullback(above[0], above[1:])
        np.testing.assert_allclose(dx, x.grad.numpy(), **OF_GRADIENTS)
        for own, other in zip(dstates, given, strict=True):
            np.testing.assert_allclose(own, other.grad.numpy(), **OF_GRADIENTS)
        names = ours.weight_names
        for name, own, other in zip(names, gradients, theirs.trainable_weights, strict=True):
            wanted = ours._from_keras(name, other.value.grad.numpy())
            np.testing.assert_allclose(own, wanted, **OF_GRADIENTS, err_msg=name)


# --- models with masks ----------------------------------------------------------------------------


def masking(kit):
    return kit.Masking(-1.0, **F64)


MODELS = {
    "last step": lambda kit: [masking(kit), kit.LSTM(5, **F64), kit.Dense(3, "softmax", **F64)],
    "all steps": lambda kit: [
        masking(kit),
        kit.GRU(5, return_sequences=True, **F64),
        kit.Dense(4, "tanh", **F64, name="between"),
        kit.LSTM(5, return_sequences=True, zero_output_for_mask=True, **F64),
        kit.Dense(3, "softmax", **F64),
    ],
    "both ways": lambda kit: [
        masking(kit),
        kit.Bidirectional(kit.LSTM(5, return_sequences=True, **F64), **F64),
        kit.Bidirectional(kit.SimpleRNN(4, return_sequences=True, **F64), merge_mode="sum", **F64),
        kit.TimeDistributed(kit.Dense(3, "softmax", **F64), **F64),
    ],
    "both ways, last step": lambda kit: [
        masking(kit),
        kit.Bidirectional(kit.GRU(5, **F64), **F64),
        kit.Dense(3, "softmax", **F64),
    ],
    "backwards": lambda kit: [
        masking(kit),
        kit.LSTM(5, go_backwards=True, return_sequences=True, **F64),
        kit.GRU(5, **F64),
        kit.Dense(3, "softmax", **F64),
    ],
    "stack": lambda kit: [
        masking(kit),
        kit.RNN([kit.LSTMCell(5, **F64), kit.GRUCell(4, **F64)], return_sequences=True, **F64),
        kit.Dense(3, "softmax", **F64),
    ],
    "no recurrence": lambda kit: [masking(kit), kit.Dense(3, "softmax", **F64)],
}


def assert_same_training(ours, theirs, x, y, loss, **options):
    for model, kit in ((ours, optimizers), (theirs, keras.optimizers)):
        model.compile(kit.SGD(0.1), loss, metrics=["accuracy"])
    np.testing.assert_allclose(
        ours.predict(x, verbose=0, **options), theirs.predict(x, verbose=0, **options), **TOLERANCE
    )
    options = {**options, "verbose": 0}
    got = ours.fit(x, y, epochs=3, shuffle=False, **options).history
    wanted = theirs.fit(x, y, epochs=3, shuffle=False, **options).history
    assert got.keys() == wanted.keys()
    for name, values in wanted.items():
        np.testing.assert_allclose(got[name], values, **TOLERANCE, err_msg=name)
    assert_same_weights(ours, theirs)
    np.testing.assert_allclose(
        ours.evaluate(x, y, **options), theirs.evaluate(x, y, **options), **TOLERANCE
    )


@pytest.mark.parametrize("kind", ["padded", "holes"])
@pytest.mark.parametrize("make", MODELS.values(), ids=MODELS.keys())
def test_masked_models_train_the_same(rng, make, kind):
    samples = 10
    ours, theirs = with_same_weights(rng, make, (STEPS, FEATURES))
    x = rng.standard_normal((samples, STEPS, FEATURES))
    if kind == "padded":
        x[np.arange(STEPS) >= rng.integers(1, STEPS + 1, samples)[:, None]] = -1
    else:
        x[rng.random((samples, STEPS)) < 0.4] = -1
        x[3] = -1
    x[0, 0, 0] = -1  # one feature alone masks nothing
    y = rng.integers(3, size=ours.compute_output_shape(x.shape)[:-1])
    assert_same_training(ours, theirs, x, y, "sparse_categorical_crossentropy", batch_size=4)


@pytest.mark.parametrize("loss", ["categorical_crossentropy", "mse", "binary_crossentropy"])
def test_masked_losses_are_the_same(rng, loss):
    ours, theirs = with_same_weights(
        rng,
        lambda kit: [
            kit.Embedding(VOCABULARY, 4, mask_zero=True, **F64),
            kit.LSTM(5, return_sequences=True, **F64),
            kit.Dense(3, "sigmoid" if loss == "binary_crossentropy" else "softmax", **F64),
        ],
        (STEPS,),
    )
    x = rng.integers(VOCABULARY, size=(10, STEPS))
    y = np.eye(3)[rng.integers(3, size=x.shape)]
    assert_same_training(ours, theirs, x, y, loss, batch_size=4)


def test_a_layer_for_each_step_trains_the_same(rng):
    ours, theirs = with_same_weights(
        rng,
        lambda kit: [
            kit.TimeDistributed(kit.LSTM(5, **F64), **F64),
            kit.GRU(4, return_sequences=True, **F64),
            kit.TimeDistributed(kit.Dense(3, "softmax", **F64), **F64),
        ],
        (5, STEPS, FEATURES),
    )
    x = rng.standard_normal((8, 5, STEPS, FEATURES))
    y = rng.integers(3, size=(8, 5))
    assert_same_training(ours, theirs, x, y, "sparse_categorical_crossentropy", batch_size=4)


@pytest.mark.parametrize("every", [False, True])
def test_a_mask_of_more_axes_goes_to_the_layer_of_each_step(rng, every):
    x = rng.standard_normal((BATCH, 5, STEPS, FEATURES))
    mask = rng.random(x.shape[:-1]) < 0.6
    ours, theirs = (
        kit.TimeDistributed(kit.LSTM(5, return_sequences=every, **F64), **F64)
        for kit in (layers, keras.layers)
    )
    theirs(x)
    ours.build(x.shape)
    set_same_weights(rng, ours, theirs)
    assert_same_structure(ours(x, mask=mask), theirs(x, mask=tensor(mask)))


# --- states from batch to batch -------------------------------------------------------------------

STATEFUL = {
    "lstm": lambda kit: [kit.LSTM(5, stateful=True, **F64), kit.Dense(3, "softmax", **F64)],
    "masked": lambda kit: [
        masking(kit),
        kit.GRU(5, stateful=True, return_sequences=True, **F64),
        kit.SimpleRNN(4, stateful=True, **F64),
        kit.Dense(3, "softmax", **F64),
    ],
    "both ways": lambda kit: [
        kit.Bidirectional(kit.LSTM(5, stateful=True, **F64), **F64),
        kit.Dense(3, "softmax", **F64),
    ],
    "stack": lambda kit: [
        kit.RNN([kit.LSTMCell(5, **F64), kit.GRUCell(4, **F64)], stateful=True, **F64),
        kit.Dense(3, "softmax", **F64),
    ],
}


@pytest.mark.parametrize("make", STATEFUL.values(), ids=STATEFUL.keys())
def test_stateful_models_train_the_same(rng, make):
    ours, theirs = with_same_weights(rng, make, (STEPS, FEATURES), batch_size=4)
    x = rng.standard_normal((12, STEPS, FEATURES))
    x[rng.random((12, STEPS)) < 0.3] = -1
    y = rng.integers(3, size=12)
    stateful = [layer for layer in theirs.layers if getattr(layer, "stateful", False)]
    for layer in stateful:
        for part in (getattr(layer, f"{side}_layer", layer) for side in ("forward", "backward")):
            # Keras 3.15.1 with torch: the states of the faster path cannot be differentiated.
            part.use_cudnn = False
    assert_same_training(ours, theirs, x, y, "sparse_categorical_crossentropy", batch_size=4)
    ours.reset_states()
    for state in keras.tree.flatten([layer.states for layer in stateful]):
        state.assign(np.zeros(state.shape))  # reset_state fails where states are nested
    options = {"batch_size": 4, "verbose": 0}
    np.testing.assert_allclose(
        ours.predict(x, **options), theirs.predict(x, **options), **TOLERANCE
    )
