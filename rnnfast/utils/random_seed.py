"""The one source of randomness of the training side.

Everything random (initial weights, shuffling, dropout masks) owns a generator of its own, seeded
by a number. Who is given none draws it here, so one call of `set_random_seed` fixes them all.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import numpy as np

_SEED_BOUND = 2**63

_seeds = np.random.default_rng()
_own: ContextVar[np.random.Generator | None] = ContextVar("own", default=None)


def set_random_seed(seed: int) -> None:
    """Make weights, shuffling and dropout reproducible from here on.

    Seeds Python's `random`, NumPy's global generator and rnnfast's own source of seeds, as
    `keras.utils.set_random_seed` does. The kernels add in an order that depends on no thread
    count, so a seeded run repeats bit for bit on any number of rnnfast threads.

    Parameters
    ----------
    seed : int
        From 0 to 2**32 - 1, NumPy's range.

    Raises
    ------
    TypeError
        When `seed` is not an integer.
    ValueError
        When it lies outside the range.
    """
    seed = check_seed(seed)
    if seed >= 2**32:
        raise ValueError(f"seed must be from 0 to 2**32 - 1, got {seed}")
    global _seeds
    random.seed(seed)
    np.random.seed(seed)
    _seeds = np.random.default_rng(seed)


def check_seed(seed: object) -> int:
    """Return a seed as an int; TypeError when it is no integer, ValueError below 0."""
    if isinstance(seed, bool) or not isinstance(seed, (int, np.integer)):
        raise TypeError(f"seed must be an integer, got {seed!r} of type {type(seed).__name__}")
    if seed < 0:
        raise ValueError(f"seed must not be negative, got {seed}")
    return int(seed)


def make_seed() -> int:
    """Draw a seed for something that was given none."""
    source = _own.get() or _seeds
    return int(source.integers(_SEED_BOUND))


@contextmanager
def seeds_from(seed: int) -> Iterator[None]:
    """Draw seeds from a source of one's own in a block, beside whatever other threads draw."""
    before = _own.set(np.random.default_rng(seed))
    try:
        yield
    finally:
        _own.reset(before)


def make_generator(seed: int | None) -> np.random.Generator:
    """Give a generator seeded by `seed`, or by the next global seed when it is None."""
    return np.random.default_rng(make_seed() if seed is None else check_seed(seed))


def get_state() -> dict[str, Any]:
    """Return the state of all that `set_random_seed` seeds, in numbers and lists."""
    version, numbers, gauss = random.getstate()
    kind, keys, position, has_gauss, cached = np.random.get_state(legacy=True)
    return {
        "seeds": _seeds.bit_generator.state,
        "python": [version, list(numbers), gauss],
        "numpy": [kind, np.asarray(keys).tolist(), position, has_gauss, cached],
    }


def set_state(state: Mapping[str, Any]) -> None:
    """Go on from what `get_state` returned."""
    version, numbers, gauss = state["python"]
    kind, keys, *rest = state["numpy"]
    _seeds.bit_generator.state = state["seeds"]
    random.setstate((version, tuple(numbers), gauss))
    np.random.set_state((kind, np.array(keys, np.uint32), *rest))
