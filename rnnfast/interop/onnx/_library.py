"""The library of operators, which is rnnfast's extension itself."""

from __future__ import annotations

from ... import _core


def library() -> str:
    """Return the path of the library that gives ONNX Runtime the operators.

    It is for `SessionOptions.register_custom_ops_library`, where the model is known to have nothing
    that the kernels cannot compute. `InferenceSession` looks, and registers by itself.

    Returns
    -------
    str
        A file of this installation.
    """
    path: str = _core.__file__
    return path


def kernel_calls() -> int:
    """Return how many passes the kernels have run for ONNX Runtime in this process."""
    return _core.hosts.onnxruntime.kernel_calls()
