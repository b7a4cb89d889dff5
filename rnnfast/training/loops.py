"""One pass over the data: training, evaluation, prediction."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable

import numpy as np

from rnnfast.callbacks.callback import Logs
from rnnfast.callbacks.callback_list import CallbackList
from rnnfast.layers.value import Value
from rnnfast.training.feed import Feed
from rnnfast.training.graph import Graph
from rnnfast.training.samples import Batch
from rnnfast.training.scores import Scores
from rnnfast.training.session import Session
from rnnfast.utils.blas import one_blas_thread


@one_blas_thread()
def train(session: Session, feed: Feed, scores: Scores, epoch: int) -> Logs:
    """Take one optimizer step for each batch of an epoch, or of what is left of it.

    Returns
    -------
    dict
        Loss and metrics, as they were while the weights changed.

    Raises
    ------
    FloatingPointError
        When the loss becomes NaN or infinite; that step is not taken. A callback that hears of it
        may stop the training instead.
    """
    listeners = session.listeners
    for batch in feed.epoch():
        step = feed.done - 1
        listeners.tell("on_train_batch_begin", step)
        # An overflow shows in the loss, and is reported once, here.
        with np.errstate(over="ignore", invalid="ignore"):
            valued, pullback = session.objective.value_and_pullback(batch)
            if not math.isfinite(valued.loss):
                listeners.tell("on_train_batch_end", step, scores.logs() | {"loss": valued.loss})
                if session.stopped():
                    break
                raise FloatingPointError(
                    f"the loss became {valued.loss} in epoch {epoch + 1}, step {step + 1}; look "
                    f"for NaN in x and y, lower the optimizer's learning_rate or set its clipnorm"
                )
            session.step(pullback())
        scores.update(valued)
        listeners.tell("on_train_batch_end", step, scores.logs())
        if session.stopped():
            break
    return scores.logs()


@one_blas_thread()
def evaluate(session: Session, batches: Iterable[Batch]) -> Logs:
    """Compute loss and metrics, batch by batch."""
    listeners = session.listeners
    scores = session.scores()
    listeners.tell("on_test_begin")
    step = -1
    for step, batch in enumerate(batches):
        listeners.tell("on_test_batch_begin", step)
        scores.update(session.objective.value(batch))
        listeners.tell("on_test_batch_end", step, scores.logs())
    if step < 0:
        raise ValueError(
            "there are no more batches to evaluate: give an iterable that can be begun again, such "
            "as a list or an object with __iter__"
        )
    logs = scores.logs()
    listeners.tell("on_test_end", logs)
    return logs


def validate(session: Session, batches: Iterable[Batch], epoch: int) -> Logs:
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
    logs = evaluate(session, batches)
    if not math.isfinite(logs["loss"]):
        raise FloatingPointError(
            f"the validation loss became {logs['loss']} in epoch {epoch + 1}; look for NaN in the "
            f"validation data, lower the optimizer's learning_rate or set its clipnorm"
        )
    return {f"val_{name}": value for name, value in logs.items()}


@one_blas_thread()
def predict(
    graph: Graph,
    batches: Iterable[list[Value]],
    put: Callable[[list[Value]], None],
    listeners: CallbackList,
) -> None:
    """Compute the outputs, batch by batch, and put them where they are kept."""
    listeners.tell("on_predict_begin")
    for step, inputs in enumerate(batches):
        listeners.tell("on_predict_batch_begin", step)
        outputs = graph.call(inputs)
        put(outputs)
        arrays = [output.array for output in outputs]
        heard = {"outputs": arrays[0] if len(arrays) == 1 else arrays}
        listeners.tell("on_predict_batch_end", step, heard)
    listeners.tell("on_predict_end")
