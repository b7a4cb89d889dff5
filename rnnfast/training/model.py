"""compile, fit, evaluate and predict, with the arguments and defaults of Keras 3."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Mapping
from typing import Generic, TypeVar

from rnnfast.callbacks.callback import Callback, Logs
from rnnfast.callbacks.history import History
from rnnfast.layers.layer import Array, Shape
from rnnfast.losses import Loss
from rnnfast.metrics import Metric
from rnnfast.optimizers import Optimizer
from rnnfast.training.trainer import Trainer
from rnnfast.training.weights import HasWeights
from rnnfast.utils.options import refuse

_Value = TypeVar("_Value")

# Keras arguments still to come, with Keras's defaults.
_COMPILE_NOT_YET: Mapping[str, object] = {
    "loss_weights": None,
    "weighted_metrics": None,
    "run_eagerly": False,
    "steps_per_execution": 1,
    "jit_compile": "auto",
    "auto_scale_loss": True,
}
_EVALUATE_NOT_YET: Mapping[str, object] = {"sample_weight": None, "steps": None}
_PREDICT_NOT_YET: Mapping[str, object] = {"steps": None}
_FIT_NOT_YET: Mapping[str, object] = {
    "class_weight": None,
    "sample_weight": None,
    "steps_per_epoch": None,
    "validation_steps": None,
    "validation_batch_size": None,
    "validation_freq": 1,
}


class _OfTrainer(Generic[_Value]):
    """An attribute of a model that its trainer keeps."""

    def __set_name__(self, model_class: type, name: str) -> None:
        self._name = name

    def __get__(self, model: Model, model_class: type) -> _Value:
        try:
            value: _Value = getattr(model._trainer, self._name)
        except AttributeError:
            raise AttributeError(
                f"{model_class.__name__!r} object has no attribute {self._name!r}"
            ) from None
        return value

    def __set__(self, model: Model, value: _Value) -> None:
        setattr(model._trainer, self._name, value)


class Model(HasWeights):
    """A chain of layers that has a trainer.

    Parameters
    ----------
    name : str
        Of the model.

    Attributes
    ----------
    compiled : bool
        Whether `compile` has been called.
    optimizer : Optimizer
        As compiled.
    loss : Loss or None
        As compiled.
    metrics : list of Metric
        As compiled.
    stop_training : bool
        A callback sets it to end `fit` after the running batch.
    history : History
        Of the last `fit`.
    """

    compiled = _OfTrainer[bool]()
    optimizer = _OfTrainer[Optimizer]()
    loss = _OfTrainer[Loss | None]()
    metrics = _OfTrainer[list[Metric]]()
    stop_training = _OfTrainer[bool]()
    history = _OfTrainer[History]()

    def __init__(self, name: str) -> None:
        self.name = name
        self._trainer = Trainer()

    @abstractmethod
    def build_for(self, x: Array) -> None:
        """Build the model for data if it is not built, and check that they fit."""

    @abstractmethod
    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """Give the shape of the result for inputs of a shape."""

    def compile(
        self,
        optimizer: object = "rmsprop",
        loss: object = None,
        *,
        metrics: Iterable[object] | None = None,
        **options: object,
    ) -> None:
        """Choose how to train.

        Parameters
        ----------
        optimizer : str or Optimizer, default "rmsprop"
            What `rnnfast.optimizers.get` takes.
        loss : str or Loss, optional
            What `rnnfast.losses.get` takes; needed by `fit` and `evaluate`.
        metrics : iterable of str or Metric, optional
            What `rnnfast.metrics.get` takes, to be reported beside the loss.
        **options
            Keras arguments that are not offered yet, at Keras's defaults.

        Raises
        ------
        ValueError
            When a name is unknown.
        TypeError
            When an argument is of none of these kinds, or unknown.
        NotImplementedError
            For a Keras argument that is not offered yet.
        """
        refuse("compile", options, _COMPILE_NOT_YET)
        if isinstance(metrics, (str, Mapping)):
            raise TypeError(f"metrics must be a list, such as ['accuracy'], got {metrics!r}")
        self._trainer.compile(optimizer, loss, metrics or ())

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
        return self._trainer.fit(
            self,
            x,
            y,
            batch_size=batch_size,
            epochs=epochs,
            verbose=verbose,
            callbacks=callbacks,
            validation_split=validation_split,
            validation_data=validation_data,
            shuffle=shuffle,
            initial_epoch=initial_epoch,
        )

    def evaluate(
        self,
        x: object = None,
        y: object = None,
        batch_size: int | None = None,
        verbose: int | str = "auto",
        *,
        callbacks: Callback | Iterable[Callback] | None = None,
        return_dict: bool = False,
        **options: object,
    ) -> float | list[float] | Logs:
        """Compute the loss and the metrics.

        Parameters
        ----------
        x, y : array_like
            Inputs and targets, samples along the first axis.
        batch_size : int, optional
            Samples at a time, 32 by default.
        verbose : {"auto", 0, 1, 2}
            As in `fit`.
        callbacks : Callback or iterable of Callback, optional
            Told of every moment of the evaluation.
        return_dict : bool, default False
            Whether the result is a dict by name.
        **options
            Keras arguments that are not offered yet, at Keras's defaults.

        Returns
        -------
        float, list of float or dict
            The loss; with metrics, a list of the loss and each of them.

        Raises
        ------
        ValueError, TypeError, NotImplementedError
            As in `fit`.
        """
        refuse("evaluate", options, _EVALUATE_NOT_YET)
        logs = self._trainer.evaluate(
            self, x, y, batch_size=batch_size, verbose=verbose, callbacks=callbacks
        )
        if return_dict:
            return logs
        values = list(logs.values())
        return values if self.metrics else values[0]

    def predict(
        self,
        x: object,
        batch_size: int | None = None,
        verbose: int | str = "auto",
        *,
        callbacks: Callback | Iterable[Callback] | None = None,
        **options: object,
    ) -> Array:
        """Compute the model's output; it need not be compiled.

        Parameters
        ----------
        x : array_like
            Inputs, samples along the first axis.
        batch_size : int, optional
            Samples at a time, 32 by default.
        verbose : {"auto", 0, 1, 2}
            As in `fit`.
        callbacks : Callback or iterable of Callback, optional
            Told of every moment of the prediction.
        **options
            Keras arguments that are not offered yet, at Keras's defaults.

        Returns
        -------
        ndarray
            Outputs, samples along the first axis.

        Raises
        ------
        ValueError, TypeError, NotImplementedError
            As in `fit`.
        """
        refuse("predict", options, _PREDICT_NOT_YET)
        return self._trainer.predict(
            self, x, batch_size=batch_size, verbose=verbose, callbacks=callbacks
        )
