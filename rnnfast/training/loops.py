"""One pass over the data: training, evaluation, prediction."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np

from rnnfast.callbacks.callback import Logs
from rnnfast.callbacks.callback_list import CallbackList
from rnnfast.layers.layer import Array
from rnnfast.training import chain, data
from rnnfast.training.objective import Objective
from rnnfast.training.scores import Scores
from rnnfast.utils.blas import one_blas_thread

if TYPE_CHECKING:
    from rnnfast.training.evaluator import Evaluator
    from rnnfast.training.trainer import Trainer


@one_blas_thread()
def train(
    model: Trainer,
    objective: Objective,
    x: Array,
    y: Array,
    batches: Iterable[data.Batch],
    epoch: int,
    listeners: CallbackList,
) -> Logs:
    """Take one optimizer step for each batch.

    Returns
    -------
    dict
        Loss and metrics, as they were while the weights changed.

    Raises
    ------
    FloatingPointError
        When the loss becomes NaN or infinite; that step is not taken.
    """
    scores = Scores(objective, model.metrics)
    for step, batch in enumerate(batches):
        listeners.tell("on_train_batch_begin", step)
        targets = y[batch]
        # An overflow shows in the loss, and is reported once, here.
        with np.errstate(over="ignore", invalid="ignore"):
            value, output, pullback = objective.value_and_pullback(x[batch], targets)
            if not math.isfinite(value):
                raise FloatingPointError(
                    f"the loss became {value} in epoch {epoch + 1}, step {step + 1}; look for NaN "
                    f"in x and y, lower the optimizer's learning_rate or set its clipnorm"
                )
            model.optimizer.apply(pullback(), model.parameters)
        scores.update(value, targets, output)
        listeners.tell("on_train_batch_end", step, scores.logs())
        if model.stop_training:
            break
    return scores.logs()


@one_blas_thread()
def evaluate(
    model: Evaluator,
    objective: Objective,
    x: Array,
    y: Array,
    batch_size: int,
    listeners: CallbackList,
) -> Logs:
    """Compute loss and metrics, batch by batch."""
    scores = Scores(objective, model.metrics)
    listeners.tell("on_test_begin")
    for step, batch in enumerate(data.batches(len(x), batch_size)):
        listeners.tell("on_test_batch_begin", step)
        targets = y[batch]
        value, output = objective.value(x[batch], targets)
        scores.update(value, targets, output)
        listeners.tell("on_test_batch_end", step, scores.logs())
    logs = scores.logs()
    listeners.tell("on_test_end", logs)
    return logs


def validate(
    model: Evaluator,
    objective: Objective,
    x: Array,
    y: Array,
    batch_size: int,
    epoch: int,
    listeners: CallbackList,
) -> Logs:
    """Evaluate after an epoch of training.

    Returns
    -------
    dict
        As of `evaluate`, under names with `val_` before them.

    Raises
    ------
    FloatingPointError
        When the loss is NaN or infinite.
    """
    logs = evaluate(model, objective, x, y, batch_size, listeners)
    if not math.isfinite(logs["loss"]):
        raise FloatingPointError(
            f"the validation loss became {logs['loss']} in epoch {epoch + 1}; look for NaN in the "
            f"validation data, lower the optimizer's learning_rate or set its clipnorm"
        )
    return {f"val_{name}": value for name, value in logs.items()}


@one_blas_thread()
def predict(model: Evaluator, x: Array, batch_size: int, listeners: CallbackList) -> Array:
    """Compute the outputs, batch by batch."""
    layers = model.layers
    shape: tuple[int, ...] = tuple(length or 0 for length in model.compute_output_shape(x.shape))
    outputs = np.empty(shape, layers[-1].dtype)
    listeners.tell("on_predict_begin")
    for step, batch in enumerate(data.batches(len(x), batch_size)):
        listeners.tell("on_predict_batch_begin", step)
        outputs[batch] = chain.call(layers, x[batch]).y
        listeners.tell("on_predict_batch_end", step, {"outputs": outputs[batch]})
    listeners.tell("on_predict_end")
    return outputs
