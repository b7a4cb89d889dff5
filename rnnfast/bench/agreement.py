"""A benchmark checks its answer before it times it.

Two correct float32 results differ by rounding alone. An error made at one step is carried to all
later ones, and a sum of K products errs like the root of K, so that the allowance is

    |theirs - ours| <= eps * SAFETY * (4 T + sqrt(K)) * |ours|

in the Frobenius norm of each result, with SAFETY and the longest sum K of
`rnnfast.testing.tolerances`. That is some 1e-4: a wrong gate or transposed weight is off by 0.1
and more.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from rnnfast.testing.cells import Arguments, Array
from rnnfast.testing.tolerances import gradient_roundings

__all__ = ["Disagreement", "require_agreement"]


class Disagreement(ValueError):
    """A peer's results are not ours: nothing is timed."""


def require_agreement(
    peer: str, inputs: Arguments, ours: Mapping[str, Array], theirs: Mapping[str, Array]
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

    Raises
    ------
    Disagreement
        Naming each result that is further off than rounding explains, or that we do not have.
    """
    allowed = float(np.finfo(inputs["x"].dtype).eps) * gradient_roundings(inputs)
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
