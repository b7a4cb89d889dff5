"""The extension as it was built: its tables of functions are read-only once it is loaded, and its
stacks are guarded where Python's arguments arrive."""

import sys

import pytest

from cmake_builds import binutils

pytestmark = pytest.mark.compiles


@pytest.fixture(scope="module")
def core(native_build):
    if sys.platform != "linux":
        pytest.skip("not Linux")
    return native_build.core


def test_full_relro(core):
    assert "GNU_RELRO" in binutils("readelf", "--segments", "--wide", core)
    # Without it functions are looked up when they are first called, in a table that stays writable.
    flags = binutils("readelf", "--dynamic", "--wide", core).splitlines()
    assert any("(FLAGS" in line and "NOW" in line for line in flags)


def test_stack_protectors(core):
    assert "__stack_chk_fail" in binutils("readelf", "--dyn-syms", "--wide", core)


def test_no_stack_can_be_executed(core):
    (stack,) = (
        line
        for line in binutils("readelf", "--segments", "--wide", core).splitlines()
        if "GNU_STACK" in line
    )
    assert "RWE" not in stack
