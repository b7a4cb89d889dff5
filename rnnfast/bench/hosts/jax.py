"""JAX beside us: training by `lax.scan` and by our functions, and the cost of a call.

    python -m rnnfast.bench.hosts.jax [--rounds 10]

Both are one compiled program of a forward and a backward pass, whose results are compared before
anything is timed.
"""

from __future__ import annotations

import argparse
import sys
from functools import partial
from typing import Any

import numpy as np

from rnnfast.testing.cells import Cell

from ..._threads import get_num_threads
from ..agreement import require_agreement
from ..behaviour.ratios import BoundedRatio, medians, to_markdown
from ..cases import Case, Shape
from ..peers import Unable
from ..peers.jax import Jax, State, Values
from ..timing import Call

__all__ = ["JaxOnKernels", "beside_jax", "cost_of_a_call"]

_FASTER = (("lstm", 3.5), ("gru", 2.5), ("rnn_tanh", 2.5))
_SHAPE = "100/32/128"
_IN_A_ROW = 50  # calls
_MICROSECONDS = 5.0


class JaxOnKernels(Jax):
    """The same program of JAX, with a function of ours in place of the scan.

    Parameters
    ----------
    threads : int
        Threads that JAX uses.
    """

    name = "jax-rnnfast"

    def _scan(self, cell: Cell, values: Values) -> tuple[Any, State]:
        from rnnfast.interop import jax as ours

        y, *last = getattr(ours, cell.function)(**values, **cell.options)
        return y, tuple(last)


def beside_jax(rounds: int) -> list[BoundedRatio]:
    """Compare a training step by `lax.scan` with one by our functions.

    Parameters
    ----------
    rounds : int
        Turns of each.

    Returns
    -------
    list of BoundedRatio
    """
    threads = get_num_threads()
    return [
        *(_training(cell, bound, threads, rounds) for cell, bound in _FASTER),
        cost_of_a_call(rounds),
    ]


def _training(cell: str, bound: float, threads: int, rounds: int) -> BoundedRatio:
    case = Case("training", cell, Shape.of(_SHAPE))
    inputs = case.inputs()
    own, theirs = (peer(threads).prepare(case, inputs) for peer in (JaxOnKernels, Jax))
    require_agreement("jax", inputs, own.results(own.call()), theirs.results(theirs.call()))
    times = medians({"own": own.call, "theirs": theirs.call}, rounds)
    about = f"lax.scan's time / ours, jitted, training, {cell} {_SHAPE}"
    return BoundedRatio(about, times["theirs"] / times["own"], "at least", bound)


def cost_of_a_call(rounds: int) -> BoundedRatio:
    """Measure what a call of the kernels takes in a program, beyond the kernels themselves.

    A step of one row and one unit is next to nothing to compute: so many of them, one after the
    other, are compared with as many multiplications of another shape that XLA does not fuse.

    Parameters
    ----------
    rounds : int
        Turns of each.

    Returns
    -------
    BoundedRatio
        In microseconds, of a call.
    """
    import jax
    import jax.numpy as jnp

    from rnnfast.interop import jax as ours

    weights = jnp.ones((1, 1), np.float32), jnp.ones((1, 1), np.float32)
    x = jnp.ones((1, 1, 1), np.float32)

    def in_a_row(one: Any) -> Call:
        def many(x: Any) -> Any:
            for _ in range(_IN_A_ROW):
                x = jax.lax.optimization_barrier(one(x))
            return x

        run = jax.jit(many)
        return lambda: jax.block_until_ready(run(x))

    times = medians(
        {
            "multiplication": in_a_row(lambda x: x * 2),
            "call": in_a_row(lambda x: partial(ours.rnn, w_ih=weights[0], w_hh=weights[1])(x).y),
        },
        rounds,
    )
    beyond = (times["call"] - times["multiplication"]) / _IN_A_ROW * 1e6
    about = "microseconds of a call in a program, beyond a multiplication"
    return BoundedRatio(about, beyond, "at most", _MICROSECONDS)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="rnnfast.bench.hosts.jax")
    parser.add_argument("--rounds", type=int, default=10, help="turns of each contestant")
    try:
        print(to_markdown(beside_jax(parser.parse_args().rounds)), end="")
    except Unable as error:
        sys.exit(f"rnnfast.bench.hosts.jax: {error}")


if __name__ == "__main__":
    main()
