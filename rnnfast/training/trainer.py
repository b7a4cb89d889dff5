"""How a model is trained, in the order of events of Keras 3."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np

from rnnfast import optimizers
from rnnfast._check.options import flag
from rnnfast.callbacks.callback import Callback, Logs
from rnnfast.callbacks.callback_list import CallbackList, as_callbacks
from rnnfast.callbacks.history import History
from rnnfast.callbacks.progress import make_progress
from rnnfast.metrics import Metric
from rnnfast.training import batches, cutting, judges, loops, shared_objective, sources
from rnnfast.training import samples as of_model
from rnnfast.training.feed import Feed
from rnnfast.training.objective import Objective
from rnnfast.training.reducer import Processes, Reducer, ending_together
from rnnfast.training.run import Run
from rnnfast.training.samples import Samples
from rnnfast.training.session import Session
from rnnfast.training.sources import OfBatches, Source
from rnnfast.training.trainable import Trainable, require_layers
from rnnfast.utils.hyperparameters import require_positive
from rnnfast.utils.random_seed import make_seed

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
    choices : Choices
        Losses and metrics.
    history : History
        Of the last `fit`.
    run : Run or None
        The `fit` that is going on.
    """

    compiled = False
    optimizer: optimizers.Optimizer
    choices: judges.Choices
    history: History
    run: Run | None = None
    _stopped = False

    def compile(
        self,
        optimizer: object,
        loss: object,
        loss_weights: object,
        metrics: object,
        weighted_metrics: object,
    ) -> None:
        """Choose how to train."""
        self.choices = judges.choose(loss, loss_weights, metrics, weighted_metrics)
        self.optimizer = optimizers.get(optimizer)
        self.compiled = True

    @property
    def loss(self) -> Any:
        """The loss, or those of the outputs, as they were chosen."""
        return self.choices.loss

    @property
    def metrics(self) -> list[Metric]:
        """The metrics, whichever outputs they look at."""
        return list(_metrics_in([self.choices.metrics, self.choices.weighted_metrics]))

    @metrics.setter
    def metrics(self, value: object) -> None:
        self.choices = judges.with_metrics(self.choices, value)

    @property
    def stop_training(self) -> bool:
        """Whether `fit` is to end after the running batch, or has been ended so."""
        return self._stopped if self.run is None else self.run.stopped

    @stop_training.setter
    def stop_training(self, value: bool) -> None:
        if self.run is None:
            self._stopped = value
        else:
            self.run.stopped = value

    @ending_together
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
        validation_data: object,
        shuffle: bool,
        class_weight: Mapping[int, float] | None,
        sample_weight: object,
        initial_epoch: int,
        steps_per_epoch: int | None,
        validation_steps: int | None,
        validation_batch_size: int | None,
        validation_freq: int | Iterable[int],
        reducer: Reducer | None,
    ) -> History:
        """Train the model."""
        self._require_compiled("fit")
        processes = None if reducer is None else Processes(reducer)
        given = sources.of_targets(model, ("x", "y"), x, y, sample_weight, class_weight)
        held_out: Samples | OfBatches | None = None
        if validation_data is not None:
            held_out = cutting.of_validation(model, validation_data)
        elif validation_split:
            if isinstance(given, OfBatches):
                raise ValueError(
                    "validation_split is for arrays; where x gives batches, pass validation_data"
                )
            point = batches.split_point(len(given), validation_split)
            held_out = given.part(slice(point, None))
            given = given.part(slice(None, point))
        source = cutting.cut(
            model, given, batch_size, *([held_out] if held_out is not None else [])
        )
        validation = None
        if held_out is not None:
            validation = cutting.first(
                "validation_steps",
                validation_steps,
                cutting.cut_validation(model, held_out, validation_batch_size, batch_size),
            )
        shuffle = flag("shuffle", shuffle)
        _check_count("epochs", epochs)
        _check_count("initial_epoch", initial_epoch)
        steps = (
            None
            if steps_per_epoch is None
            else require_positive("steps_per_epoch", steps_per_epoch)
        )
        is_validated = _validated_epochs(validation_freq)

        self.history = History()
        listeners = _listen(
            model,
            [*as_callbacks(callbacks), self.history],
            verbose,
            source,
            epochs,
            steps,
            processes,
        )
        seed = make_seed()
        feed = Feed(
            source.begin(shuffle),
            source.batch,
            steps,
            np.random.default_rng(seed if processes is None else processes.seed_of_first(seed)),
            [source.samples, source.size, source.steps if steps is None else steps],
        )
        session = self._session(model, listeners)
        if processes is not None:
            session = shared_objective.shared(session, model.graph, processes)
        if not self.optimizer.built:
            self.optimizer.build(model.trained_parameters)
        run = self.run = Run(model, lambda: self.optimizer, feed, listeners, initial_epoch)
        try:
            listeners.tell("on_train_begin")
            if processes is not None:
                arrays = [*model.parameters, *self.optimizer.variables]
                processes.start(arrays, (run.epoch, feed.done))
            while run.epoch < epochs and not _is_over(run, processes):
                epoch = run.epoch
                if _anywhere(not feed.has_more(), processes):
                    warnings.warn(
                        f"there are batches for {epoch} of {epochs} epochs: give an iterable that "
                        f"can be begun again, such as a list or an object with __iter__, or a "
                        f"generator without an end",
                        stacklevel=4,
                    )
                    break
                listeners.tell("on_epoch_begin", epoch)
                scores = session.scores()
                run.begin_epoch(scores)
                logs = loops.train(session, feed, scores, epoch)
                if processes is not None:
                    scores.add_up(processes)
                    logs = scores.logs()
                if validation is not None and is_validated(epoch):
                    logs |= loops.validate(session, cutting.in_order(validation), epoch)
                run.end_epoch(logs)
                listeners.tell("on_epoch_end", epoch, logs)
            listeners.tell("on_train_end", run.logs)
        finally:
            # It holds the data.
            self.run, self._stopped = None, run.stopped
        return self.history

    def evaluate(
        self,
        model: Trainable,
        x: object,
        y: object,
        *,
        batch_size: int | None,
        verbose: int | str,
        sample_weight: object,
        steps: int | None,
        callbacks: Callbacks,
    ) -> Logs:
        """Compute the loss and the metrics, by name."""
        self._require_compiled("evaluate")
        given = sources.of_targets(model, ("x", "y"), x, y, sample_weight)
        source = cutting.first("steps", steps, cutting.cut(model, given, batch_size))
        listeners = _listen(model, as_callbacks(callbacks), verbose, source, 1)
        return loops.evaluate(self._session(model, listeners), cutting.in_order(source))

    def predict(
        self,
        model: Trainable,
        x: object,
        *,
        batch_size: int | None,
        verbose: int | str,
        steps: int | None,
        callbacks: Callbacks,
    ) -> Any:
        """Compute the model's output, or a list of them."""
        require_layers(model)
        given = sources.of_inputs(model, x)
        source = cutting.first("steps", steps, cutting.cut(model, given, batch_size))
        listeners = _listen(model, as_callbacks(callbacks), verbose, source, 1)
        kept = cutting.kept_for(source)
        inputs = (batch.inputs for batch in cutting.in_order(source))
        loops.predict(model.graph, inputs, kept.put, listeners)
        results = kept.result() or _nothing(model, given)
        return results[0] if len(results) == 1 else results

    def train_on_batch(
        self,
        model: Trainable,
        x: object,
        y: object,
        sample_weight: object,
        class_weight: Mapping[int, float] | None,
    ) -> Logs:
        """Take one optimizer step."""
        self._require_compiled("train_on_batch")
        samples = of_model.of_targets(model, "x", x, "y", y, sample_weight, class_weight)
        feed = Feed(lambda _: iter([slice(None)]), samples.batch, 1, np.random.default_rng(0), [])
        session = self._session(model, CallbackList([], model))
        return loops.train(session, feed, session.scores(), 0)

    def test_on_batch(self, model: Trainable, x: object, y: object, sample_weight: object) -> Logs:
        """Compute the loss and the metrics of one batch."""
        self._require_compiled("test_on_batch")
        samples = of_model.of_targets(model, "x", x, "y", y, sample_weight)
        session = self._session(model, CallbackList([], model))
        return loops.evaluate(session, [samples.batch(slice(None))])

    def _require_compiled(self, caller: str) -> None:
        if not self.compiled:
            raise ValueError(f"call compile(optimizer, loss) before {caller}")
        if self.loss is None:
            raise ValueError(f"{caller} needs a loss; pass one to compile, such as loss='mse'")

    def _session(self, model: Trainable, listeners: CallbackList) -> Session:
        require_layers(model)
        outputs = model.output_names
        return Session(
            Objective(model.graph, judges.targets(self.choices, outputs)),
            lambda: judges.judges(self.choices, outputs),
            step=lambda gradients: self.optimizer.apply(gradients, model.trained_parameters),
            stopped=lambda: self.stop_training,
            listeners=listeners,
        )


