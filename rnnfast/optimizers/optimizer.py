"""What every optimizer does around its update rule: keep state, clip gradients, count steps.

Parameters are updated in place, piece by piece; no temporary is larger than a piece. Whatever can
be wrong with an update is found before anything changes.
"""

from __future__ import annotations

import inspect
from abc import abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rnnfast.optimizers import accumulation, clipping
from rnnfast.optimizers.checks import require_gradients, require_known, require_parameters
from rnnfast.optimizers.learning_rate import LearningRate
from rnnfast.optimizers.nested import Path, leaves, pairs
from rnnfast.optimizers.options import NOT_YET, OptimizerOptions
from rnnfast.optimizers.pieces import pieces
from rnnfast.optimizers.schedules import LearningRateSchedule
from rnnfast.optimizers.state import State
from rnnfast.optimizers.weight_decay import Exclusion, decay
from rnnfast.utils.hyperparameters import at_least_zero
from rnnfast.utils.known_attributes import KnownAttributes
from rnnfast.utils.naming import auto_name
from rnnfast.utils.options import refuse

Array = NDArray[Any]


class Optimizer(KnownAttributes):
    """Gradient descent with Keras's clipping, weight decay and bookkeeping.

    An optimizer of one's own extends this class with `update_step`, and with `states` where it
    keeps any.

    Parameters
    ----------
    learning_rate : float or LearningRateSchedule
        Step size, at least 0, settable later; or a schedule of `rnnfast.optimizers.schedules` (or
        what `serialize` says of one), which is asked for the rate of each step.
    weight_decay : float, optional
        Share of each parameter, times the learning rate, that each step takes from it before
        its own change ("decoupled"). `exclude_from_weight_decay` leaves some alone.
    clipnorm : float, optional
        Largest Euclidean norm of each gradient; a longer one is scaled down to it.
    clipvalue : float, optional
        Largest magnitude of each element of a gradient.
    global_clipnorm : float, optional
        Largest Euclidean norm of all gradients together.
    gradient_accumulation_steps : int, optional
        Calls of `apply`, at least 2, whose mean gradient makes one update, in the last of them.
    name : str, optional
        By default the name of the class in snake case, numbered.
    **not_yet
        Keras's `use_ema`, `ema_momentum`, `ema_overwrite_frequency` and `loss_scale_factor`, at
        their defaults only.

    Raises
    ------
    ValueError
        When more than one kind of clipping is asked for, or a number is out of its range.
    TypeError
        When a number is not one, or an argument is unknown.
    NotImplementedError
        When an argument not supported yet is given.
    """

    def __init__(
        self,
        learning_rate: float | LearningRateSchedule,
        weight_decay: float | None = None,
        clipnorm: float | None = None,
        clipvalue: float | None = None,
        global_clipnorm: float | None = None,
        gradient_accumulation_steps: int | None = None,
        name: str | None = None,
        **not_yet: object,
    ) -> None:
        offered = {*inspect.signature(type(self)).parameters, *OptimizerOptions.__annotations__}
        refuse(type(self).__name__, not_yet, NOT_YET, sorted(offered))
        clipping.require_one(clipnorm, clipvalue, global_clipnorm)
        self.clipnorm = clipnorm
        self.clipvalue = clipvalue
        self.global_clipnorm = global_clipnorm
        self.weight_decay = weight_decay
        if weight_decay is not None:
            self.weight_decay = at_least_zero("weight_decay", weight_decay)
        self._accumulation = accumulation.steps(gradient_accumulation_steps)
        self.name = name or auto_name(self)
        self._rate = LearningRate()
        self._rate.set(learning_rate)
        self._state = State(self._rate)
        self._excluded: Exclusion | None = None
        self._paths: list[Path] | None = None

    @property
    def states(self) -> tuple[str, ...]:
        """Names of the states that the rule keeps for each parameter; they start at zero."""
        return ()

    @property
    def learning_rate(self) -> float:
        """The size of the next step.

        Settable: a number in place of another, a schedule in place of either. A number in place
        of a schedule is a TypeError, as in Keras.
        """
        return self._rate.at(int(self._state.iterations))

    @learning_rate.setter
    def learning_rate(self, value: float | LearningRateSchedule | Mapping[str, Any]) -> None:
        self._rate.set(value)

    @property
    def gradient_accumulation_steps(self) -> int | None:
        """Calls of `apply` that make one update; None where each does."""
        return self._accumulation

    @property
    def iterations(self) -> int:
        """The number of updates made."""
        return int(self._state.iterations) // (self._accumulation or 1)

    @property
    def built(self) -> bool:
        """Whether the states exist."""
        return self._state.own is not None

    @property
    def variables(self) -> list[Array]:
        """All state, as live arrays: what `get_state` copies, in its order.

        Copying into these arrays restores what was saved from an equal optimizer.
        """
        return list(self._state.by_name().values())

    def get_state(self) -> dict[str, Array]:
        """Copy all state.

        Returns
        -------
        dict of str to ndarray
            "iterations", the calls of `apply` so far; "learning_rate", unless a schedule knows it;
            "weight_decay_mask" where parameters are excluded from weight decay; then for each
            parameter, by its number, what is kept for it, such as "0/momentum".
        """
        return {name: array.copy() for name, array in self._state.by_name().items()}

    def set_state(self, state: Mapping[str, Array]) -> None:
        """Go on from a saved state, with the same bits as the optimizer that it was saved from.

        Parameters
        ----------
        state : mapping of str to ndarray
            What `get_state` of an optimizer with the same arguments returned. One that is not
            built yet makes its arrays from these.

        Raises
        ------
        TypeError
            When `state` is no mapping.
        ValueError
            When a name is missing or unknown, or an array has another shape, dtype or range.
            Nothing is changed then.
        """
        self._state.restore(state, self._kept())

    def exclude_from_weight_decay(
        self, var_list: Iterable[Array] | None = None, var_names: Iterable[str] | None = None
    ) -> None:
        """Name parameters that weight decay leaves alone, before the first update.

        Which they are becomes part of the state with the first update.

        Parameters
        ----------
        var_list : iterable of ndarray, optional
            The parameters themselves, the very arrays that `apply` gets.
        var_names : iterable of str, optional
            Regular expressions. A parameter that `apply` gets by a name in which one is found
            is left alone; those without a name are refused then.

        Raises
        ------
        ValueError
            When the optimizer is built.
        TypeError
            When `var_names` is a single string.
        """
        if self.built:
            raise ValueError(
                "exclude_from_weight_decay must be called before the first update, and this "
                "optimizer is built"
            )
        self._excluded = Exclusion(var_list, var_names)

    def build(self, trainable_variables: object) -> None:
        """Make the states for parameters; `apply` does so on its first call.

        Parameters
        ----------
        trainable_variables : nested float32 or float64 arrays
            The parameters, as `apply` will get them.

        Raises
        ------
        TypeError
            When one is not a float32 or float64 array.
        ValueError
            When what is excluded from weight decay is not found among them.
        """
        self._build(list(leaves(trainable_variables)))

    def apply(self, grads: object, trainable_variables: object) -> None:
        """Make one update, in place.

        Parameters
        ----------
        grads : nested arrays
            The gradient of each parameter, in its shape; left unmodified. Lists and tuples are
            nested as the parameters are; dicts and named tuples, such as the gradients of
            `rnnfast.lstm_vjp`, may have more names than these.
        trainable_variables : nested float32 or float64 arrays
            The parameters, the same ones in each call: a list, tuple, dict or named tuple of
            arrays or again of such. A parameter that is None takes no part.

        Raises
        ------
        ValueError
            When gradients and parameters disagree in number, names, shape or dtype, with each
            other or with those of the first call, a gradient is None, or a parameter is
            read-only.
        TypeError
            When a parameter is not a float32 or float64 array, or gradients are nested otherwise.

        Notes
        -----
        All of this is checked before anything changes.
        """
        found = pairs(grads, trainable_variables)
        self._check(found)
        rate = self.learning_rate
        gradients = [gradient for _, gradient, _ in found]
        variables = [variable for _, _, variable in found]
        if self._accumulation is None:
            self._update(gradients, variables, rate)
        else:
            sums = [own[0] for own in self._state.own or ()]
            accumulation.add(sums, gradients)
            if (self._state.iterations + 1) % self._accumulation == 0:
                accumulation.divide(sums, self._accumulation)
                self._update(sums, variables, rate)
                accumulation.clear(sums)
        self._state.iterations += 1

    @abstractmethod
    def update_step(
        self,
        gradient: Array,
        variable: Array,
        learning_rate: float,
        states: tuple[Array, ...],
        scratch: Array,
    ) -> None:
        """Update a piece of one parameter and of its states, in place.

        The rule acts element by element: pieces come in any number and order.

        Parameters
        ----------
        gradient : ndarray
            Clipped gradient; not to be changed.
        variable : ndarray
            The parameter, of the same shape.
        learning_rate : float
            The size of this step.
        states : tuple of ndarray
            The states, of the same shape, in the order of their names.
        scratch : ndarray
            Room for intermediate values, of the same shape and dtype as the parameter.
        """

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make an equal optimizer, without its state."""
        return {
            "name": self.name,
            "learning_rate": self._rate.config(),
            "weight_decay": self.weight_decay,
            "clipnorm": self.clipnorm,
            "clipvalue": self.clipvalue,
            "global_clipnorm": self.global_clipnorm,
            "gradient_accumulation_steps": self.gradient_accumulation_steps,
            **NOT_YET,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Optimizer:
        """Make an optimizer from what `get_config` returned."""
        return cls(**config)

    def _kept(self) -> tuple[str, ...]:
        return (*(("gradient_accumulator",) if self._accumulation else ()), *self.states)

    def _build(self, variables: Sequence[tuple[Path, Array]]) -> None:
        require_parameters(variables)
        self._choose_decaying(variables)
        self._state.start([variable for _, variable in variables], self._kept())
        self._paths = [path for path, _ in variables]

    def _choose_decaying(self, variables: Sequence[tuple[Path, Array]]) -> None:
        if self._state.mask is None and self._excluded is not None:
            self._state.mask = self._excluded.mask(variables)

    def _check(self, found: Sequence[tuple[Path, Array, Array]]) -> None:
        """Find all that is wrong with an update; the first one builds."""
        variables = [(path, variable) for path, _, variable in found]
        require_parameters(variables)
        if self._state.own is not None:
            require_known(variables, self._state.forms, self._paths)
        require_gradients(found)
        if self._state.own is None:
            self._build(variables)
        if self._state.kept != self._kept():
            raise ValueError(
                f"{self.name} was built to keep {self._state.kept} and would now keep "
                f"{self._kept()}; make a new optimizer with the arguments wanted"
            )
        if self._paths is None:
            self._choose_decaying(variables)
            self._paths = [path for path, _ in variables]

    def _update(self, gradients: Sequence[Array], variables: Sequence[Array], rate: float) -> None:
        """Clip, decay, and let the rule change all parameters."""
        share = rate * (self.weight_decay or 0.0)
        first = 1 if self._accumulation else 0
        limits = clipping.limits(gradients, self.clipnorm, self.clipvalue, self.global_clipnorm)
        mask = self._state.mask
        for index, own in enumerate(self._state.own or ()):
            decays = share and (mask is None or mask[index])
            whole = (gradients[index], variables[index], *own[first:])
            cut = pieces(whole)
            room = np.empty_like(cut[0][1])  # the first piece is the longest
            for gradient, variable, *states in cut:
                scratch = room[: len(variable)] if variable.ndim else room
                if (limit := limits[index]) is not None:
                    gradient = limit(gradient, np.empty_like(variable))
                if decays:
                    # Of w**2 / 2 the gradient is w: often the very array that is to decay.
                    if np.may_share_memory(gradient, variable):
                        gradient = gradient.copy()
                    decay(variable, share, scratch)
                self.update_step(gradient, variable, rate, tuple(states), scratch)
