"""Weights packed in bfloat16 and float16: beside our own float32, torch's bfloat16, and the limit.

A single row waits for weights, of which half as many bytes come twice as fast; many rows wait for
the multipliers, which take two k at once where the processor has vdpbf16ps. Elsewhere only single
rows can gain.
"""

from __future__ import annotations

from functools import partial

from rnnfast._check.precision import Precision

from ..agreement import require_agreement
from ..cases import Case, Inputs, Shape
from ..limits import CaseLimit
from ..peers import Job, Ours, Unable
from ..peers.torch_bfloat16 import TorchBfloat16
from .ratios import BoundedRatio, medians

__all__ = ["beside_float32_and_torch"]

# Of each shape: how much faster than our float32 an LSTM must be, and than torch's bfloat16.
_LSTM = {
    "50/64/512": (1.7, 1.05),
    "100/32/128": (1.6, 1.2),
    "100/1/512": (1.6, 1.3),
    "25/1/1024": (1.6, 1.3),
}
_OTHERS_BESIDE_TORCH = 1.3
_OTHERS_BESIDE_FLOAT32 = 1.0
_OF_THE_LIMIT = 1.0  # above it the limit, or the time, is wrong
_BYTES = 0.51  # half, but for biases and what pads odd sizes


def beside_float32_and_torch(ours: Ours, rounds: int) -> list[BoundedRatio]:
    """Compare inference in bfloat16 with float32 and with torch's, and what is packed.

    Parameters
    ----------
    ours : Ours
        Sets our threads.
    rounds : int
        Turns of each.

    Returns
    -------
    list of BoundedRatio
    """
    try:
        peer = TorchBfloat16(ours.threads)
    except Unable:
        peer = None
    found = []
    for cell in ("lstm", "gru", "rnn_tanh"):
        for shape, lstm in _LSTM.items():
            case = Case("inference", cell, Shape.of(shape))
            at_least = lstm if cell == "lstm" else (_OTHERS_BESIDE_FLOAT32, _OTHERS_BESIDE_TORCH)
            found += _of_case(case, ours, peer, at_least, rounds)
    return found


def _of_case(
    case: Case,
    ours: Ours,
    peer: TorchBfloat16 | None,
    at_least: tuple[float, float],
    rounds: int,
) -> list[BoundedRatio]:
    inputs = case.inputs()
    precisions: tuple[Precision, ...] = ("float32", "bfloat16", "float16")
    jobs: dict[str, Job] = {name: _job(case, inputs, name) for name in precisions}
    right = jobs["float32"].results(jobs["float32"].call())
    for name, epsilon in (("bfloat16", 2.0**-7), ("float16", 2.0**-10)):
        require_agreement(name, inputs, right, jobs[name].results(jobs[name].call()), epsilon)
    if peer is not None:
        theirs = peer.prepare(case, inputs)
        require_agreement(peer.name, inputs, right, theirs.results(theirs.call()), peer.epsilon)
        jobs[peer.name] = theirs
    limit = CaseLimit(case, ours.threads, "bfloat16")
    times = medians({name: job.call for name, job in jobs.items()}, rounds)
    limit.measure()
    own = times["bfloat16"]
    about = f"{case} ({own * 1e3:.3g} ms)"
    found = [
        BoundedRatio(
            f"speed / float32's, bfloat16 {about}", times["float32"] / own, "at least", at_least[0]
        ),
        BoundedRatio(
            f"limit / time, bfloat16 {about}", limit.seconds / own, "at most", _OF_THE_LIMIT
        ),
    ]
    if peer is not None:
        ratio = times[peer.name] / own
        found.append(
            BoundedRatio(f"speed / {peer.name}'s, bfloat16 {about}", ratio, "at least", at_least[1])
        )
    if case.shape.B == 1:
        ratio = times["float32"] / times["float16"]
        found.append(BoundedRatio(f"speed / float32's, float16 {case}", ratio, "at least", 1.0))
    ratio = _nbytes(case, inputs, "bfloat16") / _nbytes(case, inputs, "float32")
    return [*found, BoundedRatio(f"packed bytes / float32's, {case}", ratio, "at most", _BYTES)]


def _job(case: Case, inputs: Inputs, precision: Precision) -> Job:
    packed = case.cell.prepack(inputs, precision=precision)
    return Job(partial(packed, inputs["x"]), lambda out: out._asdict())


def _nbytes(case: Case, inputs: Inputs, precision: Precision) -> int:
    return sum(one.nbytes for one in case.cell.prepack(inputs, precision=precision)._packed)
