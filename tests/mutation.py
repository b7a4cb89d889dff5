"""Break each line of every cell's backward pass in turn: the gradient tests must fail every time.

    python tests/mutation.py                      all mutations (minutes)
    python tests/mutation.py --list               what would be broken, without building
    python tests/mutation.py --only lstm          one cell's header

Works on a copy in a temporary folder, built once with every mutation in it: a number in the
environment says which counts. Cells are independent of each other, so that each round breaks one
place in every header at once and looks for failures cell by cell. A build or a test run that breaks
down is an error, not a success; so is a test that fails while nothing is broken.
"""

from __future__ import annotations

import argparse
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pybind11

from rnnfast.testing.cells import CELLS as TESTED

ROOT = Path(__file__).resolve().parents[1]
CELLS = Path("csrc/cells")

# All instruction sets share the cells' text, so one will do. Built once, it is not worth -O3, and
# -O0 would make every round slow.
BUILD = (
    "cmake -S {folder} -B {folder}/build -G Ninja -DRNNFAST_INSTRUCTION_SETS=baseline "
    "-DCMAKE_BUILD_TYPE=Debug '-DCMAKE_CXX_FLAGS_DEBUG=-O1 -include {folder}/broken.hpp' "
    "-Dpybind11_DIR={pybind11} -DPython_EXECUTABLE={python} && "
    "cmake --build {folder}/build --target _core && "
    "cp {folder}/build/_core*.so {folder}/rnnfast/"
)
BROKEN = """#pragma once
#include <cstdlib>
[[maybe_unused]] static const int broken = std::atoi(std::getenv("BROKEN"));
"""
# Without site, no editable installation of another copy gets in the way.
TEST = (
    "{python} -S -m pytest -q --tb=no -rf -p no:cacheprovider -p until_it_fails "
    "{folder}/tests/test_gradients.py -k 'test_options or test_every_choice_of_cotangents'"
)
UNTIL_IT_FAILS = '''"""Tests the cells that are broken, each until it fails."""

import os

asked, failed = os.environ["CELLS"].split(), set()


def pytest_exception_interact(node):
    failed.add(str(node.callspec.params["cell"]))


def pytest_runtest_protocol(item):
    cell = str(item.callspec.params["cell"])
    return True if cell not in asked or cell in failed else None
'''

# Broken lines that compute the same: the reason each.
EQUIVALENT = {
    ("gru_reset_before.hpp", "delta[r] = V{}"): "a placeholder that unstage overwrites",
}

OPERANDS = re.compile(
    r"act\.\w+\.slope\((?:[^()]|\([^()]*\))*\)|(?:gate|part|delta|\bp)\[\w+\]|prev\.[hc]|d\.[hc]"
    r"|\b(?:dh|dc|dc_of_[hi]|tanh_c|tanh_m|h_prev|d_operand)\b"
)


@dataclass(frozen=True)
class Mutation:
    """Another value in place of text[begin:end] of a header."""

    header: str
    line: int
    statement: str
    what: str
    begin: int
    end: int
    value: str

    def __str__(self) -> str:
        return f"{self.header}:{self.line}: {self.statement}    [{self.what}]"


def choosing(text: str, numbered: Mapping[int, Mutation]) -> str:
    """Text of a header in which the number of a mutation gives a place its value."""
    places = defaultdict(list)
    for number, mutation in numbered.items():
        places[mutation.begin, mutation.end].append((number, mutation.value))
    for (begin, end), values in sorted(places.items(), reverse=True):
        kind = "State<V>" if text[begin:end].startswith("{") else ""
        chosen = "".join(f"broken == {n} ? {kind}({v}) : " for n, v in values)
        text = f"{text[:begin]}{chosen}{kind}({text[begin:end]}){text[end:]}"
    return text


def without_comments(text: str) -> str:
    """Blank comments out, so that positions stay."""
    return re.sub(r"//[^\n]*", lambda comment: " " * len(comment[0]), text)


