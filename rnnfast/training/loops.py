"""One pass over the data: training, evaluation, prediction."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

import numpy as np

from rnnfast.callbacks.callback import Logs
from rnnfast.callbacks.callback_list import CallbackList
from rnnfast.layers.layer import Array
from rnnfast.training import chain, data
from rnnfast.training.scores import Scores
from rnnfast.training.session import Session
from rnnfast.utils.blas import one_blas_thread


@one_blas_thread()
def train(session: Session, x: Array, y: Array, batches: Iterable[data.Batch], epoch: int) -> Logs:
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
    listeners = session.listeners
    scores = Scores(session.objective, session.metrics())
    for step, batch in enumerate(batches):
        listeners.tell("on_train_batch_begin", step)
        targets = y[batch]
        # An overflow shows in the loss, and is reported once, here.
        with np.errstate(over="ignore", invalid="ignore"):
            value, output, pullback = session.objective.value_and_pullback(x[batch], targets)
            if not math.isfinite(value):
                raise FloatingPointError(
                    f"the loss became {value} in epoch {epoch + 1}, step {step + 1}; look for NaN "
                    f"in x and y, lower the optimizer's learning_rate or set its clipnorm"
                )
            session.step(pullback())
        scores.update(value, targets, output)
        listeners.tell("on_train_batch_end", step, scores.logs())
        if session.stopped():
            break
    return scores.logs()


@one_blas_thread()
def evaluate(session: Session, x: Array, y: Array, batch_size: int) -> Logs:
    """Compute loss and metrics, batch by batch."""
    listeners = session.listeners
    scores = Scores(session.objective, session.metrics())
    listeners.tell("on_test_begin")
    for step, batch in enumerate(data.batches(len(x), batch_size)):
        listeners.tell("on_test_batch_begin", step)
        targets = y[batch]
        value, output = session.objective.value(x[batch], targets)
        scores.update(value, targets, output)
        listeners.tell("on_test_batch_end", step, scores.logs())
    logs = scores.logs()
    listeners.tell("on_test_end", logs)
    return logs


def validate(session: Session, x: Array, y: Array, batch_size: int, epoch: int) -> Logs:
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
    logs = evaluate(session, x, y, batch_size)
    if not math.isfinite(logs["loss"]):
        raise FloatingPointError(
            f"the validation loss became {logs['loss']} in epoch {epoch + 1}; look for NaN in the "
            f"validation data, lower the optimizer's learning_rate or set its clipnorm"
        )
    return {f"val_{name}": value for name, value in logs.items()}


@one_blas_thread()
def predict(
    layers: Sequence[chain.Link],
    x: Array,
    outputs: Array,
    batch_size: int,
    listeners: CallbackList,
) -> None:
    """Compute the outputs, batch by batch."""
    listeners.tell("on_predict_begin")
    for step, batch in enumerate(data.batches(len(x), batch_size)):
        listeners.tell("on_predict_batch_begin", step)
        outputs[batch] = chain.call(layers, x[batch]).y
        listeners.tell("on_predict_batch_end", step, {"outputs": outputs[batch]})
    listeners.tell("on_predict_end")