def _nothing(model: Trainable, given: Samples | OfBatches) -> list[Any]:
    """Return the outputs for no samples."""
    assert isinstance(given, Samples)
    inputs = given.batch(slice(0, 0)).inputs
    return [np.asarray(output.array) for output in model.graph.call(inputs)]


def _listen(
    model: Trainable,
    callbacks: list[Callback],
    verbose: int | str,
    source: Source,
    epochs: int,
    steps: int | None = None,
    processes: Processes | None = None,
) -> CallbackList:
    in_epoch = source.steps if steps is None else steps
    samples = source.samples
    if steps is not None and source.steps != steps:
        samples = None if source.size is None else steps * source.size
    of_process = {} if processes is None else {"rank": processes.rank}
    shown = 0 if of_process.get("rank") else verbose
    return CallbackList(
        [
            *(one for one in callbacks if not one.hears_last),
            *make_progress(shown),
            *(one for one in callbacks if one.hears_last),
        ],
        model,
        verbose=verbose,
        epochs=epochs,
        steps=in_epoch,
        samples=samples,
        batch_size=source.size,
        **of_process,
    )


def _is_over(run: Run, processes: Processes | None) -> bool:
    """Tell whether the run was stopped, in whichever process."""
    run.stopped = _anywhere(run.stopped, processes)
    return run.over


def _anywhere(condition: bool, processes: Processes | None) -> bool:
    return condition if processes is None else processes.any(condition)


def _metrics_in(given: Any) -> Iterator[Metric]:
    if isinstance(given, Metric):
        yield given
    elif given is not None:
        for one in given.values() if isinstance(given, Mapping) else given:
            yield from _metrics_in(one)


def _validated_epochs(frequency: Any) -> Any:
    """Return what tells whether an epoch, from 0, is followed by a validation."""
    if isinstance(frequency, (int, np.integer)):
        every = require_positive("validation_freq", frequency)
        return lambda epoch: (epoch + 1) % every == 0
    if isinstance(frequency, Iterable) and not isinstance(frequency, str):
        chosen = set(frequency)
        return lambda epoch: epoch + 1 in chosen
    raise TypeError(
        "validation_freq must be a number of epochs or a list of them, got "
        f"{type(frequency).__name__}"
    )


def _check_count(name: str, value: object) -> None:
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < 0:
        raise ValueError(f"{name} must be a whole number from 0, got {value!r}")
