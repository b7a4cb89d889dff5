"""Loss and metrics of a pass over the data, as running means over its samples."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from rnnfast.callbacks.callback import Logs
from rnnfast.layers.layer import Array
from rnnfast.metrics import Metric
from rnnfast.training.chain import Output
from rnnfast.training.objective import Objective
from rnnfast.utils.naming import number


class Scores:
    """The figures of one pass.

    Parameters
    ----------
    objective : Objective
        Turns the end of the chain into predictions, for the metrics.
    metrics : sequence of Metric
        Reset here.
    """

    def __init__(self, objective: Objective, metrics: Sequence[Metric]) -> None:
        self._objective = objective
        used: Counter[str] = Counter()
        self._metrics = {number(metric.name, used): metric for metric in metrics}
        for metric in metrics:
            metric.reset_state()
        self._total = 0.0
        self._samples = 0

    def update(self, value: float, y: Array, output: Output) -> None:
        """Add a batch: its mean loss, its targets and the end of the chain."""
        self._total += value * len(y)
        self._samples += len(y)
        if self._metrics:
            predictions = self._objective.predictions(output.valid(output.y))
            targets = output.valid(y)
            for metric in self._metrics.values():
                metric.update_state(targets, predictions)

    def logs(self) -> Logs:
        """Give the figures so far, the loss first."""
        figures: Logs = {"loss": self._total / max(self._samples, 1)}
        figures |= {name: float(metric.result()) for name, metric in self._metrics.items()}
        return figures