def statements(code: str) -> Iterator[tuple[int, int]]:
    """Spans of the assignments inside the functions of the backward pass."""
    for function in re.finditer(r"\bvoid (?:backward|backward_output|unstage)\([^{]*\{", code):
        depth, begin = 1, function.end()
        for at in range(function.end(), len(code)):
            depth += {"{": 1, "}": -1}.get(code[at], 0)
            if code[at] == ";" and depth == 1:
                if " = " in code[begin:at]:
                    yield begin + len(code[begin:at]) - len(code[begin:at].lstrip()), at
                begin = at + 1
            if depth == 0:
                break


def mutations(header: str, text: str) -> Iterator[Mutation]:
    """Signs flipped, operands dropped, operands swapped, statement by statement."""
    code = without_comments(text)
    parts = re.search(r"enum Part \{([^}]*)\}", code)
    names = [name.partition("=")[0].strip() for name in parts[1].split(",")] if parts else []
    following = dict(zip(names, names[1:] + names[:1], strict=True))

    for begin, end in statements(code):
        statement = " ".join(code[begin:end].split())
        right = code.index(" = ", begin, end) + 3
        line = code.count("\n", 0, begin) + 1

        def mutation(
            what: str,
            first: int,
            last: int,
            new: str,
            line: int = line,
            statement: str = statement,
            right: int = right,
            end: int = end,
        ) -> Mutation:
            broken = code[right:first] + new + code[last:end]
            return Mutation(header, line, statement, what, right, end, broken)

        value = code[right:end]
        if value == "V{}":
            yield mutation("one instead of zero", right, end, "splat<V>(1)")
            continue
        if value.startswith("{"):
            last = value.rindex(", ") + 2
            flipped = f"{value[:last]}-({value[last:-1]})}}"
        else:
            flipped = f"-({value})"
        yield mutation("sign", right, end, flipped)
        for operand in OPERANDS.finditer(code, right, end):
            yield mutation(f"without {operand[0]}", *operand.span(), "splat<V>(1)")
        for operand in re.finditer(r"(gate|delta)\[(\w+)\]", code[right:end]):
            if operand[2] in following:
                other = f"{operand[1]}[{following[operand[2]]}]"
                first, last = right + operand.start(), right + operand.end()
                yield mutation(f"{other} for {operand[0]}", first, last, other)
        for minus in re.finditer(" - ", code[right:end]):
            first = right + minus.start()
            yield mutation("+ for -", first, first + 3, " + ")
        for slope in re.finditer(r"act\.(\w+)\.slope", code[right:end]):
            other = "candidate" if slope[1] == "gates" else "gates"
            if f"act.{other}" in code:
                first, last = right + slope.start(1), right + slope.end(1)
                yield mutation(f"slope of {other}", first, last, other)


def cells_of(header: str, text: str) -> set[str]:
    """Names under which the registry lists the types of a header, and tests the cells."""
    types = set(re.findall(r"^struct (\w+) : ", text, re.MULTILINE))
    registry = (ROOT / CELLS / "registry.hpp").read_text()
    listed = {
        name for name, kind in re.findall(r'CELL\("(\w+)",\s*(\w+)', registry) if kind in types
    }
    found = listed & {cell.name for cell in TESTED}
    if not found:
        sys.exit(f"no cell of {header} is tested")
    return found


