"""Pruning while training: its schedule, that it lasts, what is left, what becomes of a model."""

from __future__ import annotations

import re

import numpy as np
import pytest

import rnnfast
from rnnfast import Sequential, layers, models, optimizers
from rnnfast.callbacks import BackupAndRestore, BlockPruning, Callback, EarlyStopping

UNITS = 16


def zero_blocks(kernel, gates: int):
    """Which blocks of a recurrent kernel (H, G*H) are zero: 16 units of a gate, of one row."""
    H = len(kernel)
    of_gates = kernel.reshape(H, gates, H)
    blocks = [of_gates[:, :, i : i + UNITS] for i in range(0, H, UNITS)]
    return np.stack([(block == 0).all(axis=2) for block in blocks])


def model_of(layer):
    model = Sequential([layers.Input((None, 4)), layer, layers.Dense(1)])
    model.compile(optimizers.Adam(0.01), "mse")
    return model


def data(count: int = 64, steps: int = 6):
    x = np.random.default_rng(0).standard_normal((count, steps, 4)).astype(np.float32)
    return x, x[:, :, 0].sum(axis=1, keepdims=True)


def fitted(model, *callbacks, epochs: int = 5, batch_size: int = 16):
    model.fit(*data(), epochs=epochs, batch_size=batch_size, callbacks=[*callbacks], verbose=0)
    return model


def test_the_schedule_is_that_of_zhu_and_gupta() -> None:
    pruning = BlockPruning(0.9, end_step=1000, begin_step=200, initial_sparsity=0.1)
    assert pruning.sparsity(200) == pytest.approx(0.1)
    assert pruning.sparsity(600) == pytest.approx(0.9 - 0.8 * 0.5**3)
    assert pruning.sparsity(1000) == pruning.sparsity(5000) == 0.9


@pytest.mark.parametrize(
    ("layer", "gates"),
    [(layers.LSTM(20), 4), (layers.GRU(20), 3), (layers.GRU(20, reset_after=False), 3)],
)
def test_so_many_blocks_are_zero_in_the_end(layer, gates: int) -> None:
    model = fitted(model_of(layer), BlockPruning(0.75, end_step=12, frequency=3))
    zero = zero_blocks(model.layers[0].get_weights()[1], gates)
    assert zero.sum() == round(0.75 * zero.size)


class Watch(Callback):
    """The share of blocks that are zero after every step."""

    def __init__(self) -> None:
        super().__init__()
        self.zero: list[np.ndarray] = []

    def on_train_batch_end(self, batch, logs=None) -> None:
        self.zero.append(zero_blocks(self.model.layers[0].get_weights()[1], 3))


def test_they_become_more_at_their_time_and_stay_so() -> None:
    pruning = BlockPruning(0.5, end_step=8, begin_step=2, initial_sparsity=0.2, frequency=3)
    watch = Watch()
    fitted(model_of(layers.GRU(32)), pruning, watch)
    shares = [float(zero.mean()) for zero in watch.zero]
    assert shares[:2] == [0, 0]
    for step in (2, 5, 8):
        assert shares[step] == pytest.approx(pruning.sparsity(step), abs=0.003)
    assert shares[2] == shares[3] == shares[4] and len(set(shares[8:])) == 1
    for before, after in zip(watch.zero[2:], watch.zero[3:], strict=False):
        assert (after | ~before).all(), "a block has come back"


def test_the_smallest_blocks_go_first() -> None:
    model = model_of(layers.GRU(16))
    kernel, recurrent, bias = model.layers[0].get_weights()
    recurrent[:] = 1
    recurrent[3], recurrent[5, :16] = 0.1, -0.2
    model.layers[0].set_weights([kernel, recurrent, bias])
    pruning = BlockPruning(4 / 48, end_step=0)
    model.optimizer.learning_rate = 0.0
    fitted(model, pruning, epochs=1)
    zero = zero_blocks(model.layers[0].get_weights()[1], 3)[0]
    assert np.argwhere(zero).tolist() == [[3, 0], [3, 1], [3, 2], [5, 0]]


def test_layers_in_layers_are_pruned_and_others_left() -> None:
    both = layers.Bidirectional(layers.GRU(16, return_sequences=True))
    model = Sequential(
        [
            layers.Input((None, 4)),
            both,
            layers.LSTM(16, layer_norm=True, return_sequences=True),
            layers.LSTM(16, trainable=False),
            layers.Dense(1),
        ]
    )
    model.compile("adam", "mse")
    fitted(model, BlockPruning(0.5, end_step=1, frequency=1), epochs=1)
    for kernel in both.get_weights()[1::3]:
        assert zero_blocks(kernel, 3).mean() == 0.5
    for layer in model.layers[1:3]:
        assert zero_blocks(layer.get_weights()[1], 4).mean() == 0


