"""Sparse recurrent weights: a session's step beside that of the same weights with their zeros.

A tenth of the blocks is there, as in LPCNet. Skipped blocks leave the products with W_ih: of
G*H*(I + H) products H=384 leaves I + 38 of I + 384, which is 5.4 times fewer at I=40, 3.1 at 128
and 1.8 at 384. That may be beaten at small I, since what is left of W_hh stays in L2.
"""

from __future__ import annotations

from functools import partial

import numpy as np

from rnnfast.serving import load
from rnnfast.weights import StackWeights

from ..peers import Ours
from .ratios import BoundedRatio, medians

__all__ = ["beside_dense_weights"]

_GATES = {"gru": 3, "lstm": 4}
_H = 384
_DENSITY = 0.1
_BOUNDS = {40: 4.0, 128: 3.0, 384: 1.6}


def beside_dense_weights(ours: Ours, rounds: int) -> list[BoundedRatio]:
    """Compare a step that skips blocks with one that multiplies zeros, on one thread.

    Parameters
    ----------
    ours : Ours
        rnnfast.
    rounds : int
        Turns of each.

    Returns
    -------
    list of BoundedRatio

    Raises
    ------
    RuntimeError
        If results differ.
    """
    found = []
    for cell in _GATES:
        for I, bound in _BOUNDS.items():  # noqa: E741
            weights = _pruned(cell, I)
            x, out = np.full(I, 0.5, np.float32), np.empty(_H, np.float32)
            dense, sparse = load(weights).session(), load(weights, sparse=True).session()
            for _ in range(3):
                if not np.array_equal(dense.step(x), sparse.step(x)):
                    raise RuntimeError(f"a sparse {cell} gives other results than a dense one")
            calls = {
                "dense": partial(dense.step, x, out),
                "sparse": partial(sparse.step, x, out),
            }
            times = medians(calls, rounds)
            about = f"dense / sparse step, {cell} I={I} H={_H}, {weights.density:.0%} kept"
            about = f"{about} ({times['sparse'] * 1e6:.2f} us)"
            found.append(BoundedRatio(about, times["dense"] / times["sparse"], "at least", bound))
    return found


def _pruned(cell: str, I: int) -> StackWeights:  # noqa: E741
    rng, rows = np.random.default_rng(0), _GATES[cell] * _H
    kept = rng.random((rows // 16, _H)) < _DENSITY
    w_ih, w_hh = (0.1 * rng.standard_normal((rows, n), np.float32) for n in (I, _H))
    return StackWeights(cell, w_ih, w_hh * np.repeat(kept, 16, axis=0))
