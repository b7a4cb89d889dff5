"""TensorFlow beside us: Keras's `fit` before and after `swap`, and the cost of an operation.

    python -m rnnfast.bench.hosts.tensorflow [--rounds 10]

Before anything is timed, both models have been trained from the same weights to the same loss.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from ..behaviour.ratios import BoundedRatio, medians, to_markdown
from ..timing import Call

__all__ = ["beside_tensorflow", "cost_of_an_operation"]

_T, _B, _I, _H, _LAYERS = 100, 32, 64, 128, 2
_BATCHES = 30  # of a call of fit
_IN_A_ROW = 20  # operations
_FASTER = (("LSTM", 1.5), ("GRU", 2.0), ("SimpleRNN", 1.5))


def beside_tensorflow(rounds: int) -> list[BoundedRatio]:
    """Compare Keras on TensorFlow with itself after `swap`, and operations with each other.

    Parameters
    ----------
    rounds : int
        Turns of each.

    Returns
    -------
    list of BoundedRatio
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ["KERAS_BACKEND"] = "tensorflow"
    fits = [_fit(kind, bound, rounds) for kind, bound in _FASTER]
    return [*fits, cost_of_an_operation(rounds)]


def _fit(kind: str, bound: float, rounds: int) -> BoundedRatio:
    from ...interop.keras import swap

    rng = np.random.default_rng(1)
    x = rng.standard_normal((_B * _BATCHES, _T, _I), np.float32)
    y = rng.standard_normal((_B * _BATCHES, 1), np.float32)
    models = {"theirs": _model(kind), "own": _model(kind)}
    swap(models["own"])
    fits: dict[str, Call] = {
        name: partial(model.fit, x, y, batch_size=_B, shuffle=False, verbose=0)
        for name, model in models.items()
    }
    theirs, own = (fit().history["loss"] for fit in fits.values())
    np.testing.assert_allclose(own, theirs, rtol=1e-4)
    times = medians(fits, rounds)
    about = f"Keras's time / ours, fit on TensorFlow, {_LAYERS} x {kind} {_T}/{_B}/{_I}/{_H}"
    return BoundedRatio(about, times["theirs"] / times["own"], "at least", bound)


def _model(kind: str) -> Any:
    import keras

    keras.utils.set_random_seed(1)
    layer = getattr(keras.layers, kind)
    below = [layer(_H, return_sequences=True) for _ in range(_LAYERS - 1)]
    model = keras.Sequential([keras.Input((_T, _I)), *below, layer(_H), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    return model


def cost_of_an_operation(rounds: int) -> BoundedRatio:
    """Compare a call in a graph with `tf.numpy_function`, both beyond a multiplication.

    Parameters
    ----------
    rounds : int
        Turns of each.

    Returns
    -------
    BoundedRatio
    """
    import tensorflow as tf

    from ...interop.tensorflow import rnn

    weights = tf.ones((4, 4)), tf.ones((4, 4))
    x = tf.ones((1, 1, 4))

    def doubled(x: Any) -> Any:
        return tf.ensure_shape(tf.numpy_function(lambda a: a * 2, [x], tf.float32), x.shape)

    def in_a_row(one: Callable[[Any], Any]) -> Call:
        def many(x: Any) -> Any:
            for _ in range(_IN_A_ROW):
                x = one(x)
            return x

        return partial(tf.function(many, autograph=False), x)

    times = medians(
        {
            "multiplication": in_a_row(lambda x: x * 2),
            "numpy_function": in_a_row(doubled),
            "operation": in_a_row(lambda x: rnn(x, *weights).y),
        },
        rounds,
    )
    beyond = {name: seconds - times["multiplication"] for name, seconds in times.items()}
    about = "an operation's time / numpy_function's, in a graph, beyond a multiplication"
    return BoundedRatio(about, beyond["operation"] / beyond["numpy_function"], "at most", 0.5)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="rnnfast.bench.hosts.tensorflow")
    parser.add_argument("--rounds", type=int, default=10, help="turns of each contestant")
    print(to_markdown(beside_tensorflow(parser.parse_args().rounds)), end="")


if __name__ == "__main__":
    main()
