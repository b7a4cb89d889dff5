"""A benchmark checks its answer before it times it.

Two correct results differ by rounding alone. An error made at one step is carried to all later
ones, and a sum of K products errs like the root of K, so that the allowance is

    |theirs - ours| <= eps * SAFETY * (4 T + sqrt(K)) * |ours|

in the Frobenius norm of each result, with SAFETY and the longest sum K of
`rnnfast.testing.tolerances`. In float32 that is some 1e-4: a wrong gate or transposed weight is off
by 0.1 and more. In bfloat16 it would be 1 and more, and is held to 0.1: results are off by 0.005,
gradients by 0.04, those of a ReLU, some of which round to the other side of zero, by 0.08.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from rnnfast.testing.cells import Arguments, Array
from rnnfast.testing.tolerances import gradient_roundings

from .peers import Peer

__all__ = ["Disagreement", "require_agreement"]

_WRONG = 0.1  # what a wrong gate makes, whatever the precision


class Disagreement(ValueError):
    """A peer's results are not ours: nothing is timed."""


def require_agreement(
    peer: str,
    inputs: Arguments,
    ours: Mapping[str, Array],
    theirs: Mapping[str, Array],
    epsilon: float = Peer.epsilon,
) -> None:
    """Compare every result that a peer gives with ours.

    Parameters
    ----------
    peer : str
        Whose results they are.
    inputs : mapping of str to ndarray
        What both were given.
    ours, theirs : mapping of str to ndarray
        Results by name. `theirs` may lack some, but not all.
    epsilon : float, optional
        Of the numbers that the peer computes with; of float32 by default.

    Raises
    ------
    Disagreement
        Naming each result that is further off than rounding explains, or that we do not have.
    """
    allowed = min(epsilon * gradient_roundings(inputs), _WRONG)
    wrong = [
        f"{name} by {off:.2g}"
        for name, theirs_of_it in theirs.items()
        if not (off := _relative(ours.get(name), theirs_of_it)) <= allowed
    ]
    if wrong or not theirs:
        raise Disagreement(
            f"{peer} and rnnfast disagree on {', '.join(wrong) or 'everything: no results'} "
            f"(relative; {allowed:.2g} is allowed)"
        )


def _relative(ours: Array | None, theirs: Array) -> float:
    if ours is None or ours.shape != theirs.shape:
        return np.inf
    return float(np.linalg.norm(theirs - ours) / np.linalg.norm(ours))
