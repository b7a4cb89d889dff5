"""How a model is trained, in the order of events of Keras 3."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from rnnfast import losses, optimizers
from rnnfast import metrics as metrics_module
from rnnfast._check.options import flag
from rnnfast.callbacks.callback import Callback, Logs
from rnnfast.callbacks.callback_list import CallbackList
from rnnfast.callbacks.history import History
from rnnfast.callbacks.progress import make_progress
from rnnfast.layers.layer import Array
from rnnfast.training import data, loops
from rnnfast.training.objective import Objective
from rnnfast.training.session import Session
from rnnfast.training.trainable import Trainable, require_layers
from rnnfast.utils.random_seed import make_generator

Callbacks = Callback | Iterable[Callback] | None


class Trainer:
    """What `compile` has chosen, and the work of `fit`, `evaluate` and `predict`.

    Arguments are those of `Model`'s methods of the same names.

    Attributes
    ----------
    compiled : bool
        Whether `compile` has been called; before that there are no choices.
    optimizer : Optimizer
        The choice.
    loss : Loss or None
        The choice.
    metrics : list of Metric
        The choice.
    stop_training : bool
        A callback sets it to end `fit` after the running batch.
    history : History
        Of the last `fit`.
    """

    compiled = False
    optimizer: optimizers.Optimizer
    loss: losses.Loss | None
    metrics: list[metrics_module.Metric]
    stop_training = False
    history: History

    def compile(self, optimizer: object, loss: object, metrics: Iterable[object]) -> None:
        """Choose how to train."""
        self.optimizer = optimizers.get(optimizer)
        self.loss = None if loss is None else losses.get(loss)
        self.metrics = [metrics_module.get(metric) for metric in metrics]
        self.compiled = True

    def fit(
        self,
        model: Trainable,
        x: object,
        y: object,
        *,
        batch_size: int | None,
        epochs: int,
        verbose: int | str,
        callbacks: Callbacks,
        validation_split: float,
        validation_data: tuple[object, object] | None,
        shuffle: bool,
        initial_epoch: int,
    ) -> History:
        """Train the model."""
        objective = self._objective(model, "fit")
        inputs, targets = data.as_samples(model, "x", x, "y", y)
        validation = None
        if validation_data is not None:
            val_x, val_y = _unpack(validation_data)
            validation = data.as_samples(
                model, "validation_data[0]", val_x, "validation_data[1]", val_y
            )
        elif validation_split:
            point = data.split_point(len(inputs), validation_split)
            validation = inputs[point:], targets[point:]
            inputs, targets = inputs[:point], targets[:point]
        counts = [len(inputs)] if validation is None else [len(inputs), len(validation[0])]
        size = data.choose_batch_size(model.layers, batch_size, *counts)
        shuffle = flag("shuffle", shuffle)
        _check_count("epochs", epochs)
        _check_count("initial_epoch", initial_epoch)
        self.history = History()
        listeners = _listen(
            model, [*_as_list(callbacks), self.history], verbose, len(inputs), size, epochs
        )
        session = self._session(model, objective, listeners)
        rng = make_generator(None)
        self.stop_training = False
        logs: Logs = {}
        listeners.tell("on_train_begin")
        for epoch in range(initial_epoch, epochs):
            listeners.tell("on_epoch_begin", epoch)
            if shuffle:
                batches = data.shuffled_batches(len(inputs), size, rng)
            else:
                batches = data.batches(len(inputs), size)
            logs = loops.train(session, inputs, targets, batches, epoch)
            if validation is not None:
                logs |= loops.validate(session, *validation, size, epoch)
            listeners.tell("on_epoch_end", epoch, logs)
            if self.stop_training:
                break
        listeners.tell("on_train_end", logs)
        return self.history

    def evaluate(
        self,
        model: Trainable,
        x: object,
        y: object,
        *,
        batch_size: int | None,
        verbose: int | str,
        callbacks: Callbacks,
    ) -> Logs:
        """Compute the loss and the metrics, by name."""
        objective = self._objective(model, "evaluate")
        inputs, targets = data.as_samples(model, "x", x, "y", y)
        size = data.choose_batch_size(model.layers, batch_size, len(inputs))
        listeners = _listen(model, _as_list(callbacks), verbose, len(inputs), size, epochs=1)
        return loops.evaluate(self._session(model, objective, listeners), inputs, targets, size)

    def predict(
        self,
        model: Trainable,
        x: object,
        *,
        batch_size: int | None,
        verbose: int | str,
        callbacks: Callbacks,
    ) -> Array:
        """Compute the model's output."""
        inputs = data.as_inputs(model, "x", x)
        layers = model.layers
        size = data.choose_batch_size(layers, batch_size, len(inputs))
        listeners = _listen(model, _as_list(callbacks), verbose, len(inputs), size, epochs=1)
        shape = tuple(length or 0 for length in model.compute_output_shape(inputs.shape))
        outputs = np.empty(shape, layers[-1].dtype)
        loops.predict(layers, inputs, outputs, size, listeners)
        return outputs

    def _objective(self, model: Trainable, caller: str) -> Objective:
        if not self.compiled:
            raise ValueError(f"call compile(optimizer, loss) before {caller}")
        if self.loss is None:
            raise ValueError(f"{caller} needs a loss; pass one to compile, such as loss='mse'")
        return Objective(require_layers(model), self.loss)

    def _session(self, model: Trainable, objective: Objective, listeners: CallbackList) -> Session:
        return Session(
            objective,
            metrics=lambda: self.metrics,
            step=lambda gradients: self.optimizer.apply(gradients, model.parameters),
            stopped=lambda: self.stop_training,
            listeners=listeners,
        )


def _listen(
    model: Trainable,
    callbacks: list[Callback],
    verbose: int | str,
    samples: int,
    batch_size: int,
    epochs: int,
) -> CallbackList:
    return CallbackList(
        callbacks + make_progress(verbose),
        model,
        verbose=verbose,
        epochs=epochs,
        steps=data.count_batches(samples, batch_size),
        samples=samples,
        batch_size=batch_size,
    )


def _as_list(callbacks: Callbacks) -> list[Callback]:
    if callbacks is None:
        return []
    return [callbacks] if isinstance(callbacks, Callback) else list(callbacks)


def _check_count(name: str, value: object) -> None:
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < 0:
        raise ValueError(f"{name} must be a whole number from 0, got {value!r}")


def _unpack(validation_data: object) -> tuple[object, object]:
    if not isinstance(validation_data, (tuple, list)) or len(validation_data) not in (2, 3):
        raise ValueError(
            f"validation_data must be a tuple (x, y), got {type(validation_data).__name__}"
        )
    if len(validation_data) == 3:
        raise NotImplementedError("sample weights in validation_data are not supported yet")
    x, y = validation_data
    return x, y
