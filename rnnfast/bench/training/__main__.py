"""Time whole programs beside Keras and PyTorch: python -m rnnfast.bench.training.

Losses are compared before anything is timed. Nothing else should run on the machine meanwhile:
what was measured while something did is marked BUSY.
"""

from __future__ import annotations

import argparse
import datetime
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path

from ..busy import take_a_look
from ..machine import machine
from ..progress import announced
from .epochs import PROGRAMS, measure_epochs
from .own_time import measure_own_time
from .table import to_markdown

_ROUNDS = 5


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, print and store.

    Parameters
    ----------
    arguments : sequence of str, optional
        Of the command line; the program's own by default.
    """
    given = sys.argv[1:] if arguments is None else list(arguments)
    names = [one.program for one in PROGRAMS]
    parser = argparse.ArgumentParser(prog="python -m rnnfast.bench.training", description=__doc__)
    parser.add_argument("--only", nargs="+", choices=[*names, "own_time"], metavar="WHAT")
    parser.add_argument("--rounds", type=int, default=_ROUNDS, help=f"turns of each ({_ROUNDS})")
    parser.add_argument("--threads", type=int, default=2, help="of everyone (2)")
    parser.add_argument("--markdown", type=Path, metavar="FILE", help="store the tables")
    options = parser.parse_args(given)
    if seen := take_a_look(options.threads):
        print(f"BUSY: {seen}; wait until nothing else runs", file=sys.stderr)
    wanted = options.only or [*names, "own_time"]
    try:
        own = measure_own_time(options.rounds, options.threads) if "own_time" in wanted else None
        chosen = [one for one in PROGRAMS if one.program in wanted]
        times = [
            found
            for one in announced(chosen, "programs")
            for found in measure_epochs([one], options.rounds, options.threads)
        ]
    except (ImportError, ValueError, TimeoutError) as error:
        sys.exit(f"rnnfast.bench.training: {error}")
    tables = to_markdown(times, own)
    print(tables, end="")
    if options.markdown:
        about = f"{machine()['processor']}, {options.threads} threads, {datetime.date.today()}"
        command = shlex.join(["python", "-m", "rnnfast.bench.training", *given])
        text = f"# Whole programs\n\n`{command}`  \n{about}\n\n{tables}"
        options.markdown.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
