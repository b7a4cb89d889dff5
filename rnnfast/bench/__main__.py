"""Time rnnfast beside its peers: python -m rnnfast.bench.

Every answer is checked before it is timed. Peers that are not installed are left out and named.
Nothing else should run on the machine meanwhile: cases in which something did are marked BUSY.
"""

from __future__ import annotations

import argparse
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path

from rnnfast import _core
from rnnfast.testing.cells import CELLS_BY_NAME

from .busy import take_a_look
from .cases import EVERYTHING, FIGURES, MODES, select
from .limits import ImpossibleFraction
from .machine import machine, versions
from .measure import measure
from .memory import measure_memory
from .peers import PEERS, Ours, Peer, Unable
from .plots import plot_all
from .progress import announced
from .results import Report, to_json
from .stored import require_msgspec
from .subnormals import CASES as SUBNORMAL_CASES
from .subnormals import measure_subnormals
from .table import terminal
from .tiles import measure_tiles_of

_ROUNDS = 10
_QUICK_ROUNDS = 3


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, print and store.

    Parameters
    ----------
    arguments : sequence of str, optional
        Of the command line; the program's own by default.
    """
    given = sys.argv[1:] if arguments is None else list(arguments)
    options = _parser().parse_args(given)
    try:
        if options.json:
            require_msgspec()
        report = _measure_all(options, shlex.join(["python", "-m", "rnnfast.bench", *given]))
    except (Unable, ValueError, ImpossibleFraction, TimeoutError, ImportError) as error:
        sys.exit(f"rnnfast.bench: {error}")
    print(terminal(report), end="")
    if options.plots:
        _draw(report, options.plots)
    if options.json:
        options.json.parent.mkdir(parents=True, exist_ok=True)
        options.json.write_text(to_json(report), encoding="utf-8")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m rnnfast.bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer rounds: a first impression")
    parser.add_argument("--full", action="store_true", help="every case that ranks (an hour or so)")
    parser.add_argument("--modes", nargs="+", choices=MODES, default=())
    parser.add_argument("--cells", nargs="+", choices=list(CELLS_BY_NAME), default=())
    parser.add_argument(
        "--shapes", nargs="+", metavar="T/B/H", default=(), help="sizes of your own, or T/B/I-H"
    )
    parser.add_argument(
        "--peers", nargs="*", choices=list(PEERS), default=list(PEERS), help="none, if none follow"
    )
    parser.add_argument("--threads", type=int, default=2, help="of everyone (2)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="store the results")
    parser.add_argument("--plots", type=Path, metavar="FOLDER", help="draw pictures (matplotlib)")
    return parser


def _draw(report: Report, folder: Path) -> None:
    try:
        pictures = plot_all(report, folder, "benchmark")
    except ImportError:
        print("no pictures: matplotlib is missing, pip install 'rnnfast[plot]'", file=sys.stderr)
        return
    print(f"\npictures: {', '.join(map(str, pictures))}")


def _measure_all(options: argparse.Namespace, command: str) -> Report:
    rounds = _QUICK_ROUNDS if options.quick else _ROUNDS
    cases = select(
        EVERYTHING if options.full else FIGURES, options.modes, options.cells, options.shapes
    )
    if not cases:
        raise ValueError("no case has all that is asked for: --full knows more of them")
    small = [] if options.shapes else select(SUBNORMAL_CASES, options.modes, options.cells)
    ours = Ours(options.threads)
    peers, absent = _present(options.peers, options.threads)
    if seen := take_a_look(options.threads):
        print(f"BUSY: {seen}; wait until nothing else runs, or expect BUSY cases", file=sys.stderr)
    # Others compile in what is measured, or beforehand.
    contestants = [ours.name, *(peer.name for peer in peers if peer.name == "torch")]
    return Report(
        command=command,
        machine=machine(),
        threads=options.threads,
        target=ours.target,
        versions=versions([ours, *peers]),
        absent=absent,
        rounds=rounds,
        tiles=[
            tile
            for target in announced(_core.config()["targets"], "register tiles")
            for tile in measure_tiles_of(target, rounds)
        ],
        rows=[measure(case, ours, peers, rounds) for case in announced(cases, "cases")],
        subnormals=[
            measure_subnormals(case, ours, rounds) for case in announced(small, "subnormal numbers")
        ],
        memory=[
            measure_memory(case, contestants, options.threads)
            for case in announced([case for case in cases if case.mode == "training"], "memory")
        ],
    )


def _present(names: Sequence[str], threads: int) -> tuple[list[Peer], dict[str, str]]:
    """Return the peers that are there, and why each of the others is not."""
    present, absent = [], {}
    for name in names:
        try:
            present.append(PEERS[name](threads))
        except Unable as reason:
            absent[name] = str(reason)
    return present, absent


if __name__ == "__main__":
    main()
