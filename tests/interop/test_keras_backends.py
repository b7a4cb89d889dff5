"""Keras's layers on the kernels, under each of its backends: a process each.

Keras reads its backend when it is imported, so the tests are those of `keras_backends/`, run by a
pytest of their own.
"""

import json
import os
import re
import subprocess
import sys

import pytest

from cmake_builds import ROOT

pytest.importorskip("keras", reason="no package keras of the extra examples")
FOLDER = ROOT / "tests" / "interop" / "keras_backends"
BACKENDS = pytest.mark.parametrize("backend", ["numpy", "torch", "jax", "tensorflow"])


def run(backend, *arguments):
    quiet = {"TF_CPP_MIN_LOG_LEVEL": "3", "TF_ENABLE_ONEDNN_OPTS": "0", "OMP_NUM_THREADS": "1"}
    path = os.pathsep.join(sys.path)
    environment = {**os.environ, **quiet, "KERAS_BACKEND": backend, "PYTHONPATH": path}
    return subprocess.run(
        [sys.executable, *map(str, arguments)], env=environment, capture_output=True, text=True
    )


@BACKENDS
def test_layers_training_swap_and_own_layers(backend):
    options = ["-q", "-p", "no:cacheprovider", "--noconftest", "-c", os.devnull]
    found = run(backend, "-m", "pytest", *options, f"--rootdir={FOLDER}", *FOLDER.glob("check_*"))
    assert found.returncode == 0, found.stdout + found.stderr


@BACKENDS
def test_no_test_of_kerass_own_that_passes_without_us_fails_with_us(backend):
    found = run(backend, FOLDER / "own_tests.py")
    assert found.returncode == 0, found.stderr
    outcomes = json.loads(found.stdout)
    assert outcomes["broken"] == []
    assert outcomes["passed"] >= 60
    assert outcomes["calls"] > 50


def test_the_programs_of_the_page(tmp_path):
    text = (ROOT / "docs" / "keras_backend.md").read_text(encoding="utf-8")
    programs = re.findall(r"^```python\n(.*?)^```$", text, re.M | re.S)
    page = tmp_path / "page.py"
    page.write_text(f"import os\nos.chdir({str(tmp_path)!r})\n" + "\n".join(programs), "utf-8")
    found = run("torch", page)
    assert found.returncode == 0, found.stderr
    assert "gru: GRU" in found.stdout


@pytest.mark.parametrize(
    ("program", "small"),
    [("keras_text", ["--lines=40"]), ("keras_series", ["--weeks=3", "--batch-size=64"])],
)
def test_the_examples_show_the_same_result_of_both(program, small):
    sizes = ["--epochs=1", "--units=6", *small]
    found = run("torch", "-m", f"rnnfast.examples.{program}", *sizes)
    assert found.returncode == 0, found.stderr
    results = re.findall(r"(\w+): [\d.]+ s, loss ([\d.]+), of the rest ([\d.]+)", found.stdout)
    assert [name for name, *_ in results] == ["Keras", "rnnfast"]
    for one, other in zip(*[map(float, numbers) for _, *numbers in results], strict=True):
        assert one == pytest.approx(other, abs=2e-3)
    assert re.search(r"[\d.]+ times as fast on torch", found.stdout)


@pytest.mark.parametrize("missing", ["keras", "torch"])
def test_the_examples_say_what_to_install(missing):
    program = f"import sys; sys.modules[{missing!r}] = None; "
    program += "from rnnfast.examples.keras_text import main; main(['--lines=20'])"
    found = run("torch", "-c", program)
    assert found.returncode == 1
    assert f"this program needs {missing}" in found.stderr
    assert "pip install keras torch" in found.stderr


def test_the_examples_say_which_backends_train():
    found = run("numpy", "-m", "rnnfast.examples.keras_series")
    assert "Keras does not train on numpy: set KERAS_BACKEND=torch" in found.stderr
