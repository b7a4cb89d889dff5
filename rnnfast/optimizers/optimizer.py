"""What every optimizer does around its update rule: keep state, clip gradients, count steps.

Parameters are updated in place, in pieces that stay in cache while the rule passes over them
several times; no temporary is larger than a piece.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from types import EllipsisType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rnnfast.optimizers import clipping
from rnnfast.utils.hyperparameters import above_zero, at_least_zero
from rnnfast.utils.naming import auto_name
from rnnfast.utils.options import refuse

Array = NDArray[Any]

# In float32, a parameter, its gradient, two states and two scratches make 6 x 64 KiB: that fits
# the second-level cache (256 KiB at the least) nearly whole, and 16384 elements outweigh the
# microsecond that each NumPy call costs.
_PIECE = 16384

_CLIPPINGS: dict[str, Callable[..., list[clipping.Limit]]] = {
    "clipnorm": clipping.by_norm,
    "clipvalue": clipping.by_value,
    "global_clipnorm": clipping.by_global_norm,
}

_NOT_YET: dict[str, object] = {
    "weight_decay": None,
    "use_ema": False,
    "ema_momentum": 0.99,
    "ema_overwrite_frequency": None,
    "loss_scale_factor": None,
    "gradient_accumulation_steps": None,
}


class Optimizer(ABC):
    """Gradient descent with Keras's clipping and bookkeeping.

    An optimizer of one's own extends this class with `update_step` and names the states it keeps.

    Parameters
    ----------
    learning_rate : float
        Step size, at least 0; settable later.
    states : tuple of str
        Names of the states kept beside each parameter: arrays of its shape that start at zero.
    clipnorm : float, optional
        Largest Euclidean norm of each gradient; a longer one is scaled down to it.
    clipvalue : float, optional
        Largest magnitude of each element of a gradient.
    global_clipnorm : float, optional
        Largest Euclidean norm of all gradients together.
    name : str, optional
        By default the name of the class in snake case, numbered.
    **not_yet
        Keras's `weight_decay`, `use_ema`, `ema_momentum`, `ema_overwrite_frequency`,
        `loss_scale_factor` and `gradient_accumulation_steps`, at their defaults only.

    Raises
    ------
    ValueError
        When more than one kind of clipping is asked for, or a number is out of its range.
    TypeError
        When a number is not one, or an argument is unknown.
    NotImplementedError
        When the learning rate is a schedule, or an argument not supported yet is given.
    """

    def __init__(
        self,
        learning_rate: float,
        states: tuple[str, ...],
        clipnorm: float | None = None,
        clipvalue: float | None = None,
        global_clipnorm: float | None = None,
        name: str | None = None,
        **not_yet: object,
    ) -> None:
        refuse(type(self).__name__, not_yet, _NOT_YET)
        clips = {"clipnorm": clipnorm, "clipvalue": clipvalue, "global_clipnorm": global_clipnorm}
        chosen = {kind: value for kind, value in clips.items() if value is not None}
        if len(chosen) > 1:
            raise ValueError(
                f"only one of clipnorm, clipvalue and global_clipnorm may be given, got {chosen}"
            )
        self._limits: Callable[[Sequence[Array]], list[clipping.Limit]] = clipping.unlimited
        for kind, largest in chosen.items():
            self._limits = partial(_CLIPPINGS[kind], largest=above_zero(kind, largest))
        self.clipnorm = clipnorm
        self.clipvalue = clipvalue
        self.global_clipnorm = global_clipnorm
        self.name = name or auto_name(self)
        self.states = states
        self._iterations = np.zeros((), np.int64)
        self._learning_rate = np.zeros(())
        self.learning_rate = learning_rate
        self._state_arrays: list[tuple[Array, ...]] | None = None
        self._built_for: list[tuple[tuple[int, ...], np.dtype[Any]]] = []

    @property
    def learning_rate(self) -> float:
        """The step size."""
        return float(self._learning_rate)

    @learning_rate.setter
    def learning_rate(self, value: float) -> None:
        if callable(value):
            raise NotImplementedError(
                "learning_rate schedules are not supported yet; give a number, and set "
                "optimizer.learning_rate between epochs"
            )
        self._learning_rate[...] = at_least_zero("learning_rate", value)

    @property
    def iterations(self) -> int:
        """The number of updates made."""
        return int(self._iterations)

    @property
    def built(self) -> bool:
        """Whether the states exist."""
        return self._state_arrays is not None

    @property
    def variables(self) -> list[Array]:
        """All state, as live arrays.

        First the iteration and the learning rate, then for each parameter its states, in the
        order of `states`. Copying into these arrays restores what was saved from an equal
        optimizer.
        """
        arrays = [self._iterations, self._learning_rate]
        for own in self._state_arrays or ():
            arrays.extend(own)
        return arrays

    def build(self, trainable_variables: Sequence[Array]) -> None:
        """Make the states for a list of parameters; `apply` does so on its first call.

        Parameters
        ----------
        trainable_variables : sequence of float32 or float64 arrays
            The parameters, in the order in which `apply` will get them.

        Raises
        ------
        TypeError
            When one is not a float32 or float64 array.
        """
        for index, variable in enumerate(trainable_variables):
            dtype = getattr(variable, "dtype", type(variable).__name__)
            if dtype not in (np.float32, np.float64):
                raise TypeError(
                    f"trainable_variables[{index}] must be a float32 or float64 array, got {dtype}"
                )
        self._state_arrays = [
            tuple(np.zeros_like(v) for _ in self.states) for v in trainable_variables
        ]
        self._built_for = [(v.shape, v.dtype) for v in trainable_variables]

    def apply(self, grads: Sequence[Array], trainable_variables: Sequence[Array]) -> None:
        """Make one update, in place.

        Parameters
        ----------
        grads : sequence of arrays
            The gradient of each parameter, in its shape; left unmodified.
        trainable_variables : sequence of float32 or float64 arrays
            The parameters, the same ones in each call.

        Raises
        ------
        ValueError
            When gradients and parameters disagree in number, shape or dtype, with each other or
            with those of the first call.
        TypeError
            When a parameter is not a float32 or float64 array.
        """
        if self._state_arrays is None:
            self.build(trainable_variables)
        states = self._state_arrays or []
        self._check(grads, trainable_variables)
        limits = self._limits(grads)
        for gradient, variable, own, limit in zip(
            grads, trainable_variables, states, limits, strict=True
        ):
            for piece in _pieces(variable):
                target = variable[piece]
                self.update_step(
                    limit(gradient[piece], np.empty_like(target)),
                    target,
                    tuple(state[piece] for state in own),
                    np.empty_like(target),
                )
        self._iterations += 1

    @abstractmethod
    def update_step(
        self, gradient: Array, variable: Array, states: tuple[Array, ...], scratch: Array
    ) -> None:
        """Update a piece of one parameter and of its states, in place.

        The rule acts element by element: pieces come in any number and order.

        Parameters
        ----------
        gradient : ndarray
            Clipped gradient; not to be changed.
        variable : ndarray
            The parameter, of the same shape.
        states : tuple of ndarray
            The states, of the same shape, in the order of their names.
        scratch : ndarray
            Room for intermediate values, of the same shape and dtype as the parameter.
        """

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make an equal optimizer, without its state."""
        return {
            "name": self.name,
            "learning_rate": self.learning_rate,
            "clipnorm": self.clipnorm,
            "clipvalue": self.clipvalue,
            "global_clipnorm": self.global_clipnorm,
            **_NOT_YET,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Optimizer:
        """Make an optimizer from what `get_config` returned."""
        return cls(**config)

    def _check(self, grads: Sequence[Array], variables: Sequence[Array]) -> None:
        if len(grads) != len(variables):
            raise ValueError(
                f"grads must have one entry for each of trainable_variables, got {len(grads)} and "
                f"{len(variables)}"
            )
        if len(variables) != len(self._built_for):
            raise ValueError(
                f"trainable_variables must be the {len(self._built_for)} arrays that the optimizer "
                f"first saw, got {len(variables)}; after changing the layers of a model, call "
                f"compile with a new optimizer"
            )
        for index, (grad, variable, built) in enumerate(
            zip(grads, variables, self._built_for, strict=True)
        ):
            if (variable.shape, variable.dtype) != built:
                raise ValueError(
                    f"trainable_variables[{index}] was {built[1]} of shape {built[0]} when the "
                    f"optimizer first saw it, got {variable.dtype} of shape {variable.shape}; "
                    f"after changing the layers of a model, call compile with a new optimizer"
                )
            if (grad.shape, grad.dtype) != built:
                raise ValueError(
                    f"grads[{index}] must be {built[1]} of shape {built[0]} like its parameter, "
                    f"got {grad.dtype} of shape {grad.shape}"
                )


def _pieces(variable: Array) -> Iterator[slice | EllipsisType]:
    """Cut an array along its first axis into indices of about `_PIECE` elements each."""
    if variable.size <= _PIECE:
        yield ...
        return
    rows = max(1, _PIECE * len(variable) // variable.size)
    for start in range(0, len(variable), rows):
        yield slice(start, start + rows)
