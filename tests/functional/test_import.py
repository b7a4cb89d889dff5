"""What `import rnnfast` loads, how long it takes, and what it shows."""

from __future__ import annotations

import importlib.metadata
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import rnnfast

LAZY = {
    "Sequential",
    "bench",
    "callbacks",
    "initializers",
    "interop",
    "layers",
    "losses",
    "metrics",
    "optimizers",
    "reference",
    "testing",
    "utils",
}
OPTIONAL = {"tqdm", "safetensors", "matplotlib", "torch", "keras", "jax", "onnx", "onnxruntime"}


def in_a_new_process(code: str):
    command = [sys.executable, "-W", "error", "-c", f"import json\n{code}"]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def test_import_loads_what_arrays_need_and_no_more() -> None:
    loaded = set(
        in_a_new_process("import rnnfast, sys; print(json.dumps(sorted(sys.modules)))"),
    )
    assert not {name.split(".")[0] for name in loaded} & OPTIONAL
    ours = {name.split(".")[1] for name in loaded if name.startswith("rnnfast.")}
    assert not ours & (LAZY | {"models", "training", "interop", "examples"})


def test_without_docstrings() -> None:
    code = """
import inspect, json, numpy as np, rnnfast
rnnfast.gru(np.ones((2, 1, 3)), np.ones((12, 3)), np.ones((12, 4)), lengths=[1])
told = [rnnfast.gru.__doc__, rnnfast.MGUGrads.__doc__, rnnfast.prepack.__doc__]
print(json.dumps([*told, "lengths" in inspect.signature(rnnfast.gru).parameters]))
"""
    done = subprocess.run(
        [sys.executable, "-OO", "-c", code], check=True, capture_output=True, text=True
    )
    assert json.loads(done.stdout) == [None, None, None, True]


@pytest.mark.timing
def test_import_is_quick() -> None:
    code = """if True:
        import time
        import numpy
        start = time.perf_counter()
        import rnnfast
        print(json.dumps(time.perf_counter() - start))
    """
    assert min(in_a_new_process(code) for _ in range(5)) < 0.150


def test_a_drop_in_is_loaded_when_it_is_named() -> None:
    code = """if True:
        import sys, types
        import rnnfast

        sys.modules["rnnfast.interop.torch"] = None  # as where torch is not installed
        loaded = ["torch" in sys.modules]
        try:
            rnnfast.interop.torch
        except ImportError:
            loaded.append("refused")
        for name in ("no_such_host", "flax"):
            try:
                getattr(rnnfast.interop, name)
            except AttributeError as error:
                loaded.append(str(error))
        print(json.dumps(loaded))
    """
    unknown = "module 'rnnfast.interop' has no attribute"
    elsewhere = f"{unknown} 'flax'; there is rnnfast.interop.jax.flax"
    assert in_a_new_process(code) == [False, "refused", f"{unknown} 'no_such_host'", elsewhere]


@pytest.mark.parametrize("name", sorted(LAZY))
def test_what_is_lazy_is_there_when_asked_for(name: str) -> None:
    code = f"import rnnfast; thing = rnnfast.{name}; print(json.dumps(thing.__name__))"
    want = name if name == "Sequential" else f"rnnfast.{name}"
    assert in_a_new_process(code) == want


def test_names() -> None:
    assert set(rnnfast.__all__) >= LAZY
    assert len({*rnnfast.__all__}) == len(rnnfast.__all__)
    assert set(dir(rnnfast)) >= {*rnnfast.__all__, "__version__", "__doc__"}
    assert all(getattr(rnnfast, name) is not None for name in dir(rnnfast) if name != "__cached__")


def test_star() -> None:
    names: dict[str, object] = {}
    exec("from rnnfast import *", names)
    assert names.keys() >= set(rnnfast.__all__)


def test_an_unknown_name() -> None:
    with pytest.raises(AttributeError, match=r"^module 'rnnfast' has no attribute 'lsmt'$"):
        rnnfast.lsmt  # noqa: B018


def test_one_version() -> None:
    assert re.fullmatch(r"\d+\.\d+\.\d+(\.?\w+)*", rnnfast.__version__)
    assert rnnfast.__version__ == importlib.metadata.version("rnnfast")


def test_typed() -> None:
    package = Path(rnnfast.__file__).parent
    assert (package / "py.typed").is_file()
    assert (package / "_core.pyi").is_file()


@pytest.mark.parametrize(
    ("library", "wanted"),
    [
        (
            "libgomp.so.1",
            "install the package libgomp1 on Debian and Ubuntu, libgomp on Fedora, Al",
        ),
        ("libstdc++.so.6", "install the package libstdc++6 on Debian and Ubuntu, libstdc++ on Fed"),
        ("libother.so.1", ""),
    ],
)
def test_a_library_that_the_system_lacks_is_named_with_its_package(library, wanted) -> None:
    said = f"{library}: cannot open shared object file: No such file or directory"
    code = f"""if True:
        import sys

        class Lacking:
            def find_spec(self, name, path=None, target=None):
                if name == "rnnfast._core":
                    raise ImportError({said!r}, name=name, path="_core.so")

        sys.meta_path.insert(0, Lacking())
        try:
            import rnnfast
        except ImportError as error:
            print(json.dumps([str(error), error.name, error.path]))
    """
    message, name, path = in_a_new_process(code)
    assert said in message and wanted in message
    assert bool(wanted) == (message != said)
    assert (name, path) == ("rnnfast._core", "_core.so")


def sources_without_core(folder: Path) -> Path:
    """The package as a clone has it: all of its files but the compiled one."""
    compiled = shutil.ignore_patterns("_core*.so", "_core*.pyd", "__pycache__")
    shutil.copytree(Path(rnnfast.__file__).parent, folder / "rnnfast", ignore=compiled)
    return folder


def import_in(folder: Path) -> str:
    """What `import rnnfast` says at last, begun in a folder that Python looks into first."""
    command = [sys.executable, "-S", "-c", "import rnnfast"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stderr.count("Error") == 1, done.stderr
    return done.stderr.splitlines()[-1]


def test_in_the_source_tree_python_says_so(tmp_path) -> None:
    sources = sources_without_core(tmp_path)
    (sources / "CMakeLists.txt").touch()
    said = import_in(sources)
    assert said.startswith(
        "ImportError: you are in the source tree of rnnfast, which has no compil"
    )
    assert str(sources / "rnnfast") in said
    assert "another folder, or run `pip install -e .`" in said


def test_an_installation_without_its_core_says_so(tmp_path) -> None:
    said = import_in(sources_without_core(tmp_path))
    assert "has no compiled part for this Python; install rnnfast again" in said