def test_it_goes_on_where_it_was_stopped(tmp_path) -> None:
    def begun(seed: int):
        rnnfast.utils.set_random_seed(seed)
        return model_of(layers.GRU(16)), BlockPruning(0.7, end_step=10, frequency=2)

    class Stop(Callback):
        stops = True

        def on_epoch_begin(self, epoch, logs=None) -> None:
            if epoch == 2 and self.stops:
                raise KeyboardInterrupt

    stop, backup = Stop(), BackupAndRestore(tmp_path)
    whole = fitted(*begun(seed=3), epochs=4)
    with pytest.raises(KeyboardInterrupt):
        fitted(*begun(seed=3), stop, backup, epochs=4)
    stop.stops = False
    again = fitted(*begun(seed=9), stop, backup, epochs=4)
    for one, other in zip(whole.get_weights(), again.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_weights_that_were_restored_before_it_are_pruned_again() -> None:
    # The first epoch is kept as the best, in which least was pruned.
    first = EarlyStopping(monitor="loss", mode="max", patience=50, restore_best_weights=True)
    model = fitted(model_of(layers.GRU(16)), first, BlockPruning(0.5, end_step=8, frequency=1))
    assert zero_blocks(model.layers[0].get_weights()[1], 3).mean() == 0.5


def test_it_is_for_the_layers_that_it_has_pruned() -> None:
    pruning = BlockPruning(0.5, end_step=8)
    fitted(model_of(layers.GRU(16)), pruning)
    with pytest.raises(ValueError, match="goes on with the layers that it has pruned, got others"):
        fitted(model_of(layers.LSTM(16)), pruning)


def test_a_second_fit_goes_on_with_its_steps() -> None:
    pruning = BlockPruning(0.5, end_step=6, frequency=1)
    model = fitted(model_of(layers.GRU(16)), pruning, epochs=1)
    assert pruning.step == 4
    fitted(model, pruning, epochs=1)
    assert zero_blocks(model.layers[0].get_weights()[1], 3).mean() == 0.5


def test_a_pruned_model_is_as_good_and_served_sparse() -> None:
    """The task: which of two bits came first, several steps ago."""
    rng = np.random.default_rng(1)
    first = rng.integers(0, 2, 512)
    x = 0.1 * rng.standard_normal((512, 12, 4)).astype(np.float32)
    x[np.arange(512), rng.integers(0, 4, 512), first] += 2

    def trained(*callbacks: Callback):
        rnnfast.utils.set_random_seed(1)
        model = Sequential([layers.Input((None, 4)), layers.GRU(64), layers.Dense(2)])
        loss = rnnfast.losses.SparseCategoricalCrossentropy(from_logits=True)
        model.compile(optimizers.Adam(0.01), loss, metrics=["accuracy"])
        model.fit(x, first, epochs=12, batch_size=32, callbacks=[*callbacks], verbose=0)
        return model, model.evaluate(x, first, verbose=0)[1]

    _, accuracy = trained()
    model, pruned_accuracy = trained(BlockPruning(0.9, end_step=128, frequency=16))
    assert pruned_accuracy >= accuracy - 0.01 > 0.95

    gru, dense = model.layers[0], model.layers[1]
    weights = models.find(model).stacks[gru.name]
    assert weights.density == pytest.approx(0.1, abs=0.002)
    served = rnnfast.load(weights, sparse=True)
    assert served.nbytes < 0.5 * rnnfast.load(weights).nbytes
    pool = served.pool(512)
    ids = [pool.open() for _ in x]
    for t in range(12):
        h = pool.step(ids, np.ascontiguousarray(x[:, t]))
    np.testing.assert_allclose(dense(h), model.predict(x, verbose=0), atol=1e-5)
    np.testing.assert_array_equal(gru.prepack(sparse=True)(x.transpose(1, 0, 2).copy()).h_n, h)


def test_what_is_refused() -> None:
    for arguments, message in (
        ((1.1, 10), "final_sparsity must be from 0 to 1, got 1.1"),
        ((0.5, 10, 0, 0.6), "initial_sparsity must be at most final_sparsity = 0.5, got 0.6"),
        ((0.5, 10, 11), "begin_step must be from 0 to end_step = 10, got 11"),
        ((0.5, 10, -1), "begin_step must be from 0 to end_step = 10, got -1"),
        ((0.5, 10, 0, 0.0, 0), "frequency must be a positive integer, got 0"),
    ):
        with pytest.raises(ValueError, match=f"^{re.escape(message)}"):
            BlockPruning(*arguments)
    with pytest.raises(TypeError, match=r"^end_step must be a whole number, got 1\.5"):
        BlockPruning(0.5, 1.5)  # type: ignore[arg-type]
    model = model_of(layers.SimpleRNN(16))
    with pytest.raises(ValueError, match=r"^BlockPruning needs a trainable LSTM or GRU, without"):
        fitted(model, BlockPruning(0.5, 1))
