"""Streams of models, for the tests of serving: weights at random, and whole sequences."""

from __future__ import annotations

from typing import Any

import numpy as np

import rnnfast
from rnnfast.testing.cells import Cell, is_weight
from rnnfast.testing.random import DType, Problem
from rnnfast.weights import StackWeights


def arguments_of(cell: Cell, dtype: DType = np.float32, seed: int = 5, **sizes: int) -> dict:
    """Weights, and x (T, 1, I), of one layer."""
    sizes = {"T": 47, "I": 7, "H": 19, **sizes}
    return Problem(cell, dtype, B=1, states=(), **sizes).arguments(np.random.default_rng(seed))


def weights_of(cell: Cell, arguments: dict, **options: Any) -> StackWeights:
    """The weights among the arguments."""
    arrays = {name: array for name, array in arguments.items() if is_weight(name)}
    return StackWeights(cell.function, **arrays, **cell.options, **options)


def stack_of(function: str, layers: int = 3, dtype: DType = np.float32, **options: Any) -> dict:
    """What a function takes for layers of I = 7 and H = 19, and x (50, 1, I)."""
    rng = np.random.default_rng(11)
    gates = {"lstm": 4, "gru": 3, "rnn": 1}[function]
    H, inputs = 19, [7] + [19] * (layers - 1)
    made = {
        "x": rng.standard_normal((50, 1, 7)),
        "w_ih": [0.4 * rng.standard_normal((gates * H, n)) for n in inputs],
        "w_hh": [0.4 * rng.standard_normal((gates * H, H)) for _ in inputs],
        "b_ih": [0.4 * rng.standard_normal(gates * H) for _ in inputs],
    }
    as_type = {
        name: [a.astype(dtype) for a in value] if isinstance(value, list) else value.astype(dtype)
        for name, value in made.items()
    }
    return {**as_type, **options}


def model_of_stack(function: str, arguments: dict) -> rnnfast.serving.Model:
    weights = {name: value for name, value in arguments.items() if name != "x"}
    return rnnfast.load(StackWeights(function, **weights))


def as_tuple(state: Any) -> tuple:
    return state if isinstance(state, tuple) else (state,)


def assert_states_equal(got: Any, want: Any) -> None:
    for g, w in zip(as_tuple(got), as_tuple(want), strict=True):
        np.testing.assert_array_equal(g, w)
