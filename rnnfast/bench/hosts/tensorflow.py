"""TensorFlow beside us: Keras's `fit` before and after `swap`, and the cost of an operation.

    python -m rnnfast.bench.hosts.tensorflow [--rounds 10]

Before anything is timed, both models have been trained from the same weights to the same loss.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from functools import partial
from typing import Any

from ..behaviour.ratios import BoundedRatio, medians, to_markdown
from ..timing import Call
from .keras import beside_keras

__all__ = ["beside_tensorflow", "cost_of_an_operation"]

_IN_A_ROW = 20  # operations


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
    return [*beside_keras("tensorflow", rounds), cost_of_an_operation(rounds)]


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
