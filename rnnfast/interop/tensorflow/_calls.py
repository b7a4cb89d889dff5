"""How often the kernels have run for TensorFlow."""

from __future__ import annotations

from ... import _core
from . import _numpy_function


def kernel_calls() -> int:
    """Return how many passes, forward or backward, the kernels have run for TensorFlow.

    Returns
    -------
    int
        Counted in this process when a pass has run, not when a graph is traced.
    """
    return _core.hosts.tensorflow_calls() + _numpy_function.kernel_calls()
