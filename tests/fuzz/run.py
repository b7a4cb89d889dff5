"""Run the tests of this folder on fresh random examples, for a time: python tests/fuzz/run.py 60

Every seed has a process of its own, so that what crashes or hangs it is found like anything else.
Whatever is found ends the run: it prints the smallest example that hypothesis could make of it, the
`@reproduce_failure` that brings it back in a single test, and the seed that brings back the run.
"""

from __future__ import annotations

import argparse
import secrets
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

FOLDER = Path(__file__).resolve().parent
ROOT = FOLDER.parents[1]
STUCK = 120  # seconds without an end to a test: every thread's stack is printed
PATIENCE = 1800  # seconds for a seed, which takes half a minute or so
SHOWN = 80  # lines of the example that was tried when a process crashed


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python tests/fuzz/run.py", description=__doc__)
    parser.add_argument("seconds", type=float, help="begin no other seed after this time")
    parser.add_argument("--seed", type=int, help="run this one alone, once")
    parser.add_argument("--tests", nargs="+", default=[str(FOLDER)], help="files, or tests in them")
    options = parser.parse_args(arguments)
    begin = time.monotonic()
    seeds = 0
    while True:
        seed = secrets.randbelow(2**32) if options.seed is None else options.seed
        command = pytest(options.tests, seed)
        code, output = finish(command)
        seeds += 1
        gone = time.monotonic() - begin
        print(f"{gone:5.0f} s of {options.seconds:.0f}: seed {seed}: {last(output)}", flush=True)
        if code:
            sys.exit(report(command, code, output, seed))
        if gone >= options.seconds or options.seed is not None:
            print(f"nothing found with {seeds} seeds")
            return


def pytest(tests: Sequence[str], seed: int, *more: str) -> list[str]:
    own = [
        "-q",
        "-x",
        "-p",
        "no:cacheprovider",
        "--tb=short",
        "-o",
        f"faulthandler_timeout={STUCK}",
    ]
    random = ["--hypothesis-profile=fuzz", f"--hypothesis-seed={seed}"]
    return [sys.executable, "-u", "-m", "pytest", *own, *random, *more, *tests]


def finish(command: Sequence[str]) -> tuple[int, str]:
    """Exit status and output of a command, 1 for one that had to be stopped."""
    try:
        done = subprocess.run(
            command,
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            timeout=PATIENCE,
        )
    except subprocess.TimeoutExpired as stopped:
        output = stopped.stdout or b""
        return 1, f"{output.decode(errors='replace')}\nhung: stopped after {PATIENCE} s"
    return done.returncode, done.stdout


def last(output: str) -> str:
    lines = output.strip().splitlines()
    return lines[-1] if lines else "no output"


def report(command: list[str], code: int, output: str, seed: int) -> str:
    """Say what was found, and how to find it again."""
    print(output)
    if code < 0:
        print(f"the process ended by signal {-code}; once more, telling each example:")
        _, told = finish([*command, "-s", "--hypothesis-verbosity=verbose"])
        print("\n".join(told[tried_last(told) :].splitlines()[:SHOWN]))
    return f"found with seed {seed}; again: make fuzz FUZZ_ARGS='--seed {seed}'"


def tried_last(told: str) -> int:
    """Where the last example begins, of which hypothesis tells in one of these words."""
    return max(0, *(told.rfind(word) for word in ("Trying example: ", "Test case: ")))


if __name__ == "__main__":
    main()
