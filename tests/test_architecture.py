"""The arrows of ARCHITECTURE.md, held: what may include or import what, and what stands where."""

import ast
import importlib
import inspect
import pkgutil
import re
import subprocess
import sys
from collections.abc import Callable, Iterable
from functools import cache
from pathlib import Path
from typing import Any

import pytest

import rnnfast

ROOT = Path(__file__).resolve().parents[1]
CSRC = ROOT / "csrc"
PACKAGE = ROOT / "rnnfast"

# --- C++ ------------------------------------------------------------------------------------------

# folder, or room of cpu/: what it may include besides itself
CELLS = {"base", "simd", "math", "cells"}
CALL = {"base", "math", "call"}
LAYOUT = CELLS | {"gemm", "call", "cpu/plan", "cpu/layout"}
PASSES = LAYOUT | {"cpu/epilogue"}
DRIVES = PASSES | {"cpu/forward", "cpu/backward", "cpu/drive"}
DOORS = {"base", "call", "cpu/dispatch", "api"}
MAY_INCLUDE = {
    "base": set(),
    "simd": {"base"},
    "math": {"base", "simd"},
    "cells": CELLS,
    "gemm": {"base", "simd"},
    "call": CALL,
    "ctc": {"base", "simd", "math"},
    "random": {"base"},
    "cpu/plan": CALL,
    "cpu/layout": LAYOUT,
    "cpu/epilogue": LAYOUT,
    "cpu/forward": PASSES,
    "cpu/backward": PASSES,
    "cpu/drive": DRIVES,
    "cpu/targets": DRIVES | {"ctc"},
    "cpu/dispatch": DRIVES | {"ctc", "cpu/targets"},
    "cuda": {*CELLS, "call"},
    "cuda/persistent": {*CELLS, "call", "cuda"},
    "cuda/general": {*CELLS, "call", "cuda", "cuda/persistent"},
    "cuda/backend": {*CELLS, "call", "cuda", "cuda/general", "api"},
    "cuda/gpu": {*CELLS, "call", "cuda", "cuda/general", "cuda/backend", "api"},
    "api": {"base", "math", "cells", "call", "cpu/plan", "cpu/dispatch"},
    "serving": {"base", "call", "api"},
    "files": {"base"},
    "package": {"base", "math", "call", "cpu/dispatch", "api", "serving", "files"},
    "doors": DOORS,
    "doors/tensorflow": DOORS | {"doors"},
    "doors/xla": DOORS | {"doors"},
    "doors/onnxruntime": DOORS,
    "bindings": {
        *{"base", "ctc", "random", "cpu/dispatch", "api", "serving"},
        *{"doors", "doors/onnxruntime", "doors/tensorflow", "doors/xla"},
    },
    "bindings/cuda": {"base", "api", "bindings"},
}

# Compiled once per instruction set, so a template of the standard library instantiated there could
# be merged by the linker into code for older processors. These headers define none that matter:
# types, constants, and functions of the C library.
HEADERS_OF_TARGET_CODE = {
    "cassert",
    "cfloat",
    "climits",
    "concepts",
    "cstddef",
    "cstdint",
    "cstdlib",
    "cstring",
    "limits",
    "type_traits",
}

INSTRUCTION_SET = re.compile(
    r"^\s*#\s*(?:el)?if\w*\b.*"
    r"(__SSE|__AVX|__FMA__|__BMI|__F16C__|__ARM_|__aarch64__|__x86_64__|__i386__|_M_X64|_M_ARM64)"
)
OPENMP = re.compile(r"^\s*#\s*pragma\s+omp\b|_OPENMP\b|<omp\.h>|\bomp_\w+\s*\(")
INCLUDE = re.compile(r'^\s*#\s*include\s*(?:"(?P<own>[^"]+)"|<(?P<system>[^>]+)>)', re.MULTILINE)

SUFFIXES = {".hpp", ".cpp", ".h", ".inc", ".cu", ".cuh"}
SOURCES = sorted(path for path in CSRC.rglob("*") if path.suffix in SUFFIXES)


def name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def offenders(files: Iterable[Path], rule: Callable[[Path], Any]) -> dict[str, Any]:
    """What a rule finds wrong with each of the files, without those that keep it."""
    return {name(file): wrong for file in files if (wrong := rule(file))}


def folder(source: Path) -> str:
    return source.parent.relative_to(CSRC).as_posix()


