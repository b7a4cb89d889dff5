"""What the tests of drop-ins share; `make test-hosts` runs them."""

import pytest

torch = pytest.importorskip("torch")

from rnnfast.interop.torch import kernel_calls  # noqa: E402  # needs torch


@pytest.fixture
def by_our_kernels():
    """Fail a test in which the kernels did not run."""
    before = kernel_calls()
    yield
    assert kernel_calls() > before, "torch ran this, not the kernels"
