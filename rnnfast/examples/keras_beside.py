"""What programs for Keras share: a model trained as it is, then from the same weights swapped."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from rnnfast.examples.command_line import number

OPTIONS = (
    ("--epochs", number(int, 1), 3, "passes over the data, of each training"),
    ("--units", number(int, 1), 128, "hidden units of each recurrent layer"),
    ("--batch-size", number(int, 1), 32, "sequences in a step"),
    ("--seed", number(int, 0, 2**31 - 1), 0, "of weights, data and their order"),
)


def load_keras() -> Any:
    """Import Keras, on the backend that KERAS_BACKEND or its configuration says.

    Returns
    -------
    module

    Raises
    ------
    SystemExit
        When Keras or its backend is missing, or the backend does not train.
    """
    try:
        import keras
    except ModuleNotFoundError as error:
        raise SystemExit(
            f"this program needs {error.name}: pip install keras torch, and set KERAS_BACKEND=torch"
        ) from error
    if keras.backend.backend() not in ("jax", "tensorflow", "torch"):
        raise SystemExit(
            f"Keras does not train on {keras.backend.backend()}: set KERAS_BACKEND=torch"
        )
    return keras


def train_twice(
    build: Callable[[], Any], train: tuple[Any, Any], test: tuple[Any, Any], options: Any
) -> tuple[float, float]:
    """Train a model twice from the same weights, by Keras and swapped, and show time and result.

    Parameters
    ----------
    build : callable
        Makes the model, compiled, with one metric.
    train, test : tuple of (array, array)
        Inputs and targets.
    options : argparse.Namespace
        With what `OPTIONS` has.

    Returns
    -------
    tuple of float
        The metric of the data for tests, by Keras and by rnnfast.
    """
    import keras

    from rnnfast.interop.keras import swap

    seconds, found = [], []
    one = slice(options.batch_size)
    for name in ("Keras", "rnnfast"):
        keras.utils.set_random_seed(options.seed)
        build().train_on_batch(train[0][one], train[1][one])  # what a first call alone takes
        keras.utils.set_random_seed(options.seed)
        model = build()
        if name == "rnnfast":
            print("swapped:", ", ".join(str(swap(model)).splitlines()))
        began = time.perf_counter()
        fitted = model.fit(*train, batch_size=options.batch_size, epochs=options.epochs, verbose=0)
        seconds.append(time.perf_counter() - began)
        found.append(float(model.evaluate(*test, batch_size=options.batch_size, verbose=0)[1]))
        last = fitted.history["loss"][-1]
        print(f"{name:>8}: {seconds[-1]:.1f} s, loss {last:.5f}, of the rest {found[-1]:.4f}")
    print(f"{seconds[0] / seconds[1]:.1f} times as fast on {keras.backend.backend()}")
    return found[0], found[1]
