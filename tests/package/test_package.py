"""The C++ package, installed to a folder and used by a project that knows nothing else of it."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

import cmake_builds
import rnnfast
from rnnfast import QuantizedWeight, __main__
from rnnfast.weights import StackWeights, save_weights

pytestmark = pytest.mark.compiles

PROJECT = Path(__file__).parent / "project"
T, B, I, H = 23, 3, 5, 20  # noqa: E741
GATES = {"lstm": 4, "gru": 3, "rnn": 1, "mgu": 2, "light_gru": 2}

rng = np.random.default_rng(3)


def stack(cell, layers=1, directions=1, dtype=np.float32, **options):
    """Random layers, whose arrays are lists if there are several."""

    def arrays(*shape):
        return (0.5 * rng.standard_normal(shape)).astype(dtype)

    rows, outputs = GATES[cell] * H, len(options["w_hr"]) if "w_hr" in options else H
    widths = [I if k < directions else directions * outputs for k in range(layers * directions)]
    w_ih, w_hh = [arrays(rows, w) for w in widths], [arrays(rows, outputs) for _ in widths]
    b_ih, b_hh = [arrays(rows) for _ in widths], [arrays(rows) for _ in widths]
    if len(widths) == 1:
        w_ih, w_hh, b_ih, b_hh = w_ih[0], w_hh[0], b_ih[0], b_hh[0]
    if directions == 2:
        options["bidirectional"] = True
    return StackWeights(cell, w_ih, w_hh, b_ih, b_hh, **options)


def normal(*shape):
    return (0.5 * rng.standard_normal(shape)).astype(np.float32)


def sparse(weights):
    """The same with most blocks of w_hh zero."""
    given = weights.arguments()
    columns = np.arange(H) % 4 == 0
    w_hh = [array * columns.astype(array.dtype) for array in given["w_hh"]]
    return StackWeights(**{**given, "w_hh": w_hh, "sparse": True})


STACKS = {
    "lstm": stack("lstm"),
    "two layers": stack("lstm", layers=2),
    "float64": stack("gru", layers=2, dtype=np.float64),
    "reset before": stack("gru", reset_after=False),
    "relu": stack("rnn", nonlinearity="relu"),
    "mgu": stack("mgu"),
    "light_gru": stack("light_gru"),
    "projected": stack("lstm", w_hr=normal(7, H)),
    "peepholes": stack("lstm", peephole=normal(3 * H)),
    "normalized": stack("lstm", layer_norm=normal(10 * H)),
    "zoneout": stack("lstm", zoneout=(0.1, 0.3)),
    "chosen": stack("lstm", activations=("hard_sigmoid", "softsign", "tanh"), clip=1.5),
    "sparse": sparse(stack("gru", layers=2)),
    "both ways": stack("lstm", layers=2, directions=2),
}


PRECISIONS = {None: 0, "bfloat16": 1, "float16": 2, "int8": 3}  # as the header has them


def whole(weights, x, lengths=None, precision=None):
    y, *_ = rnnfast.prepack(**weights.arguments(), precision=precision)(x, lengths=lengths)
    return y


def installed(build: Path, prefix: Path) -> Path:
    cmake = cmake_builds.tool("cmake")
    cmake_builds.run(cmake, "--install", build, "--prefix", prefix, "--component", "package")
    return prefix


def used(prefix: Path, folder: Path, source: Path = PROJECT, **settings: object) -> Path:
    """A project configured and built against what is installed."""
    if shutil.which("cc") is None or shutil.which("c++") is None:
        pytest.skip("no C compiler")
    cmake, ninja = cmake_builds.tool("cmake"), cmake_builds.tool("ninja")
    found = {"CMAKE_PREFIX_PATH": prefix, "CMAKE_MAKE_PROGRAM": ninja, **settings}
    defined = (f"-D{name}={value}" for name, value in found.items())
    cmake_builds.run(cmake, "-S", source, "-B", folder, "-G", "Ninja", *defined)
    cmake_builds.run(cmake, "--build", folder)
    return folder


@pytest.fixture(scope="module")
def prefix(native_build, tmp_path_factory):
    """Within Python's package, as a wheel has it."""
    return installed(native_build.folder, tmp_path_factory.mktemp("prefix")) / "rnnfast"


@pytest.fixture(scope="module")
def project(prefix, tmp_path_factory):
    return used(prefix, tmp_path_factory.mktemp("project"))


def results(project, folder, weights, lengths=None, precision=None):
    """What `streams` writes, and what it says."""
    dtype = weights.dtype
    x = rng.standard_normal((T, B, I)).astype(dtype)
    save_weights(folder / "weights.safetensors", weights)
    x.tofile(folder / "x")
    if lengths is not None:
        np.asarray(lengths, np.intp).tofile(folder / "lengths")
    said = cmake_builds.run(
        project / "streams",
        folder / "weights.safetensors",
        "f" if dtype == np.float32 else "d",
        *(T, B),
        folder / "x",
        "-" if lengths is None else folder / "lengths",
        folder / "out",
        PRECISIONS[precision],
    )
    return x, np.fromfile(folder / "out", dtype), said