@cache
def includes(source: Path) -> tuple[list[str], list[str]]:
    """What a source includes: of ours, by path from csrc/; of the system."""
    own, system = [], []
    for match in INCLUDE.finditer(source.read_text()):
        if match["own"]:
            own.append(match["own"])
        else:
            system.append(match["system"])
    return own, system


def reached_from(source: Path) -> set[Path]:
    """A source and everything of ours that it includes, directly or not."""
    reached, waiting = set(), [source]
    while waiting:
        source = waiting.pop()
        if source not in reached:
            reached.add(source)
            waiting += [CSRC / path for path in includes(source)[0]]
    return reached


def test_csrc_has_only_the_folders_of_the_map():
    assert {folder(source) for source in SOURCES} == MAY_INCLUDE.keys()


def test_includes_follow_the_arrows():
    def beyond(source: Path) -> list[str]:
        allowed = MAY_INCLUDE[folder(source)] | {folder(source)}
        return [path for path in includes(source)[0] if folder(CSRC / path) not in allowed]

    assert not offenders(SOURCES, beyond)


def test_includes_are_paths_from_csrc():
    def missing(source: Path) -> list[str]:
        return [path for path in includes(source)[0] if not (CSRC / path).is_file()]

    assert not offenders(SOURCES, missing)


def test_target_code_includes_no_standard_templates():
    # The plan is compiled once; targets only read it.
    targets = set().union(*map(reached_from, (CSRC / "cpu" / "targets").glob("*.cpp")))

    def beyond(source: Path) -> set[str]:
        registers = {"immintrin.h", "arm_neon.h"} if folder(source) in ("base", "simd") else set()
        return {*includes(source)[1]} - HEADERS_OF_TARGET_CODE - registers

    assert targets
    assert not offenders(sorted(targets - {CSRC / "cpu" / "plan" / "plan.hpp"}), beyond)


def test_instruction_sets_are_told_apart_in_simd_and_cpu_alone():
    def told_apart(source: Path) -> list[str]:
        if folder(source) == "simd" or (folder(source) == "base" and source.stem.startswith("cpu")):
            return []
        lines = source.read_text().replace("\\\n", " ").splitlines()
        # A target's file refuses to be compiled without its flags: that chooses nothing.
        return [
            line
            for line, following in zip(lines, [*lines[1:], ""], strict=True)
            if INSTRUCTION_SET.match(line)
            and not (folder(source) == "cpu/targets" and re.match(r"\s*#\s*error", following))
        ]

    assert not offenders(SOURCES, told_apart)


def test_openmp_stands_in_threads_alone():
    def used(source: Path) -> list[str]:
        of_threads = folder(source) == "base" and source.stem.startswith("threads")
        return [] if of_threads else OPENMP.findall(source.read_text())

    assert not offenders(SOURCES, used)


# --- Python ---------------------------------------------------------------------------------------

# module or subpackage of rnnfast: what it may import of rnnfast besides itself
KERNEL_API = {"_core", "_check", "_devices", "_threads", "_config"}
LAYERS = {
    "callbacks",
    "initializers",
    "layers",
    "losses",
    "metrics",
    "optimizers",
    "regularizers",
    "utils",
}
TRAINING = {
    *{"_check", "engine", "files", "weights", "functional", "_threads"},
    *{*LAYERS, "training", "models"},
}
MAY_IMPORT = {
    "_core": set(),
    "_loading": set(),
    "_devices": {"_core"},
    "_check": {"_core", "_devices"},
    "_threads": {"_core", "_check"},
    "_config": {"_core", "_check", "_devices", "_threads"},
    "_cpp_package": {"_core"},
    "__main__": {"_config", "_cpp_package"},
    "engine": KERNEL_API,
    "files": {"_check"},
    "weights": {"_check", "engine", "files"},
    "functional": {*KERNEL_API, "engine", "files", "weights"},
    "serving": {"_core", "_check", "engine", "weights"},
    "reference": set(),
    "testing": {*KERNEL_API, "engine", "functional", "reference"},
    "initializers": {"utils"},
    "regularizers": {"utils"},
    "utils": {"_check"},
    "layers": {
        *{"_check", "engine", "weights", "functional"},
        *{"initializers", "regularizers", "utils"},
    },
    "losses": {"functional", "utils", "_check"},
    "metrics": {"utils", "losses", "_check"},
    "optimizers": {"utils", "_check"},
    "callbacks": {"utils", "_check"},
    "training": TRAINING - {"models"},
    "models": TRAINING,
    "interop": {*KERNEL_API, *TRAINING},
    "convert": {*TRAINING, "interop"},
    "examples": {*KERNEL_API, *TRAINING, "interop"},
    "bench": {*KERNEL_API, *TRAINING, "serving", "reference", "testing", "interop", "examples"},
}
HOSTS = {
    "darts",
    "equinox",
    "flax",
    "gymnasium",
    "haiku",
    "jax",
    "keras",
    "onnx",
    "onnxruntime",
    "openvino",
    "optax",
    "sb3_contrib",
    "sklearn",
    "skorch",
    "stable_baselines3",
    "tensorflow",
    "torch",
}
MAY_IMPORT_HOSTS = {"interop", "bench", "examples"}
OPTIONAL = {"matplotlib", "mpi4py", "msgspec", "safetensors", "threadpoolctl", "tqdm"}

