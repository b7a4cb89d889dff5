"""A plugin of pytest that has rnnfast run Flax's own tests of its recurrent layers.

From a checkout of Flax beside this one, of the release that is installed:

    PYTHONPATH=tests/interop python -m pytest -c /dev/null -p flax_in_place \\
        ../flax/tests/nnx/nn/recurrent_test.py ../flax/tests/linen/linen_recurrent_test.py

Every `nnx.RNN` is swapped as soon as it is made, and linen's are intercepted throughout. Without
``-p flax_in_place`` Flax runs its tests alone; none may pass then that fails with it.
"""

import pytest
from flax import nnx

from rnnfast.interop.jax import kernel_calls
from rnnfast.interop.jax.flax import intercept, swap

_by_the_kernels = []


@pytest.fixture(autouse=True, scope="session")
def in_place():
    original = nnx.RNN.__init__

    def made_and_swapped(self, *args, **options):
        original(self, *args, **options)
        swap(self)

    with pytest.MonkeyPatch.context() as patch, intercept():
        patch.setattr(nnx.RNN, "__init__", made_and_swapped)
        yield


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item):
    before = kernel_calls()
    result = yield
    if kernel_calls() > before:
        _by_the_kernels.append(item.name)
    return result


def pytest_terminal_summary(terminalreporter):
    terminalreporter.write_line(f"the kernels ran in {len(_by_the_kernels)} tests")