def run(command: str, folder: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    filled = command.format(
        folder=shlex.quote(str(folder)),
        python=shlex.quote(sys.executable),
        pybind11=shlex.quote(pybind11.get_cmake_dir()),
    )
    paths = [str(folder), *(path for path in sys.path if path.endswith("-packages"))]
    programs = [str(Path(sys.executable).parent), os.environ["PATH"]]
    environment = {
        **os.environ,
        **variables,
        "OMP_WAIT_POLICY": "passive",  # rounds share the cores
        "PYTHONPATH": os.pathsep.join(paths),
        "PATH": os.pathsep.join(programs),
    }
    return subprocess.run(
        filled, shell=True, cwd=folder, env=environment, capture_output=True, text=True
    )


def built(headers: Mapping[str, str], command: str, folder: Path) -> None:
    """Build a copy of the project with these headers of cells."""
    leave = shutil.ignore_patterns(".*", "build", "dist", "__pycache__", "*.so")
    shutil.copytree(ROOT, folder, ignore=leave)
    (folder / "broken.hpp").write_text(BROKEN)
    (folder / "until_it_fails.py").write_text(UNTIL_IT_FAILS)
    for header, text in headers.items():
        (folder / CELLS / header).write_text(text)
    done = run(command, folder)
    if done.returncode:
        sys.exit(f"the build broke down:\n{done.stdout}{done.stderr}")


def failed_cells(test: str, folder: Path, broken: int, cells: set[str]) -> set[str]:
    """Run the tests of cells with the mutations of one number, and return those that fail."""
    tested = run(test, folder, BROKEN=str(broken), CELLS=" ".join(sorted(cells)))
    failures = re.findall(r"^FAILED .*\[(.*?)\]", tested.stdout, re.MULTILINE)
    if tested.returncode != bool(failures):
        sys.exit(f"the tests broke down:\n{tested.stdout}{tested.stderr}")
    return {word for failure in failures for word in failure.split("-")}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--build", default=BUILD, help="shell command that builds {folder}")
    parser.add_argument("--test", default=TEST, help="shell command that tests {folder}")
    parser.add_argument("--only", metavar="HEADER", help="stem of one header in csrc/cells")
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), help="rounds at once")
    parser.add_argument("--list", action="store_true", help="show the mutations and stop")
    options = parser.parse_args()

    texts = {
        path.name: path.read_text()
        for path in sorted((ROOT / CELLS).glob(f"{options.only or '*'}.hpp"))
    }
    numbered = {
        header: dict(enumerate(mutations(header, text), 1)) for header, text in texts.items()
    }
    rounds: dict[int, list[Mutation]] = defaultdict(list)
    for of_header in numbered.values():
        for number, mutation in of_header.items():
            rounds[number].append(mutation)
    if not rounds:
        sys.exit("no backward pass found to break")
    if options.list:
        print(*(mutation for of in numbered.values() for mutation in of.values()), sep="\n")
        return
    cells = {header: cells_of(header, texts[header]) for header, of in numbered.items() if of}

    survivors: list[Mutation] = []
    with tempfile.TemporaryDirectory() as temporary, ThreadPoolExecutor(options.jobs) as pool:
        folder = Path(temporary) / "rnnfast"
        headers = {header: choosing(text, numbered[header]) for header, text in texts.items()}
        built(headers, options.build, folder)
        test = partial(failed_cells, options.test, folder)
        if failed := test(0, set().union(*cells.values())):
            sys.exit(f"tests fail before anything is broken: {sorted(failed)}")
        broken = [set().union(*(cells[m.header] for m in of)) for of in rounds.values()]
        found = pool.map(test, rounds, broken)
        for (number, of_round), failed in zip(rounds.items(), found, strict=True):
            for mutation in of_round:
                mine = cells[mutation.header]
                # A statement that asks which of the header's cells it is in concerns some of them.
                caught = bool(mine & failed) if " == " in mutation.statement else mine <= failed
                equivalent = EQUIVALENT.get((mutation.header, mutation.statement))
                verdict = "caught" if caught else equivalent or "SURVIVED"
                print(f"{number}/{len(rounds)} {verdict}: {mutation}", flush=True)
                if not caught and equivalent is None:
                    survivors.append(mutation)
    if survivors:
        sys.exit("not caught:\n" + "\n".join(map(str, survivors)))


if __name__ == "__main__":
    main()