@pytest.mark.parametrize(
    ("name", "precision"),
    [(name, None) for name in STACKS]
    + [(name, precision) for name in ("two layers", "both ways") for precision in PRECISIONS]
    + [("reset before", "int8"), ("zoneout", "int8"), ("projected", "bfloat16")],
)
def test_every_way_gives_what_python_gives(project, tmp_path, name, precision):
    weights = STACKS[name]
    x, got, said = results(project, tmp_path, weights, precision=precision)
    want = whole(weights, x, precision=precision)
    if weights.bidirectional:
        np.testing.assert_array_equal(got, want.ravel())
        assert "both directions cannot be served step by step" in said
        return
    of_whole, of_pool, of_steps, of_runs, of_turns, states = np.split(
        got, np.cumsum([want.size, want.size, want.size, want[:, 0].size, want.size])
    )
    for each in (of_whole, of_pool, of_steps, of_turns):
        np.testing.assert_array_equal(each, want.ravel())
    np.testing.assert_array_equal(of_runs, want[:, 0].ravel())
    last = states.reshape(B, -1)
    tail = np.split(last, np.cumsum(_widths(weights))[:-1], axis=1)
    np.testing.assert_array_equal(tail[-2 if weights.cell == "lstm" else -1], want[-1])


def _widths(weights):
    """Of h and c of each layer in a state."""
    return [
        width
        for (layer,) in weights.layers
        for width in [layer.output_size] + [layer.hidden_size] * (weights.cell == "lstm")
    ]


@pytest.mark.parametrize("name", ["two layers", "both ways"])
def test_sequences_of_different_lengths(project, tmp_path, name):
    lengths = [T, 1, 7]
    x, got, _ = results(project, tmp_path, STACKS[name], lengths)
    want = whole(STACKS[name], x, lengths)
    for of_each in np.split(got, [want.size, 2 * want.size])[: 2 - STACKS[name].bidirectional]:
        np.testing.assert_array_equal(of_each, want.ravel())


def test_weights_that_came_as_bytes(project, tmp_path):
    """They are multiplied as they are, unless a precision is asked for."""

    def matrix(columns):
        values = rng.integers(-80, 81, (3 * H, columns)).astype(np.int8)
        return QuantizedWeight(values, rng.uniform(0.002, 0.02, 3 * H))

    weights = StackWeights("gru", matrix(I), matrix(H))
    for precision, wanted in ((None, "int8"), ("int8", "int8"), ("float16", "float16")):
        x, got, _ = results(project, tmp_path, weights, precision=precision)
        want = whole(weights, x, precision=wanted)
        np.testing.assert_array_equal(got[: want.size], want.ravel())


def test_what_is_wrong_is_told_in_c_as_well(project):
    version, target = cmake_builds.run(project / "plain").split()
    config = rnnfast.show_config("dicts")
    assert (version, target) == (config["version"], config["target"])


def test_a_file_that_holds_no_layers_is_refused(project, tmp_path):
    from safetensors import safe_open
    from safetensors.numpy import load_file, save_file

    save_file({"weight_ih_l0": normal(4, 4)}, tmp_path / "foreign.safetensors")
    (tmp_path / "cut.safetensors").write_bytes(b"\x10\0\0\0\0\0\0\0{")
    save_weights(tmp_path / "back.safetensors", stack("rnn", reverse=True))
    quantized = QuantizedWeight(np.ones((H, 1), np.int8), 0.5)
    save_weights(tmp_path / "w.safetensors", StackWeights("rnn", quantized, normal(H, H)))
    arrays = load_file(tmp_path / "w.safetensors")
    with safe_open(tmp_path / "w.safetensors", "np") as file:
        note = file.metadata()
    scale = arrays.pop("weight_ih_l0_scale")
    save_file(arrays, tmp_path / "unscaled.safetensors", note)
    arrays["weight_ih_l0_scale"] = -scale
    save_file(arrays, tmp_path / "negative.safetensors", note)
    for name, said in (
        ("unscaled", "weight_ih_l0_scale"),
        ("negative", "weight_ih_l0_scale must be more than 0"),
        ("foreign", "not written by rnnfast"),
        ("cut", "truncated"),
        ("missing", "No such file"),
        ("back", "in reverse alone"),
    ):
        path = tmp_path / f"{name}.safetensors"
        command = [project / "streams", path, "f", "1", "1", "-", "-", tmp_path / "out", "0"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60)
        assert done.returncode == 1
        assert said in done.stderr, done.stderr


