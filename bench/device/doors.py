"""Random calls on arrays of a GPU, through rnnfast's doors, beside the host's in float64.

    python3 bench/device/doors.py [--seconds 60] [--first 0]

Wants PyTorch, and rnnfast with its extension. A line for each call that is off beyond rounding, or
raises; its number brings it back.
"""

from __future__ import annotations

import argparse
import itertools
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

import rnnfast
from rnnfast.testing.cells import CELLS, Cell
from rnnfast.testing.options import OPTIONS, Option
from rnnfast.testing.random import Problem

# By the type of the arrays, how far a number may be off, of the largest of its array or 1: some of
# the last places, of what a sum is made of where that is of 16 bits.
TOLERANCES = {"float64": 1e-12, "float32": 1e-4, "float16": 16 * 2**-11, "bfloat16": 16 * 2**-8}

ToDevice = Callable[[Any, str], Any]  # an array of the host, and the type it shall have there
FromDevice = Callable[[Any], Any]  # float64, on the host


def drawn(
    number: int, cells: Sequence[Cell], largest: int, options: Sequence[Option] = OPTIONS
) -> tuple[Problem, bool]:
    """Return a call, by its number, and whether gradients are of each sequence."""
    rng = np.random.default_rng(number)
    cell = cells[rng.integers(len(cells))]
    chosen = tuple(option for option in options if rng.random() < 0.25)
    steps, rows, inputs, units = rng.integers(1, largest + 1, 4)
    problem = Problem(
        cell,
        np.float32,
        T=int(steps),
        B=int(rows),
        I=int(inputs),
        H=int(units),
        states=tuple(state for state in cell.states if rng.random() < 0.7),
        reverse=bool(rng.integers(2)),
        options=chosen,
    )
    keeps_all = all(option.name != "checkpoint" for option in chosen)
    return problem, keeps_all and rng.random() < 0.3


def differences(
    problem: Problem, per_sample: bool, dtype: str, there: ToDevice, back: FromDevice
) -> Iterator[tuple[str, float]]:
    """Yield what each result and gradient is off, as a share of what is allowed."""
    rng = np.random.default_rng(1)
    options = {**problem.cell.options, **problem.call(rng), "per_sample": per_sample}
    arguments, above = (
        {name: there(array, dtype) for name, array in arrays.items()}
        for arrays in (problem.arguments(rng), problem.cotangents(rng))
    )
    function = getattr(rnnfast, f"{problem.cell.function}_vjp")
    wanted, pull_wanted = function(**{n: back(a) for n, a in arguments.items()}, **options)
    if "resets" in options:
        options["resets"] = there(options["resets"], "bool")
    found, pull = function(**arguments, **options)
    pairs = zip(found._fields, found, wanted, strict=True)
    of_host = pull_wanted(**{name: back(array) for name, array in above.items()})
    gradients = zip(of_host._fields, pull(**above), of_host, strict=True)
    for name, one, its in itertools.chain(pairs, gradients):
        if its is None:
            assert one is None, name
            continue
        number = back(one)
        assert number.shape == its.shape, name
        if its.size:
            size = max(1.0, float(np.abs(its).max()))
            yield name, float(np.abs(number - its).max()) / size / TOLERANCES[dtype]


def main() -> None:
    """Call until the time is over."""
    import torch

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--first", type=int, default=0, help="the number of the first call")
    chosen = parser.parse_args()

    def there(array: Any, dtype: str) -> Any:
        return torch.from_numpy(np.ascontiguousarray(array)).to("cuda", getattr(torch, dtype))

    def back(array: Any) -> Any:
        return array.to("cpu", torch.float64).numpy()

    until, wrong = time.monotonic() + chosen.seconds, 0
    for number in itertools.count(chosen.first):
        if time.monotonic() > until:
            break
        problem, per_sample = drawn(number, CELLS, 80)
        for dtype in TOLERANCES:
            try:
                off = dict(differences(problem, per_sample, dtype, there, back))
            except Exception as error:  # of which each is a finding
                off = {f"{type(error).__name__}: {error}": np.inf}
            worst = {name: share for name, share in off.items() if not share <= 1}
            if worst:
                wrong += 1
                print(number, dtype, problem, worst, flush=True)
    print(f"{number - chosen.first} calls in {len(TOLERANCES)} types, {wrong} wrong")
    raise SystemExit(bool(wrong))


if __name__ == "__main__":
    main()
