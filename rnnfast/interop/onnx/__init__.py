"""ONNX models whose LSTM, GRU, RNN and DynamicQuantizeLSTM nodes run on the kernels of rnnfast.

    rnnfast.interop.onnx.InferenceSession(path)     in place of onnxruntime.InferenceSession
    with rnnfast.interop.onnx.patched():            sessions that others make meanwhile
    options.register_custom_ops_library(rnnfast.interop.onnx.library())
    rnnfast.interop.onnx.load(path)                 weights for `rnnfast.prepack`
    rnnfast.interop.onnx.find(path)                 weights for `rnnfast.weights.save_weights`

Models stay as they are: the operators take the place of ONNX Runtime's own, in nested bodies too.
What the kernels cannot compute is left to ONNX Runtime, and said once.

Written for ONNX Runtime 1.17 and later; activations are read from 1.25 on. `load` needs the package
onnx, and not onnxruntime. See also: docs/onnx.md.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

from .._report import Report
from ._library import kernel_calls, library
from ._weights import RecurrentNode, find, load

if TYPE_CHECKING:
    from ._session import InferenceSession, patched, report

__all__ = [
    "InferenceSession",
    "RecurrentNode",
    "Report",
    "find",
    "kernel_calls",
    "library",
    "load",
    "patched",
    "report",
]

if not TYPE_CHECKING:  # what needs onnxruntime is loaded when it is first used

    def __getattr__(name: str) -> object:
        """Load what was not needed before: PEP 562."""
        if name in __all__:
            return getattr(importlib.import_module("._session", __name__), name)
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    """List the public names, loaded or not."""
    return sorted({*globals(), *__all__})
