"""An emulated GPU in the place of `_cuda`, and libraries whose arrays are on it."""

import pytest

import gpu_arrays
from emulated_gpu import emulated, forgotten, gpu

__all__ = ["emulated", "forgotten", "gpu"]


@pytest.fixture
def streams(gpu, monkeypatch):
    """The libraries; it says on which streams they work."""
    return gpu_arrays.install(monkeypatch)