MODULES = sorted(path for path in PACKAGE.rglob("*") if path.suffix in (".py", ".pyi"))


def part(module: Path) -> str:
    """The entry of MAY_IMPORT that a module belongs to."""
    return module.relative_to(PACKAGE).parts[0].split(".")[0]


def imported(tree: ast.AST, module: Path) -> list[str]:
    """Dotted names that the import statements below a node bring in."""
    names = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                package = ("rnnfast", *module.relative_to(PACKAGE).parts[:-1])
                base = ".".join((*package[: len(package) - node.level + 1], base)).rstrip(".")
            names += [f"{base}.{alias.name}" for alias in node.names]
    return names


def module_of(dotted: str) -> Path | None:
    """The file of rnnfast that a dotted name lies in; None for a name of the package itself."""
    words = dotted.split(".")[1:]
    for count in range(len(words), 0, -1):
        path = PACKAGE.joinpath(*words[:count])
        for file in (path.with_suffix(".py"), path.with_suffix(".pyi"), path / "__init__.py"):
            if file.is_file():
                return file
    return None


def test_no_imports_go_in_a_circle():
    # Those in functions and for types alone count as well: they would only hide one.
    uses = {}
    for module in MODULES:
        names = imported(ast.parse(module.read_text()), module)
        used = {module_of(dotted) for dotted in names if dotted.startswith("rnnfast.")}
        uses[module] = used - {module, None}
    while ends := [module for module, used in uses.items() if not used & uses.keys()]:
        for module in ends:
            del uses[module]
    assert not {
        name(module): sorted(map(name, used & uses.keys())) for module, used in uses.items()
    }


class WithoutTyping(ast.NodeTransformer):
    """Takes away `if TYPE_CHECKING`: naming the type of one's user is not using it."""

    def visit_If(self, node):
        return None if "TYPE_CHECKING" in ast.unparse(node.test) else self.generic_visit(node)


class AtImportTime(WithoutTyping):
    """Takes away the bodies of functions as well."""

    def visit_FunctionDef(self, node):
        return None

    visit_AsyncFunctionDef = visit_FunctionDef


def parsed(module: Path) -> ast.Module:
    return ast.parse(module.read_text())


def roots(tree: ast.AST, module: Path) -> set[str]:
    """Packages that the import statements below a node take something from."""
    return {dotted.split(".")[0] for dotted in imported(tree, module)}


def test_imports_follow_the_arrows():
    def beyond(module: Path) -> list[str]:
        allowed = MAY_IMPORT[part(module)] | {part(module)}
        wrong = []
        for dotted in imported(WithoutTyping().visit(parsed(module)), module):
            if not dotted.startswith("rnnfast."):
                continue
            used = dotted.split(".")[1]
            # A name of the package's own namespace is neither a module nor a folder.
            own = (PACKAGE / used).is_dir() or (PACKAGE / f"{used}.py").is_file() or used == "_core"
            if used not in allowed if own else not allowed >= TRAINING:
                wrong.append(dotted)
        return wrong

    assert not offenders(set(MODULES) - {PACKAGE / "__init__.py"}, beyond)


def test_hosts_are_imported_only_where_they_may():
    def hosts(module: Path) -> set[str]:
        may = part(module) in MAY_IMPORT_HOSTS
        return set() if may else roots(parsed(module), module) & HOSTS

    assert not offenders(MODULES, hosts)


