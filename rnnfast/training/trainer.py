"""fit, with the arguments, defaults and order of events of Keras 3."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np

from rnnfast._check.options import flag
from rnnfast.callbacks.callback import Callback, Logs
from rnnfast.callbacks.history import History
from rnnfast.training import data, loops
from rnnfast.training.evaluator import Evaluator, as_list
from rnnfast.utils.options import refuse
from rnnfast.utils.random_seed import make_generator

# Keras arguments still to come, with Keras's defaults.
_FIT_NOT_YET: Mapping[str, object] = {
    "class_weight": None,
    "sample_weight": None,
    "steps_per_epoch": None,
    "validation_steps": None,
    "validation_batch_size": None,
    "validation_freq": 1,
}


class Trainer(Evaluator):
    """What a chain of layers needs in order to be trained.

    Attributes
    ----------
    stop_training : bool
        A callback sets it to end `fit` after the running batch.
    history : History
        Of the last `fit`.
    """

    stop_training = False
    history: History

    def fit(
        self,
        x: object = None,
        y: object = None,
        batch_size: int | None = None,
        epochs: int = 1,
        verbose: int | str = "auto",
        callbacks: Callback | Iterable[Callback] | None = None,
        validation_split: float = 0.0,
        validation_data: tuple[object, object] | None = None,
        shuffle: bool = True,
        *,
        initial_epoch: int = 0,
        **options: object,
    ) -> History:
        """Train the model.

        Parameters
        ----------
        x : array_like
            Inputs, samples along the first axis.
        y : array_like
            Targets, one for each input.
        batch_size : int, optional
            Samples for each step, 32 by default; the last batch of an epoch may be short.
        epochs : int, default 1
            Number of the last epoch, counted from 1: of all passes when `initial_epoch` is 0.
        verbose : {"auto", 0, 1, 2}
            0 shows nothing, 1 a progress bar for each epoch, 2 a line for each epoch; "auto" is
            1, or 2 where tqdm is not installed.
        callbacks : Callback or iterable of Callback, optional
            Told of every moment of the training.
        validation_split : float, default 0.0
            Fraction of the samples, taken from the end before any shuffling, that is not trained
            on but evaluated after each epoch.
        validation_data : tuple (x, y), optional
            What to evaluate after each epoch; goes before `validation_split`.
        shuffle : bool, default True
            Whether each epoch sees the samples in a new random order.
        initial_epoch : int, default 0
            Epochs already done, for training that is taken up again.
        **options
            Keras arguments that are not offered yet, at Keras's defaults.

        Returns
        -------
        History
            `history.history` holds the loss and the metrics of every epoch.

        Raises
        ------
        FloatingPointError
            When the loss becomes NaN or infinite; the weights are those before that step. When
            the validation loss does; the weights are those after that epoch's training. `history`
            holds the epochs before.
        ValueError
            When the model is not compiled, or shapes or lengths do not fit.
        TypeError
            When data are no arrays of numbers, or an argument is unknown.
        NotImplementedError
            For a Keras argument that is not offered yet.
        """
        refuse("fit", options, _FIT_NOT_YET)
        objective = self._objective("fit")
        inputs, targets = self._arrays("x", x, "y", y)
        validation = None
        if validation_data is not None:
            val_x, val_y = _unpack(validation_data)
            validation = self._arrays("validation_data[0]", val_x, "validation_data[1]", val_y)
        elif validation_split:
            point = data.split_point(len(inputs), validation_split)
            validation = inputs[point:], targets[point:]
            inputs, targets = inputs[:point], targets[:point]
        counts = [len(inputs)] if validation is None else [len(inputs), len(validation[0])]
        size = self._batch_size(batch_size, *counts)
        shuffle = flag("shuffle", shuffle)
        _check_count("epochs", epochs)
        _check_count("initial_epoch", initial_epoch)
        self.history = History()
        listeners = self._listen(
            [*as_list(callbacks), self.history], verbose, len(inputs), size, epochs
        )
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
            logs = loops.train(self, objective, inputs, targets, batches, epoch, listeners)
            if validation is not None:
                logs |= loops.validate(self, objective, *validation, size, epoch, listeners)
            listeners.tell("on_epoch_end", epoch, logs)
            if self.stop_training:
                break
        listeners.tell("on_train_end", logs)
        return self.history


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
