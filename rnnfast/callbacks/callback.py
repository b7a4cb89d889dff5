"""What a callback may hear of, with Keras's names; every method does nothing unless overridden."""

from __future__ import annotations

import warnings
from typing import Any, ClassVar

from rnnfast._check.spelling import meant
from rnnfast.utils.known_attributes import KnownAttributes

Logs = dict[str, Any]


class Callback(KnownAttributes):
    """Base class of callbacks: `keras.callbacks.Callback`.

    Override the methods whose moments matter; one whose name is nearly that of a moment is warned
    of. Setting `self.model.stop_training = True` ends `fit` after the running batch.

    A callback that remembers something from epoch to epoch tells it in `get_state` and takes it
    back in `set_state`, so that `BackupAndRestore` can resume it.

    Attributes
    ----------
    model : Sequential
        The model that is trained, evaluated or asked to predict.
    params : dict
        verbose, epochs, steps (batches of an epoch), samples, batch_size; None for what nobody
        knows beforehand, as with generators. With a `reducer`, rank as well.
    """

    # Whether it hears of a moment after all others: what they made of it is done by then.
    hears_last: ClassVar[bool] = False

    def __init__(self) -> None:
        self.model: Any = None
        self.params: dict[str, Any] = {}

    def __init_subclass__(cls, **options: Any) -> None:
        """Warn of methods that nobody will call."""
        super().__init_subclass__(**options)
        for name in vars(cls):
            hint = meant(name, EVENTS) if name.startswith("on_") and name not in EVENTS else ""
            if hint:
                warnings.warn(f"{cls.__name__}.{name} is never called{hint}", stacklevel=2)

    @property
    def writes(self) -> bool:
        """Whether to write files and print; of processes that train together one alone does."""
        return not self.params.get("rank")

    def get_state(self) -> dict[str, Any]:
        """Return what the callback remembers of the training so far.

        Returns
        -------
        dict
            Numbers, strings, arrays and lists of these, by name; {} unless overridden.
        """
        return {}

    def set_state(self, state: dict[str, Any]) -> None:
        """Go on from a state, after `on_train_begin`.

        Where an epoch is taken up in its middle, once more after its `on_epoch_begin`.

        Parameters
        ----------
        state : dict
            What `get_state` of an equal callback returned.
        """

    def set_params(self, params: dict[str, Any]) -> None:
        """Receive the attribute of this name, before anything else.

        Parameters
        ----------
        params : dict
            The attribute.
        """
        self.params = params

    def set_model(self, model: Any) -> None:
        """Receive the attribute of this name, before anything else.

        Parameters
        ----------
        model : Sequential
            The attribute.
        """
        self.model = model

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Hear that `fit` begins.

        Parameters
        ----------
        logs : dict, optional
            Empty.
        """

    def on_train_end(self, logs: Logs | None = None) -> None:
        """Hear that `fit` ends.

        Parameters
        ----------
        logs : dict, optional
            Those of the last epoch.
        """

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        """Hear that an epoch begins.

        Parameters
        ----------
        epoch : int
            Its number, from 0.
        logs : dict, optional
            Empty.
        """

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Hear that an epoch ends, its validation included.

        Parameters
        ----------
        epoch : int
            Its number, from 0.
        logs : dict, optional
            Loss and metrics of the epoch, those of validation under names with `val_` before them.
        """

    def on_train_batch_begin(self, batch: int, logs: Logs | None = None) -> None:
        """Hear that a training step begins; by default `on_batch_begin` does.

        Parameters
        ----------
        batch : int
            Its number, from 0.
        logs : dict, optional
            Empty.
        """
        self.on_batch_begin(batch, logs)

    def on_train_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """Hear that a training step ends; by default `on_batch_end` does.

        Parameters
        ----------
        batch : int
            Its number, from 0.
        logs : dict, optional
            Loss and metrics, running means over the epoch so far.
        """
        self.on_batch_end(batch, logs)

    def on_batch_begin(self, batch: int, logs: Logs | None = None) -> None:
        """Hear as `on_train_batch_begin`, under Keras's older name.

        Parameters
        ----------
        batch : int
            Its number, from 0.
        logs : dict, optional
            Empty.
        """

    def on_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """Hear as `on_train_batch_end`, under Keras's older name.

        Parameters
        ----------
        batch : int
            Its number, from 0.
        logs : dict, optional
            Loss and metrics, running means over the epoch so far.
        """

    def on_test_begin(self, logs: Logs | None = None) -> None:
        """Hear that `evaluate` or validation begins.

        Parameters
        ----------
        logs : dict, optional
            Empty.
        """

    def on_test_end(self, logs: Logs | None = None) -> None:
        """Hear that `evaluate` or validation ends.

        Parameters
        ----------
        logs : dict, optional
            Loss and metrics.
        """

    def on_test_batch_begin(self, batch: int, logs: Logs | None = None) -> None:
        """Hear that an evaluation step begins.

        Parameters
        ----------
        batch : int
            Its number, from 0.
        logs : dict, optional
            Empty.
        """

    def on_test_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """Hear that an evaluation step ends.

        Parameters
        ----------
        batch : int
            Its number, from 0.
        logs : dict, optional
            Loss and metrics, running means over the epoch so far.
        """

    def on_predict_begin(self, logs: Logs | None = None) -> None:
        """Hear that `predict` begins.

        Parameters
        ----------
        logs : dict, optional
            Empty.
        """

    def on_predict_end(self, logs: Logs | None = None) -> None:
        """Hear that `predict` ends.

        Parameters
        ----------
        logs : dict, optional
            Empty.
        """

    def on_predict_batch_begin(self, batch: int, logs: Logs | None = None) -> None:
        """Hear that a prediction step begins.

        Parameters
        ----------
        batch : int
            Its number, from 0.
        logs : dict, optional
            Empty.
        """

    def on_predict_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """Hear that a prediction step ends.

        Parameters
        ----------
        batch : int
            Its number, from 0.
        logs : dict, optional
            The result of the batch, as `outputs`.
        """


EVENTS: tuple[str, ...] = tuple(name for name in vars(Callback) if name.startswith("on_"))
