"""Look at how the time behaves, and print each ratio with its bound.

Nothing else should run on the machine meanwhile: BUSY says that something does at the beginning.
Some ten minutes or more, most of them for the sweep over H; `--only` leaves it out.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from ..busy import take_a_look
from ..cases import EVERYTHING, FIGURES
from ..machine import machine
from ..peers import Ours, Unable
from ..plots import plot_sweep
from ..progress import announced
from ..stored import require_msgspec
from . import (
    autograd,
    bfloat16,
    busy_cores,
    callers,
    checkpoints,
    growth,
    int8,
    modules,
    one_row,
    partitions,
    policies,
    pools,
    precisions,
    served_models,
    sparse,
    stacks,
    streams,
    threads,
    variants,
)
from .ratios import BoundedRatio, to_json, to_markdown

_ROUNDS = 5
_PANEL = 16  # units of a full panel of an LSTM
_MANY = 160  # H up to here one by one, beyond in steps of seven: odd and even, full and ragged


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, print and store.

    Parameters
    ----------
    arguments : sequence of str, optional
        Of the command line; the program's own by default.
    """
    parser = argparse.ArgumentParser(prog="python -m rnnfast.bench.behaviour", description=__doc__)
    parser.add_argument("--only", nargs="+", choices=list(_LOOKS), default=list(_LOOKS))
    parser.add_argument("--full", action="store_true", help="plans of every case that ranks")
    parser.add_argument("--units", type=int, default=1100, help="largest H of the sweep (1100)")
    parser.add_argument("--rounds", type=int, default=_ROUNDS, help=f"turns of each ({_ROUNDS})")
    parser.add_argument("--threads", type=int, default=2, help="of rnnfast (2)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="store the ratios")
    parser.add_argument("--plots", type=Path, metavar="FOLDER", help="draw the sweep over H")
    options = parser.parse_args(arguments)
    try:
        if options.json:
            require_msgspec()
        ours = Ours(options.threads)
    except (Unable, ImportError) as error:
        sys.exit(f"rnnfast.bench.behaviour: {error}")
    if seen := take_a_look(options.threads):
        print(f"BUSY: {seen}; wait until nothing else runs", file=sys.stderr)
    found: list[BoundedRatio] = []
    for name in announced(options.only, "looks"):
        found += _LOOKS[name](ours, options)
    print(to_markdown(found), end="")
    if options.json:
        options.json.parent.mkdir(parents=True, exist_ok=True)
        options.json.write_text(to_json(found), encoding="utf-8")
        options.json.with_suffix(".md").write_text(to_markdown(found), encoding="utf-8")


def _units(ours: Ours, options: argparse.Namespace) -> list[BoundedRatio]:
    every = [*range(1, _MANY), *range(_MANY, options.units + 1, 7)]
    rates = growth.units_sweep(ours, [H for H in every if options.units >= H], rounds=3)
    if options.plots:
        options.plots.mkdir(parents=True, exist_ok=True)
        try:
            about = f"{machine()['processor']}, {ours.target}, {options.threads} threads"
            plot_sweep(rates, about, options.plots / "units.svg")
        except ImportError:
            print("no picture: matplotlib is missing, pip install 'rnnfast[plot]'", file=sys.stderr)
    return growth.growth_with_units({H: rate.median for H, rate in rates.items()}, _PANEL)


def _plans(ours: Ours, options: argparse.Namespace) -> list[BoundedRatio]:
    cases = EVERYTHING if options.full else FIGURES
    return partitions.plan_beside_forced(ours, cases, options.rounds)


def _simply(look: Callable[[Ours, int], list[BoundedRatio]]) -> _Look:
    return lambda ours, options: look(ours, options.rounds)


_Look = Callable[[Ours, argparse.Namespace], list[BoundedRatio]]

_LOOKS: dict[str, _Look] = {
    "torch": _simply(pools.beside_torchs_pool),  # first: torch must not be there yet
    "steps": _simply(growth.growth_with_steps),
    "rows": _simply(growth.growth_with_rows),
    "units": _units,
    "threads": _simply(threads.second_thread),
    "busy-cores": _simply(busy_cores.beside_busy_cores),
    "busy-core": _simply(busy_cores.beside_a_busy_core),
    "spinning": _simply(pools.beside_a_spinning_pool),
    "oversubscribed": _simply(threads.more_threads_than_cores),
    "callers": _simply(callers.callers_at_once),
    "one-row": _simply(one_row.beside_onnxruntime),
    "plans": _plans,
    "variants": _simply(variants.beside_the_plain_cell),
    "cells": _simply(variants.cells_beside_their_kin),
    "precisions": _simply(precisions.beside_float32_and_torch),
    "int8": _simply(int8.beside_float32),
    "int8-onnxruntime": _simply(int8.beside_onnxruntime),
    "int8-perplexity": _simply(int8.character_model),
    "checkpoints": _simply(checkpoints.memory_beside_saving_all),
    "stacks": _simply(stacks.beside_single_layers),
    "packed": _simply(variants.beside_torchs_packed_sequences),
    "modules": _simply(modules.beside_torchs_modules),
    "autograd": _simply(autograd.beside_an_empty_function),
    "policies": _simply(policies.beside_sb3s_loop),
    "bfloat16": _simply(bfloat16.training_in_bfloat16),
    "perplexity": _simply(bfloat16.character_model),
    "served-models": _simply(served_models.beside_their_kernels),
    "sessions": _simply(streams.beside_onnxruntimes_steps),
    "even-steps": _simply(streams.even_steps),
    "pools": _simply(streams.pool_beside_sessions),
    "sparse": _simply(sparse.beside_dense_weights),
}

if __name__ == "__main__":
    main()
