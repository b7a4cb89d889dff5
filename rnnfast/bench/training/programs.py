"""Programs of the tutorials, for anything that has Keras's names.

    program.make(kit)     the compiled model; kit is `keras` or `rnnfast`
    program.data()        x, y

Data are random, for the time of an epoch does not depend on them, except in the character model.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rnnfast.examples import char_lm as example
from rnnfast.examples import text

__all__ = ["Program", "char_lm", "classifier", "forecast", "stacked", "text_classifier"]

Array = NDArray[Any]
Data = tuple[Array, Array]


@dataclass(frozen=True)
class Program:
    """A model and what it is trained on.

    Parameters
    ----------
    name : str
        What a table calls it.
    make : callable
        Takes the kit, gives the compiled model.
    data : callable
        Gives x and y, the same ones in each call.
    batch_size : int
        Samples in a step.
    sizes : dict of str to int
        What PyTorch's version needs to know.
    """

    name: str
    make: Callable[[Any], Any]
    data: Callable[[], Data]
    batch_size: int
    sizes: dict[str, int]


def classifier(
    samples: int = 4096, steps: int = 28, features: int = 28, units: int = 128, classes: int = 10
) -> Program:
    """Return an LSTM under a softmax, as for images read row by row.

    Parameters
    ----------
    samples, steps, features, units, classes : int
        Sizes.

    Returns
    -------
    Program
    """

    def make(kit: Any) -> Any:
        model = kit.Sequential()
        model.add(kit.layers.Input((steps, features)))
        model.add(kit.layers.LSTM(units))
        model.add(kit.layers.Dense(classes, activation="softmax"))
        model.compile(optimizer="adam", loss="categorical_crossentropy", metrics=["accuracy"])
        return model

    def data() -> Data:
        rng = np.random.default_rng(0)
        x = rng.standard_normal((samples, steps, features), np.float32)
        return x, np.eye(classes, dtype=np.float32)[rng.integers(classes, size=samples)]

    sizes = {"features": features, "units": units, "classes": classes}
    return Program("classifier", make, data, 32, sizes)


def forecast(layer: str, samples: int, steps: int, units: int) -> Program:
    """Return a regressor of the next value of a series.

    Parameters
    ----------
    layer : {"SimpleRNN", "LSTM", "GRU"}
        The recurrent layer.
    samples, steps, units : int
        Sizes.

    Returns
    -------
    Program
    """

    def make(kit: Any) -> Any:
        model = kit.Sequential()
        model.add(kit.layers.Input((steps, 1)))
        model.add(getattr(kit.layers, layer)(units))
        model.add(kit.layers.Dense(1))
        model.compile(optimizer="adam", loss="mse", metrics=["mae"])
        return model

    def data() -> Data:
        rng = np.random.default_rng(0)
        series = np.sin(np.arange(samples + steps) / 7) + 0.1 * rng.standard_normal(samples + steps)
        windows = np.lib.stride_tricks.sliding_window_view(series.astype(np.float32), steps + 1)
        return np.ascontiguousarray(windows[:, :-1, None]), windows[:, -1:].copy()

    return Program(f"forecast {layer}", make, data, 32, {"units": units})


def text_classifier(
    samples: int = 2048,
    steps: int = 100,
    words: int = 10000,
    embedding: int = 64,
    units: int = 64,
    classes: int = 4,
) -> Program:
    """Return an LSTM over embedded words of padded texts, whose padding is masked.

    Parameters
    ----------
    samples, steps, words, embedding, units, classes : int
        Sizes.

    Returns
    -------
    Program
        Texts have from a fifth of `steps` to all, and padding comes before them, as
        `pad_sequences` has it.
    """

    def make(kit: Any) -> Any:
        model = kit.Sequential()
        model.add(kit.layers.Input((steps,)))
        model.add(kit.layers.Embedding(words, embedding, mask_zero=True))
        model.add(kit.layers.LSTM(units))
        model.add(kit.layers.Dense(classes, activation="softmax"))
        model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
        return model

    def data() -> Data:
        rng = np.random.default_rng(0)
        x = (words ** rng.random((samples, steps))).astype(np.int64)  # Zipf's law: 1 / number
        lengths = rng.integers(steps // 5, steps, samples, endpoint=True)
        x[np.arange(steps) < (steps - lengths)[:, None]] = 0
        return x, rng.integers(classes, size=samples)

    sizes = {"words": words, "embedding": embedding, "units": units, "classes": classes}
    return Program("text_classifier", make, data, 32, sizes)


def stacked(samples: int, steps: int, features: int, units: int, classes: int = 10) -> Program:
    """Return two LSTMs one above the other.

    Parameters
    ----------
    samples, steps, features, units, classes : int
        Sizes.

    Returns
    -------
    Program
    """

    def make(kit: Any) -> Any:
        model = kit.Sequential()
        model.add(kit.layers.Input((steps, features)))
        model.add(kit.layers.LSTM(units, return_sequences=True))
        model.add(kit.layers.LSTM(units))
        model.add(kit.layers.Dense(classes))
        loss = kit.losses.CategoricalCrossentropy(from_logits=True)
        model.compile("adam", loss, metrics=["accuracy"])
        return model

    data = classifier(samples, steps, features, classes=classes).data
    return Program("stacked", make, data, 32, {"units": units, "classes": classes})


def char_lm(samples: int = 1600, dropout: float = 0.3) -> Program:
    """Return `rnnfast.examples.char_lm` with its defaults.

    Parameters
    ----------
    samples : int
        Windows, of the beginning of its text.
    dropout : float
        0 is for comparing losses.

    Returns
    -------
    Program
    """
    steps, embedding, units = 64, 64, 512
    corpus = example.prepare(text.python_documentation(), steps)
    symbols = len(corpus.alphabet)

    def make(kit: Any) -> Any:
        model = kit.Sequential()
        model.add(kit.layers.Input((None,)))
        model.add(kit.layers.Embedding(symbols, embedding))
        model.add(kit.layers.LSTM(units, return_sequences=True))
        model.add(kit.layers.Dropout(dropout))
        model.add(kit.layers.Dense(symbols))
        model.compile(
            kit.optimizers.Adam(2e-3, global_clipnorm=1.0),
            kit.losses.SparseCategoricalCrossentropy(from_logits=True),
        )
        return model

    def data() -> Data:
        x, y = text.windows(corpus.training, steps)
        return x[:samples], y[:samples]

    sizes = {"symbols": symbols, "embedding": embedding, "units": units}
    return Program("char_lm", make, data, 16, sizes)
