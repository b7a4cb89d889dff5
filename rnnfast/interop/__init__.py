"""Drop-ins for other libraries, each in a module of its own that alone imports its host.

jax         `rnn`, `lstm`, `gru`, ...: functions under jit, grad, vmap and shard_map
keras       `swap` for whole models, and layers with what Keras lacks
torch       `RNN`, `LSTM`, `GRU`, their cells, and `swap` for whole models
sklearn     `RNNClassifier`, `RNNRegressor`

A module is loaded when it is first named: ``rnnfast.interop.torch`` needs no import of its own.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from . import jax, keras, sklearn, torch

__all__ = ["jax", "keras", "sklearn", "torch"]


if not TYPE_CHECKING:  # or a checker would take any name for one that exists

    def __getattr__(name: str) -> object:
        """Load what was not needed before: PEP 562."""
        if name in __all__:
            return importlib.import_module(f".{name}", __name__)
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    """List the public names, loaded or not."""
    return sorted({*globals(), *__all__})
