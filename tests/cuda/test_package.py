"""What a person installs for a GPU: the wheel that holds the extension alone."""

import json
import re
import shutil
import sys
import zipfile
from email import message_from_bytes
from pathlib import Path

import pytest

import cmake_builds
import rnnfast
from cmake_builds import ROOT, binutils

PACKAGE = ROOT / "packaging" / "cuda13"


def test_all_versions_are_one():
    project = (PACKAGE / "pyproject.toml").read_text()
    version = rnnfast.__version__
    assert re.search(r'^version = "(.+)"$', project, re.M)[1] == version
    assert f'"rnnfast=={version}"' in project
    assert f'cuda13 = ["rnnfast-cuda13=={version}"]' in (ROOT / "pyproject.toml").read_text()


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    """For one kind of GPU, since each takes a minute."""
    if shutil.which("nvcc") is None:
        pytest.skip("no CUDA compiler (nvcc)")
    folder = tmp_path_factory.mktemp("wheel")
    architecture = "--config-setting=cmake.define.CMAKE_CUDA_ARCHITECTURES=90-real"
    cmake_builds.run(
        *(sys.executable, "-m", "build", "--wheel", architecture, "--outdir", folder, PACKAGE)
    )
    (made,) = folder.glob("*.whl")
    return made


@pytest.fixture(scope="module")
def unpacked(wheel) -> Path:
    folder = wheel.parent / "unpacked"
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder)
    return folder


@pytest.fixture(scope="module")
def extension(unpacked) -> Path:
    (found,) = (unpacked / "rnnfast_cuda13").glob("_cuda.*.so")
    return found


@pytest.mark.slow
@pytest.mark.compiles
def test_it_holds_the_extension_alone(wheel, unpacked):
    files = {path.relative_to(unpacked) for path in unpacked.rglob("*") if path.is_file()}
    info = f"rnnfast_cuda13-{rnnfast.__version__}.dist-info"
    assert {path.parts[0] for path in files} == {"rnnfast_cuda13", info}
    ours = {path.name.split(".")[0] for path in files if path.parts[0] == "rnnfast_cuda13"}
    assert ours == {"__init__", "_cuda"}
    told = message_from_bytes((unpacked / info / "METADATA").read_bytes())
    assert told["Name"] == "rnnfast-cuda13"
    assert told.get_all("Requires-Dist") == [
        f"rnnfast=={rnnfast.__version__}",
        "nvidia-cublas<14,>=13",
    ]
    assert (unpacked / info / "licenses" / "LICENSE").is_file()


@pytest.mark.slow
@pytest.mark.compiles
def test_it_needs_nothing_of_nvidias_to_be_imported(extension):
    needed = re.findall(r"NEEDED.*\[(.+)\]", binutils("readelf", "-d", extension))
    assert needed
    assert not [library for library in needed if library.startswith(("libcu", "libnv"))]
    symbols = binutils("nm", "-D", extension).splitlines()
    of_cuda = re.compile(r" (cu[A-Z]|cuda|cublas|nv)\w*")
    assert not [line for line in symbols if of_cuda.search(line)]


@pytest.mark.slow
@pytest.mark.compiles
def test_it_tells_what_is_missing(unpacked):
    program = "import json, rnnfast; print(json.dumps(rnnfast.show_config(mode='dicts')['cuda']))"
    said = cmake_builds.run(
        *(sys.executable, "-c", program),
        PYTHONPATH=str(unpacked),
        CUDA_VISIBLE_DEVICES="",
    )
    found = json.loads(said.splitlines()[-1])
    assert found["extension"] is True
    assert found["version"] == rnnfast.__version__
    assert found["architectures"] == "90-real"
    assert found["runtime"].startswith("13.")
    assert found["devices"] == []
    assert re.search(r"no driver|no CUDA-capable device", found["missing"])


@pytest.mark.slow
@pytest.mark.compiles
def test_a_call_without_a_device_says_so(unpacked):
    program = """
import numpy as np, rnnfast
class Array:
    def __init__(self, *shape): self.numbers = np.zeros(shape)
    def __dlpack_device__(self): return 2, 0
    def __dlpack__(self, **_):
        from rnnfast_cuda13 import _cuda
        return _cuda.exported(self.numbers, 0, self, True)
try:
    rnnfast.lstm(Array(2, 1, 3), Array(16, 3), Array(16, 4))
except RuntimeError as error:
    print(error)
"""
    said = cmake_builds.run(
        *(sys.executable, "-c", program),
        PYTHONPATH=str(unpacked),
        CUDA_VISIBLE_DEVICES="",
    )
    assert said.startswith("no GPU can be used: ")