def test_sparse_weights_stay_of_their_type(project, tmp_path):
    save_weights(tmp_path / "sparse.safetensors", STACKS["sparse"])
    command = [project / "streams", tmp_path / "sparse.safetensors", "f", "1", "1", "-", "-"]
    done = subprocess.run(
        [*command, tmp_path / "out", "3"], capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 1
    assert "sparse weights stay of their type" in done.stderr


def test_another_instruction_set_may_be_asked_for(project):
    said = cmake_builds.run(project / "plain", RNNFAST_TARGET="baseline")
    assert said.split()[1] == "baseline"


def test_nothing_but_the_interface_is_seen(prefix):
    (library,) = (prefix / "lib").glob("librnnfast.*")
    seen = cmake_builds.binutils("nm", "--dynamic", "--defined-only", library).split()[2::3]
    header = (prefix / "include" / "rnnfast.h").read_text()
    assert seen
    assert all(name.startswith("rnnfast_") and f"{name}(" in header for name in seen)


@pytest.mark.slow
def test_a_static_library_without_openmp_and_without_python(tmp_path):
    """By CMake alone, for one instruction set, and without what only training needs."""
    target = rnnfast.show_config("dicts")["target"]
    cmake, ninja = cmake_builds.tool("cmake"), cmake_builds.tool("ninja")
    settings = (
        f"CMAKE_MAKE_PROGRAM={ninja}",
        "CMAKE_CXX_FLAGS_RELEASE=-O0",
        "RNNFAST_PYTHON=OFF",
        "RNNFAST_STATIC_LIBRARY=ON",
        "RNNFAST_OPENMP=OFF",
        "RNNFAST_TRAINING=OFF",
        f"RNNFAST_INSTRUCTION_SETS={target}",
    )
    build = tmp_path / "build"
    cmake_builds.run(
        cmake, "-S", cmake_builds.ROOT, "-B", build, "-G", "Ninja", *(f"-D{s}" for s in settings)
    )
    cmake_builds.run(cmake, "--build", build, "--parallel", os.cpu_count())
    prefix = installed(build, tmp_path / "prefix")
    project = used(prefix, tmp_path / "project", LIBRARY="rnnfast::static")
    assert cmake_builds.run(project / "plain").split()[1] == target
    needed = cmake_builds.binutils("readelf", "--dynamic", project / "plain")
    assert "rnnfast" not in needed
    assert "gomp" not in needed
    x, got, _ = results(project, tmp_path, STACKS["lstm"])
    want = whole(STACKS["lstm"], x).ravel()
    np.testing.assert_allclose(got[: want.size], want, rtol=0, atol=1e-6)
    command = [project / "streams", tmp_path / "weights.safetensors", "f", "1", "1", "-", "-"]
    environment = {**os.environ, "RNNFAST_TARGET": "another"}
    done = subprocess.run(
        [*command, tmp_path / "out", "0"],
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 1
    assert f"RNNFAST_TARGET must be one of {target} on this processor" in done.stderr


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        (("RNNFAST_INSTRUCTION_SETS=sse9",), "must be all, or some of baseline.* got.*sse9"),
        (("RNNFAST_TRAINING=OFF",), "RNNFAST_TRAINING=OFF needs.*RNNFAST_PYTHON=OFF"),
    ],
)
def test_builds_that_cannot_be_say_so(tmp_path, settings, said):
    cmake, ninja = cmake_builds.tool("cmake"), cmake_builds.tool("ninja")
    made = ("-G", "Ninja", f"-DCMAKE_MAKE_PROGRAM={ninja}", *(f"-D{s}" for s in settings))
    command = [cmake, "-S", cmake_builds.ROOT, "-B", tmp_path / "build", *made]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert done.returncode
    assert re.search(said, " ".join(done.stderr.split())), done.stderr


def test_the_program_of_the_page_runs(prefix, tmp_path, monkeypatch):
    page = (cmake_builds.ROOT / "docs" / "cpp.md").read_text()
    parts = dict(re.findall(r"```(python|cmake|cpp)\n(.*?)```", page, re.S))
    source = tmp_path / "source"
    source.mkdir()
    (source / "CMakeLists.txt").write_text(parts["cmake"])
    (source / "streams.cpp").write_text(parts["cpp"])
    monkeypatch.chdir(tmp_path)
    exec(compile(parts["python"], "cpp.md", "exec"), {})
    program = used(prefix, tmp_path / "build", source) / "streams"
    said = subprocess.run([program], capture_output=True, text=True, check=True, timeout=60)
    numbers = said.stdout.split()
    assert len(numbers) == 5
    assert len(set(numbers)) == 1


def test_where_it_lies_is_told(capsys):
    for option, wanted in (
        ("--version", rnnfast.__version__),
        ("--includedir", rnnfast.get_include()),
        ("--cmakedir", rnnfast.get_cmake_dir()),
    ):
        __main__.main([option])
        assert capsys.readouterr().out == f"{wanted}\n"
    __main__.main([])
    assert "target:" in capsys.readouterr().out
