"""Losses and metrics of a pass over the data, as running means over its samples."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from rnnfast.callbacks.callback import Logs
from rnnfast.layers.layer import Array
from rnnfast.training.judges import Judge
from rnnfast.training.objective import Objective, Valued
from rnnfast.training.reducer import Processes


class Scores:
    """The figures of one pass.

    Parameters
    ----------
    objective : Objective
        Turns the ends of the graph into predictions, for the metrics.
    judges : sequence of Judge
        Their metrics are reset here.
    """

    def __init__(self, objective: Objective, judges: Sequence[Judge]) -> None:
        self._objective = objective
        self._judges = judges
        for judge in judges:
            judge.metric.reset_state()
        lossy = [k for k, target in enumerate(objective.targets) if target.loss is not None]
        self._shown = (
            lossy if len(lossy) > 1 else []
        )  # outputs whose losses are told beside the sum
        self._names = ["loss", *(f"{objective.targets[k].name}_loss" for k in self._shown)]
        self._totals = [0.0] * len(self._names)
        self._samples = 0

    def update(self, valued: Valued) -> None:
        """Add a batch."""
        batch = valued.batch
        self._samples += valued.samples
        for k, value in enumerate((valued.loss, *(valued.parts[k] for k in self._shown))):
            self._totals[k] += value * valued.samples
        seen: dict[int, tuple[Array, Array]] = {}
        for _, metric, k, weighted in self._judges:
            end = valued.ends[k]
            if k not in seen:
                seen[k] = (
                    end.valid(batch.targets[k]),
                    self._objective.predictions(k, end.valid(end.array)),
                )
            weights = batch.weights[k] if weighted else None
            if weights is None:
                metric.update_state(*seen[k])
            else:
                metric.update_state(*seen[k], end.valid_weights(weights))

    def logs(self) -> Logs:
        """Give the figures so far, the loss first."""
        samples = max(self._samples, 1)
        figures: Logs = {
            name: total / samples for name, total in zip(self._names, self._totals, strict=True)
        }
        return figures | {judge.name: float(judge.metric.result()) for judge in self._judges}

    def add_up(self, processes: Processes) -> None:
        """Make metrics those of the samples that all processes have seen, where they add up."""
        for metric in {id(judge.metric): judge.metric for judge in self._judges}.values():
            if not metric.adds_up:
                continue
            state = metric.get_state()
            for name, own in state.items():
                if not isinstance(own, str):
                    total = processes.sum(np.atleast_1d(own))
                    state[name] = total if isinstance(own, np.ndarray) else float(total[0])
            metric.set_state(state)

    def get_state(self) -> dict[str, Any]:
        """Return what the figures will go on from."""
        return {
            "totals": np.array(self._totals),
            "samples": self._samples,
            "metrics": [judge.metric.get_state() for judge in self._judges],
        }

    def set_state(self, state: Mapping[str, Any]) -> None:
        """Go on from what `get_state` returned."""
        self._totals = [float(total) for total in state["totals"]]
        self._samples = state["samples"]
        for judge, own in zip(self._judges, state["metrics"], strict=True):
            judge.metric.set_state(own)
