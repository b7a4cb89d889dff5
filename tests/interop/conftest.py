"""What the tests of drop-ins share; `make test-hosts` runs them."""

import pytest

torch = pytest.importorskip("torch")

from emulated_gpu import emulated, forgotten, gpu  # noqa: E402
from emulated_tensors import EmulatedTensors  # noqa: E402
from rnnfast.interop.torch import kernel_calls  # noqa: E402  # needs torch

__all__ = ["emulated", "forgotten", "gpu"]


@pytest.fixture
def by_our_kernels():
    """Fail a test in which the kernels did not run."""
    before = kernel_calls()
    yield
    assert kernel_calls() > before, "torch ran this, not the kernels"


@pytest.fixture
def tensors(gpu, monkeypatch):
    """Tensors in the memory of an emulated GPU."""
    return EmulatedTensors(gpu, monkeypatch)
