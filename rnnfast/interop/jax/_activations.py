"""Activations of JAX by the names that the core knows them by.

A function is known by what it is, not by what it is called: any other one is the host's to run.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from ..._check.activations import Choice
from ._host import LeftToHostError

_NAMES: dict[Callable[..., Any], Choice] = {
    jax.nn.sigmoid: "sigmoid",
    jax.lax.logistic: "sigmoid",
    jax.scipy.special.expit: "sigmoid",
    jnp.tanh: "tanh",
    jax.lax.tanh: "tanh",
    jax.nn.relu: "relu",
    jax.nn.relu6: "relu6",
    jax.nn.hard_sigmoid: ("hard_sigmoid", 1 / 6, 0.5),
    jax.nn.hard_tanh: "hard_tanh",
    jax.nn.elu: "elu",
    jax.nn.selu: "selu",
    jax.nn.leaky_relu: "leaky_relu",
    jax.nn.soft_sign: "softsign",
    jax.nn.softplus: "softplus",
    jnp.exp: "exponential",
    jax.nn.identity: "linear",
}


def name_of(argument: str, function: Callable[..., Any]) -> Choice:
    """Return an activation as `rnnfast._check` takes it, from an argument of a host's cell."""
    try:
        return _NAMES[function]
    except (KeyError, TypeError):  # as unhashable
        shown = getattr(function, "__name__", repr(function))
        raise LeftToHostError(f"{argument}={shown}, which the kernels do not have") from None
