"""Fast RNN, LSTM and GRU layers on NumPy arrays, forward and backward.

The functions on arrays are loaded at once:

    rnn, lstm, gru, mgu, light_gru    forward
    rnn_vjp, lstm_vjp, ...            forward, with exact derivatives
    rnn_trace, lstm_trace, ...        forward, with all gates: a look inside
    prepack                           weights packed once: inference and streaming
    num_threads, set_num_threads, get_num_threads, show_config
    get_include, get_cmake_dir        the C++ package of this installation

What trains models, under Keras's names, is loaded when it is first used: `Sequential`, `Model`,
`load_model` and the modules `models`, `layers`, `losses`, `optimizers`, `metrics`, `callbacks`,
`initializers`, `regularizers`, `training`, `utils`; so are `interop`, drop-ins for other libraries,
`weights` (to and from files), `convert`, `serving` and its `load` (streams that ask nothing of the
system), `reference` (the equations in plain NumPy), `testing` and `bench`.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from ._loading import explained as _explained

try:
    from . import _core
except ImportError as error:
    raise _explained(error) from None
from . import functional
from ._config import show_config
from ._cpp_package import get_cmake_dir, get_include
from ._threads import get_num_threads, num_threads, set_num_threads
from .functional import *  # noqa: F403 - what its __all__ names

if TYPE_CHECKING:
    from . import (
        bench,
        callbacks,
        convert,
        initializers,
        interop,
        layers,
        losses,
        metrics,
        models,
        optimizers,
        reference,
        regularizers,
        serving,
        testing,
        training,
        utils,
        weights,
    )
    from .models import Model, Sequential, load_model
    from .serving import load

__all__ = [
    "Model",
    "Sequential",
    "bench",
    "callbacks",
    "convert",
    "get_cmake_dir",
    "get_include",
    "get_num_threads",
    "initializers",
    "interop",
    "layers",
    "load",
    "load_model",
    "losses",
    "metrics",
    "models",
    "num_threads",
    "optimizers",
    "reference",
    "regularizers",
    "serving",
    "set_num_threads",
    "show_config",
    "testing",
    "training",
    "utils",
    "weights",
]
__all__ += functional.__all__

__version__: str = _core.config()["version"]


if not TYPE_CHECKING:  # or a checker would take any name for one that exists

    def __getattr__(name: str) -> Any:
        """Load what was not needed before: PEP 562."""
        if name in ("Model", "Sequential", "load_model"):
            value = getattr(importlib.import_module(".models", __name__), name)
        elif name == "load":
            value = importlib.import_module(".serving", __name__).load
        elif name in __all__:
            value = importlib.import_module(f".{name}", __name__)
        else:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        globals()[name] = value
        return value


def __dir__() -> list[str]:
    """List the public names, loaded or not."""
    return sorted({*globals(), *__all__})
