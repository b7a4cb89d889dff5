"""The CTC loss, written twice: as its definition says, and as a recursion.

    loss = -log p(l),  p(l) = sum over paths pi with B(pi) = l of prod_t y_t(pi_t),  y = softmax(x)

B takes away repetitions, then blanks. The recursion goes over l' = blank l_0 blank .. l_S-1 blank:

    alpha_t(s) = y_t(l'_s) (alpha_t-1(s) + alpha_t-1(s-1) + [s may be skipped to] alpha_t-1(s-2))

from s-2 one may skip to labels other than l'_s-2.

Source: Graves et al., Connectionist temporal classification, ICML 2006, equations 2, 3, 6 to 8.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from typing import Any

import numpy as np

from .scan import Array

__all__ = ["collapse", "ctc_loss", "ctc_loss_over_paths"]


def collapse(path: Sequence[int], blank: int = 0) -> tuple[int, ...]:
    """B: take away repetitions, then blanks.

    Parameters
    ----------
    path : sequence of int, (T,)
        A class for each step.
    blank : int
        The class that is no label.

    Returns
    -------
    tuple of int
        The labels.
    """
    kept = [k for t, k in enumerate(path) if t == 0 or k != path[t - 1]]
    return tuple(int(k) for k in kept if k != blank)


def ctc_loss_over_paths(x: Array, target: Sequence[int], blank: int = 0) -> float:
    """Sum the probabilities of all C^T paths of one sequence: for tiny ones.

    Parameters
    ----------
    x : ndarray, (T, C)
        Logits.
    target : sequence of int, (S,)
        Labels.
    blank : int
        The class that is no label.

    Returns
    -------
    float
        The loss, infinite where no path is left.
    """
    y = _softmax(x)
    paths = product(range(x.shape[1]), repeat=len(x))
    p = sum(
        np.prod([y[t, k] for t, k in enumerate(path)])
        for path in paths
        if collapse(path, blank) == tuple(target)
    )
    with np.errstate(divide="ignore"):
        return float(-np.log(p))


def ctc_loss(x: Array, target: Sequence[int], blank: int = 0) -> Any:
    """Compute the loss of one sequence, which can be read, by the recursion.

    Parameters
    ----------
    x : ndarray, (T, C)
        Logits; complex ones for a complex step.
    target : sequence of int, (S,)
        Labels.
    blank : int
        The class that is no label.

    Returns
    -------
    float or complex
        The loss.
    """
    states = [blank]
    for label in target:
        states += [int(label), blank]
    y = _softmax(x)
    alpha = np.zeros(len(states), y.dtype)
    alpha[:1] = 1  # before the first step, and never again: there is nothing before a blank
    log_scale = 0
    for t in range(len(x)):
        before = alpha.copy()
        if t == 0:
            alpha[1:2] = alpha[0]
        else:
            alpha[1:] += before[:-1]
            for s in range(2, len(states)):
                if states[s] not in (blank, states[s - 2]):
                    alpha[s] += before[s - 2]
        alpha = alpha * y[t, states]
        scale = alpha.sum()
        alpha, log_scale = alpha / scale, log_scale + np.log(scale)
    return -(np.log(alpha[-2:].sum()) + log_scale)


def _softmax(x: Array) -> Array:
    powers = np.exp(x - x.real.max(axis=-1, keepdims=True))
    shares: Array = powers / powers.sum(axis=-1, keepdims=True)
    return shares