def test_optional_packages_are_imported_when_used():
    def beyond(module: Path) -> set[str]:
        hosts = HOSTS if part(module) in MAY_IMPORT_HOSTS else set()
        at_import_time = roots(AtImportTime().visit(parsed(module)), module)
        return at_import_time - {"rnnfast", "numpy", *sys.stdlib_module_names} - hosts

    assert not OPTIONAL & {"rnnfast", "numpy", *sys.stdlib_module_names, *HOSTS}
    assert not offenders(MODULES, beyond)


# --- docstrings -----------------------------------------------------------------------------------


def public_objects():
    """Everything that a public package of rnnfast exports, with its dotted name."""
    packages = [rnnfast]
    for found in pkgutil.iter_modules(rnnfast.__path__, "rnnfast."):
        if not found.name.split(".")[1].startswith("_") and "interop" not in found.name:
            packages.append(importlib.import_module(found.name))
    for package in packages:
        for exported in getattr(package, "__all__", ()):
            thing = getattr(package, exported)
            if inspect.isroutine(thing) or inspect.isclass(thing):
                yield f"{package.__name__}.{exported}", thing


def public_methods(cls: type) -> list[str]:
    """Names of the methods that a class itself defines; a docstring may come from its base."""
    return [
        called
        for called, method in vars(cls).items()
        if not called.startswith("_") and inspect.isfunction(method)
    ]


def sections(thing) -> set[str]:
    return set(re.findall(r"^([A-Z][A-Za-z ]+)\n-+$", inspect.getdoc(thing) or "", re.MULTILINE))


def defect(thing) -> str | None:
    """What the docstring of a function or class lacks of numpydoc's sections."""
    signature = inspect.signature(thing)
    named = [called for called in signature.parameters if called not in ("self", "cls")]
    if named and not sections(thing) & {"Parameters", "Attributes"}:
        return "no Parameters"
    if not named and re.match(r"(Return|Whether|How many)\b", inspect.getdoc(thing) or ""):
        return None  # one sentence says it all
    missing = [one for one in named if not re.search(rf"\b{one}\b", inspect.getdoc(thing))]
    if missing:
        return f"nothing about {', '.join(missing)}"
    silent = inspect.isclass(thing) or signature.return_annotation in (None, "None", "NoReturn")
    if not silent and not sections(thing) & {"Returns", "Yields"}:
        return "no Returns"
    return None


def test_everything_public_is_documented():
    defects = {}
    for called, thing in public_objects():
        defects[called] = defect(thing)
        if inspect.isclass(thing):
            for method in public_methods(thing):
                # What a base has said of its method holds for those that replace it.
                versions = [vars(base)[method] for base in thing.__mro__ if method in vars(base)]
                found = [defect(version) for version in versions if inspect.isfunction(version)]
                defects[f"{called}.{method}"] = found[0] if all(found) else None
    assert not {called: what for called, what in defects.items() if what}


@pytest.mark.parametrize("function", [rnnfast.rnn, rnnfast.lstm, rnnfast.gru])
def test_the_docstring_of_a_cell_gives_its_equations_and_their_source(function):
    assert {"Notes", "References"} <= sections(function)


# --- the tree -------------------------------------------------------------------------------------

AT_THE_ROOT = {
    ".ci",
    ".clang-format",
    ".github",
    ".gitignore",
    "ARCHITECTURE.md",
    "CHANGELOG.md",
    "CITATION.cff",
    "CMakeLists.txt",
    "CONTRIBUTING.md",
    "LICENSE",
    "Makefile",
    "README.md",
    "SECURITY.md",
    "bench",
    "csrc",
    "docs",
    "packaging",
    "pyproject.toml",
    "rnnfast",
    "tests",
}


@pytest.fixture(scope="module")
def tree() -> list[Path]:
    """Files that are, or could be, committed."""
    if not (ROOT / ".git").exists():
        pytest.skip("not a git checkout")
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    return [Path(line) for line in listed.splitlines() if (ROOT / line).is_file()]


def test_only_what_belongs_stands_at_the_root(tree):
    assert {path.parts[0] for path in tree} <= AT_THE_ROOT


def test_no_file_names_the_machine_it_was_written_on(tree):
    places = {str(ROOT), str(Path.home())}
    naming = re.compile(rf"(?<![\w.])({'|'.join(map(re.escape, sorted(places)))})(?=/|\b)")

    def named(path: Path) -> list[str]:
        try:
            return naming.findall(path.read_text(encoding="utf-8"))
        except UnicodeDecodeError:  # a picture
            return []

    assert not offenders((ROOT / path for path in tree), named)
