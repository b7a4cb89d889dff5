"""What private training promises, and an attack that finds out where there is no promise.

Each update draws every sequence with probability q and adds noise of s times the most that one can
move it. Renyi's divergence of order a between updates with and without one sequence is at most
log(A) / (a - 1),

    A = sum_k binomial(a, k) (1 - q)^(a - k) q^k exp((k^2 - k) / (2 s^2)),

divergences of updates add up, and a total of r makes the training (epsilon, delta)-private with
epsilon = r + log(1 / delta) / (a - 1): the least over a.

The attack says "member" where the loss of a sequence is below the mean training loss; its advantage
is its rate of hits less its rate of false alarms.

Sources: Mironov, Renyi differential privacy, 2017; Mironov, Talwar and Zhang, Renyi differential
privacy of the sampled Gaussian mechanism, 2019; Yeom et al., Privacy risk in machine learning, 2018
(the attack).
"""

from __future__ import annotations

from math import exp, lgamma, log, log1p, sqrt
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

ORDERS: tuple[int, ...] = (*range(2, 65), 80, 96, 128, 256, 512)  # a


def epsilon(sampling: float, noise: float, updates: int, delta: float) -> float:
    """Compute epsilon of training by sampled sequences and Gaussian noise.

    Parameters
    ----------
    sampling : float
        q, the probability with which an update draws a sequence.
    noise : float
        s, the noise's standard deviation over the bound.
    updates : int
        How many.
    delta : float
        The other half of the promise.

    Returns
    -------
    float
        Infinite without noise.
    """
    if noise == 0:
        return float("inf")

    def divergence(order: int) -> float:
        terms = [
            lgamma(order + 1) - lgamma(k + 1) - lgamma(order - k + 1)
            + ((order - k) * log1p(-sampling) if order > k else 0.0)
            + (k * log(sampling) if k else 0.0)
            + (k * k - k) / (2 * noise * noise)
            for k in range(order + 1)
            if sampling < 1 or k == order
        ]  # fmt: skip
        largest = max(terms)
        total = sum(exp(term - largest) for term in terms)
        return (largest + log(total)) / (order - 1)

    return min(updates * divergence(a) + log(1 / delta) / (a - 1) for a in ORDERS)


class Attack(NamedTuple):
    """What an attack by losses finds out."""

    advantage: float
    error: float
    false_alarms: Array
    hits: Array


def attack(members: Array, others: Array) -> Attack:
    """Tell members from others by their losses.

    Parameters
    ----------
    members, others : ndarray
        Loss of each sequence that was, and was not, trained on.

    Returns
    -------
    Attack
        The advantage at the mean loss of the members, its standard error, and the rates at all
        thresholds (the ROC curve).
    """
    threshold = members.mean()
    hit, alarm = (members < threshold).mean(), (others < threshold).mean()
    variance = hit * (1 - hit) / len(members) + alarm * (1 - alarm) / len(others)
    thresholds = np.sort(np.concatenate([members, others]))
    rates = [
        np.searchsorted(np.sort(own), thresholds, "right") / len(own) for own in (others, members)
    ]
    return Attack(float(hit - alarm), sqrt(variance), *rates)
