"""Fixtures: an emulated GPU in the place of `_cuda`.

It is compiled with the native tests: the doors, the backend and the general driver as they are, of
one cell of each kind. What a GPU does with time, memory and faults of its own, it cannot show.
"""

import importlib.util
import sys

import pytest

import rnnfast
from rnnfast._devices import extension


@pytest.fixture(scope="session")
def emulated(native_build):
    """The extension for an emulated GPU, which a process loads once."""
    (path,) = (native_build.folder / "emulated").glob("_cuda*.so")
    spec = importlib.util.spec_from_file_location("rnnfast._cuda", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def forgotten():
    """What has been found out about the extension is found out anew, here and after the test."""

    def forget():
        found_out = (extension._loaded, extension._ready, extension._product_library)
        for found in (*found_out, extension.lacks):
            found.cache_clear()

    forget()
    yield
    forget()


@pytest.fixture
def gpu(emulated, forgotten, monkeypatch):
    """What a test may make the emulated GPU do."""
    monkeypatch.setitem(sys.modules, "rnnfast._cuda", emulated)
    monkeypatch.setattr(rnnfast, "_cuda", emulated, raising=False)
    emulated.emulation.waits()
    yield emulated.emulation
    emulated.emulation.refuse_nothing()
