"""Drop-ins for other libraries, each in a module of its own that alone imports its host.

torch       `RNN`, `LSTM`, `GRU`, their cells, and `swap` for whole models
lightning   `Swap`, a callback
skorch      `Swap`, a callback
sb3         `MlpLstmPolicy` and its kin, for sb3-contrib's RecurrentPPO
keras       `swap` for whole models, on any backend, and layers with what Keras lacks
jax         `rnn`, `lstm`, `gru`, ...: functions under jit, grad, vmap and shard_map; for Flax,
            Haiku and Equinox `jax.flax`, `jax.haiku`, `jax.equinox`
tensorflow  the same functions in graphs and under tf.GradientTape
onnx        `InferenceSession`, whose recurrent nodes run here, and `load`
sklearn     `RNNClassifier`, `RNNRegressor`

A module is loaded when it is first named: ``rnnfast.interop.torch`` needs no import of its own.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from . import jax, keras, lightning, onnx, sb3, sklearn, skorch, tensorflow, torch

__all__ = ["jax", "keras", "lightning", "onnx", "sb3", "sklearn", "skorch", "tensorflow", "torch"]


_ELSEWHERE = {
    "equinox": "jax.equinox",
    "flax": "jax.flax",
    "haiku": "jax.haiku",
    "onnxruntime": "onnx",
    "pytorch": "torch",
    "pytorch_lightning": "lightning",
    "sb3_contrib": "sb3",
    "scikit_learn": "sklearn",
    "tf": "tensorflow",
}


if not TYPE_CHECKING:  # or a checker would take any name for one that exists

    def __getattr__(name: str) -> object:
        """Load what was not needed before: PEP 562."""
        if name in __all__:
            return importlib.import_module(f".{name}", __name__)
        place = _ELSEWHERE.get(name)
        hint = f"; there is {__name__}.{place}" if place else ""
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}{hint}")


def __dir__() -> list[str]:
    """List the public names, loaded or not."""
    return sorted({*globals(), *__all__})
