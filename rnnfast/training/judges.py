"""What `compile` was told of losses and metrics, dealt to the outputs of a model.

One for all outputs, a list with an entry for each, or a dict by their names, as in Keras.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from rnnfast import losses, metrics
from rnnfast._check.spelling import meant
from rnnfast.metrics import Metric
from rnnfast.training.objective import Target
from rnnfast.utils.hyperparameters import at_least_zero
from rnnfast.utils.naming import number


class Judge(NamedTuple):
    """A metric, the name that it is reported under, and what it looks at."""

    name: str
    metric: Metric
    output: int
    weighted: bool


class Choices(NamedTuple):
    """Losses and metrics as they were given; what they mean depends on the outputs."""

    loss: Any
    loss_weights: Any
    metrics: Any
    weighted_metrics: Any


def choose(loss: object, loss_weights: object, of_metrics: object, weighted: object) -> Choices:
    """Check what was given and make losses and metrics of names.

    Raises
    ------
    ValueError
        When a name is unknown.
    TypeError
        When something is neither a name nor a loss or metric.
    """
    for name, given in (("metrics", of_metrics), ("weighted_metrics", weighted)):
        listed = given is None or isinstance(given, (list, tuple, Mapping))
        if not listed or (isinstance(given, Mapping) and "class_name" in given):
            raise TypeError(f"{name} must be a list, such as ['accuracy'], got {given!r}")
    return Choices(
        _made(loss, losses.get),
        loss_weights,
        _made(of_metrics, metrics.get),
        _made(weighted, metrics.get),
    )


def with_metrics(choices: Choices, of_metrics: object) -> Choices:
    """Return the same losses with other metrics."""
    return choose(choices.loss, choices.loss_weights, of_metrics, None)


def targets(choices: Choices, outputs: Sequence[str]) -> list[Target]:
    """Return what each output is to become.

    Raises
    ------
    ValueError
        When the choices do not fit the outputs, or there is no loss at all.
    """
    if not any(_leaves(choices.loss)):
        raise ValueError("training needs a loss; pass one to compile, such as loss='mse'")
    of_outputs = _dealt("loss", choices.loss, outputs)
    weights: list[Any] = [1.0] * len(outputs)
    if choices.loss_weights is not None:
        given = choices.loss_weights
        if len(outputs) == 1 and not isinstance(given, (list, tuple, Mapping)):
            given = [given]
        weights = [
            1.0 if weight is None else at_least_zero("loss_weights", weight)
            for weight in _dealt("loss_weights", given, outputs)
        ]
    return [
        Target(name, loss, weight)
        for name, loss, weight in zip(outputs, of_outputs, weights, strict=True)
    ]


def judges(choices: Choices, outputs: Sequence[str]) -> list[Judge]:
    """Return the metrics, in the order in which they are reported."""
    used: Counter[str] = Counter()
    found = []
    for what, given, weighted in (
        ("metrics", choices.metrics, False),
        ("weighted_metrics", choices.weighted_metrics, True),
    ):
        if given is None:
            continue
        flat = len(outputs) == 1 and not isinstance(given, Mapping)
        nested = flat and any(isinstance(one, (list, tuple)) for one in given)
        dealt = [given] if flat and not nested else _dealt(what, given, outputs)
        for k, (output, own) in enumerate(zip(outputs, dealt, strict=True)):
            for metric in _as_list(own):
                of_output = "" if len(outputs) == 1 else f"{output}_"
                name = f"{of_output}{metric.name}"
                if weighted and used[name]:
                    name = f"{of_output}weighted_{metric.name}"
                found.append(Judge(number(name, used), metric, k, weighted))
    # The list that `evaluate` returns has those of several outputs by name, as in Keras.
    return found if len(outputs) == 1 else sorted(found, key=lambda judge: judge.name)


def _made(given: Any, get: Any) -> Any:
    """Make losses or metrics of all names in lists and dicts."""
    if given is None:
        return None
    if isinstance(given, (list, tuple)):
        return [_made(one, get) for one in given]
    if isinstance(given, Mapping) and "class_name" not in given:
        return {name: _made(one, get) for name, one in given.items()}
    return get(given)


def _dealt(what: str, given: Any, outputs: Sequence[str]) -> list[Any]:
    """Return what is for each output."""
    if isinstance(given, Mapping):
        for name in given:
            if name not in outputs:
                raise ValueError(
                    f"{what} must have names of outputs for keys, {list(outputs)}, got {name!r}"
                    f"{meant(name, outputs)}"
                )
        return [given.get(name) for name in outputs]
    if not isinstance(given, (list, tuple)):
        return [given] * len(outputs)
    if len(given) != len(outputs):
        raise ValueError(
            f"{what} must have an entry for each of the outputs {list(outputs)}, got {len(given)}"
        )
    return list(given)


def _leaves(given: Any) -> list[Any]:
    """Return what is in a list or a dict."""
    if isinstance(given, Mapping):
        return list(given.values())
    return _as_list(given)


def _as_list(given: Any) -> list[Any]:
    if given is None:
        return []
    return list(given) if isinstance(given, (list, tuple)) else [given]
