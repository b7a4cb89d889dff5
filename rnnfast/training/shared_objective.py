"""The loss of a batch of which each of n processes sees some rows, and its gradient.

Process r takes the rows r, r + n, r + 2n, ... Its loss was divided by d_r, the number of terms
that count there, so that of the whole batch, divided by D, it is

    L = sum_r d_r L_r / D      dL = sum_r d_r dL_r / D      D = sum_r d_r, or 1 for a sum

All of it goes through one buffer, once a step:

    stop | D of each output | d_r L_r of each output | d_r dL_r of each weight

The penalties of weights are the same everywhere and join afterwards. That one process wants to
stop is known to all by the end of the next step, and all take that one.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from rnnfast.layers.layer import Array
from rnnfast.layers.value import Value
from rnnfast.losses.reduction import SUMS
from rnnfast.training.graph import Graph
from rnnfast.training.objective import Objective, Target, Valued
from rnnfast.training.reducer import Processes
from rnnfast.training.samples import Batch
from rnnfast.training.session import Session

_SAME = 1e-5  # shares of two outputs that differ by rounding alone


def shared(session: Session, graph: Graph, processes: Processes) -> Session:
    """Return a session whose steps several processes take together."""
    objective = SharedObjective(graph, session.objective.targets, processes, session.stopped)
    return replace(session, objective=objective, stopped=objective.stopped)


class SharedObjective(Objective):
    """Losses over a graph of layers, whose batches are shared with other processes.

    Parameters
    ----------
    graph, targets
        As of `Objective`.
    processes : Processes
        This one and the others.
    stopping : callable
        Tells whether this one wants to stop.
    """

    def __init__(
        self,
        graph: Graph,
        targets: Sequence[Target],
        processes: Processes,
        stopping: Callable[[], bool],
    ) -> None:
        super().__init__(graph, targets)
        self._processes = processes
        self._stopping = stopping
        self._stop = False
        self._finite = True
        self._judged = [k for k, target in enumerate(targets) if target.loss is not None]
        # Of a sum, which is divided by 1, each process has as much of that.
        self._divides = np.array(
            [getattr(targets[k].loss, "reduction", None) not in SUMS for k in self._judged]
        )
        self._flat: Array | None = None
        self._places: list[Array] = []

    def stopped(self) -> bool:
        """Tell whether to stop, the same in all processes.

        Where the loss is no number all of them leave the loop at once, be it by an error.
        """
        return self._stop or (not self._finite and self._stopping())

    def value_and_pullback(self, batch: Batch) -> tuple[Valued, Callable[[], list[Array]]]:
        """Compute the loss of the whole batch; its gradient is there by then."""
        rank, size = self._processes.rank, self._processes.size
        there = rank < batch.size
        # For want of a row of its own a process takes one that does not count.
        own = _rows(batch, slice(rank, None, size) if there else slice(0, 1))
        parts, ends, pull = self._of_outputs(own)
        below = np.array(self._denominators(own, ends))[self._judged] * there
        parts, gradients = self._exchanged(below, parts, pull())
        whole = self._total(parts)
        self._finite = math.isfinite(whole)
        if not there:
            own, ends = _rows(own, slice(0)), [_valued(end, slice(0)) for end in ends]
        samples = batch.size
        return Valued(whole, parts, samples, own, ends), lambda: self._penalised_too(gradients)

    def _exchanged(
        self, below: Array, parts: Sequence[float], gradients: Sequence[Array]
    ) -> tuple[list[float], list[Array]]:
        """Return the losses of the outputs and the gradients over all processes."""
        size, judged = self._processes.size, len(self._judged)
        if self._flat is None:
            self._flat, self._places = _buffer(1 + 2 * judged, gradients)
        flat = self._flat
        divisors, losses = flat[1 : 1 + judged], flat[1 + judged : 1 + 2 * judged]
        flat[0] = self._stopping()
        divisors[...] = np.where(self._divides, below, 1 / size)
        losses[...] = [d * parts[k] for d, k in zip(below, self._judged, strict=True)]
        # The shares are equal: the first one that is not nothing of nothing is that of all.
        factor = next(filter(None, below), 0.0)
        for place, gradient in zip(self._places, gradients, strict=True):
            # Nothing of what does not count, be it NaN.
            place[...] = gradient * gradient.dtype.type(factor) if factor else 0
        self._processes.mean_(flat)
        self._stop = bool(flat[0] > 0)
        whole = divisors.astype(np.float64)
        self._require_equal_shares(below, whole * size)
        of_outputs = [0.0] * len(parts)
        for k, loss, divisor in zip(self._judged, losses, whole, strict=True):
            of_outputs[k] = float(loss / (divisor or 1.0))
        flat /= flat.dtype.type(next(filter(None, whole), 1.0))
        return of_outputs, [
            place.astype(gradient.dtype, copy=False)
            for place, gradient in zip(self._places, gradients, strict=True)
        ]

    def _require_equal_shares(self, below: Array, whole: Array) -> None:
        """Refuse outputs of which this process counts for different shares of the batch."""
        shares = below[whole > 0] / whole[whole > 0]
        if len(shares) and np.ptp(shares) > _SAME:
            names = [self.targets[k].name for k in self._judged]
            raise ValueError(
                f"processes must count for the same share of the loss of every output, but of "
                f"{names} the one of rank {self._processes.rank} has {shares.tolist()}: their "
                "masks, weights or reductions differ; train them as several models, or in one "
                "process"
            )

    def _penalised_too(self, gradients: list[Array]) -> list[Array]:
        self._add_penalties(gradients)
        return gradients


def _buffer(head: int, gradients: Sequence[Array]) -> tuple[Array, list[Array]]:
    """Make the flat buffer, and views of the places in it that gradients have after its head."""
    ends = head + np.cumsum([0, *(gradient.size for gradient in gradients)])
    flat = np.empty(ends[-1], np.result_type(np.float32, *gradients))
    return flat, [
        flat[start:end].reshape(gradient.shape)
        for start, end, gradient in zip(ends, ends[1:], gradients, strict=False)
    ]


def _rows(batch: Batch, rows: slice) -> Batch:
    return Batch(
        [_valued(value, rows) for value in batch.inputs],
        [target[rows] for target in batch.targets],
        [None if weights is None else weights[rows] for weights in batch.weights],
    )


def _valued(value: Value, rows: slice) -> Value:
    return Value(value.array[rows], None if value.mask is None else value.mask[rows])
