"""The engine that all cells share: layers on layers, each in one direction or in both.

    x_0 = x,   y_l = [forward(x_l), reverse(x_l)],   x_{l+1} = noise(y_l),   y = y of the last

One layer in one direction is the smallest of networks. Layers of a network, or both directions, run
at once where the core finds it worth while. Results are fresh arrays, the caller's to change;
nothing saved aliases them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy.typing as npt

from .. import _core
from .._check import Array, cells, inputs, options, stacks
from .core_calls import (
    AtOnce,
    Results,
    Tape,
    forward,
    forward_layers,
    forward_layers_saving,
    forward_packed,
    forward_saving,
    forward_saving_checkpoints,
    layers_at_once,
    masks_in_time,
)
from .drawn_masks import DrawnMasks
from .noise import Noise, StateMasks
from .place import Place, place_of, place_of_packed
from .step_order import time_of


class DirectedLayer(NamedTuple):
    """One layer in one direction."""

    number: int  # among all, in torch's order
    direction: int
    given: inputs.Inputs
    packed: _core.Packed | None  # its weights once more
    reverse: bool
    masks: StateMasks | None
    weight_mask: Array | None  # of w_hh, which has been multiplied by it


class Saved(NamedTuple):
    """What a layer leaves for the backward pass; `mask` is that of its own x."""

    directed: list[DirectedLayer]
    tapes: list[Tape]
    mask: Array | None


class Recording(NamedTuple):
    """A forward pass, layer by layer, for its backward pass, which never changes it."""

    network: Network
    layers: list[Saved]

    @property
    def nbytes(self) -> int:
        """Bytes that were saved, beside the arguments."""
        return sum(tape.nbytes for layer in self.layers for tape in layer.tapes)

    def backward(
        self,
        truncate: int,
        wanted: frozenset[str],
        dy: Array | None,
        dh_n: Array | None,
        dc_n: Array | None,
        per_sample: bool = False,
    ) -> dict[str, Any]:
        """Return the gradients of the arguments that are there and wanted, by name.

        With `per_sample` those of weights are (B, ...), one of each sequence.
        """
        return self.network.backward(self.layers, truncate, wanted, dy, dh_n, dc_n, per_sample)


class Network:
    """A batch, the layers that it runs through, and how.

    Parameters
    ----------
    cell : Cell
        Of all layers.
    x, weights, h0, c0, lengths, resets, reverse, bidirectional, batch_first
        As the public functions take them, `weights` in the order of `inputs.LayerWeights`.
    noise : Noise or DrawnMasks
        What is drawn at random.
    """

    __slots__ = ("_packed", "_reverse", "cell", "given", "noise", "place")

    def __init__(
        self,
        cell: cells.Cell,
        x: npt.ArrayLike,
        weights: inputs.RawWeights,
        h0: npt.ArrayLike | None,
        c0: npt.ArrayLike | None = None,
        *,
        lengths: npt.ArrayLike | None,
        resets: npt.ArrayLike | None,
        reverse: bool,
        bidirectional: bool,
        noise: Noise | DrawnMasks,
        batch_first: bool = False,
    ) -> None:
        self.cell = cell
        self._packed: tuple[_core.Packed, ...] | None = None
        self._reverse, both = options.directions(reverse, bidirectional)
        self.noise = noise
        self.given = stacks.stack(
            cell,
            x,
            weights,
            h0,
            c0,
            lengths=lengths,
            resets=resets,
            bidirectional=both,
            batch_first=batch_first,
        )
        cell.require_held_numbers(self.given.x.dtype)
        noise.require_held_rates(self.given.x.dtype)
        self.place = place_of(self.given)

    @classmethod
    def of_packed(
        cls,
        cell: cells.Cell,
        given: stacks.Stack,
        packed: tuple[_core.Packed, ...],
        reverse: bool,
        noise: Noise,
    ) -> Network:
        """Return a network whose weights are packed already, in torch's order."""
        noise.require_held_rates(given.x.dtype)
        network = cls.__new__(cls)
        network.cell, network.given = cell, given
        network.noise, network._packed, network._reverse = noise, packed, reverse
        network.place = place_of_packed(given)
        return network

    def forward(self) -> tuple[Array, ...]:
        """Return (y, h_n) or (y, h_n, c_n)."""
        return self._forward(self._output(), self._states())

    def forward_into(self, y: Array, *states: Array) -> None:
        """As `forward`, into arrays that overlap no others, with states and rows of y dense."""
        self._forward(self._as_given(y), list(states))

    def _forward(self, y: Array, states: list[Array]) -> tuple[Array, ...]:
        """Write y (T, B, D*R) of the last layer, and the states."""
        if self.given.alone and not self.noise.acts:
            own, places = self._only(y, states)
            if self._packed is None:
                forward(self.place, self.cell, own, self._reverse, None, places)
            else:
                forward_packed(self._packed[0], own, self._reverse, None, places)
            return self._results(y, states)
        last = len(self.given.layers) - 1
        plan = self._at_once(training=False)
        if plan is not None:
            outputs = [*(self._output() for _ in range(last)), y]
            forward_layers(
                self.cell, plan, self.given, self._packed, self._reverse, outputs, states
            )
            return self._results(y, states)
        x = self.given.x
        for layer in range(last + 1):
            x, _ = self._between(layer, x)
            of_layer = y if layer == last else self._output()
            for directed in self._directed(layer, x):
                places = self._places(directed.number, directed.direction, of_layer, states)
                self._run(directed, places)
            x = of_layer
        return self._results(y, states)

    def forward_saving(self) -> tuple[tuple[Array, ...], Recording]:
        """As `forward`, with what the backward pass needs."""
        states = self._states()
        plan = self._at_once(training=True)
        if plan is not None:
            outputs = [self._output() for _ in self.given.layers]
            of_all = iter(
                forward_layers_saving(self.cell, plan, self.given, self._reverse, outputs, states)
            )
            layers = [self._directed(i, x) for i, x in enumerate((self.given.x, *outputs[:-1]))]
            saved = [Saved(both, [next(of_all) for _ in both], None) for both in layers]
            return self._results(outputs[-1], states), Recording(self, saved)
        return self._one_by_one(forward_saving, states)

    def forward_saving_checkpoints(self) -> tuple[tuple[Array, ...], Recording]:
        """As `forward_saving`, in memory that grows with the square root of T, one by one."""
        return self._one_by_one(forward_saving_checkpoints, self._states())

    def forward_tracing(self) -> tuple[Array, ...]:
        """As `forward`, then the gates (T, B, G, H) and, where there is one, c (T, B, H)."""
        if self.given.form is not None:
            raise ValueError("w_ih must be one array, a trace is of one layer: call layer by layer")
        results, recording = self.forward_saving()
        (saved,) = recording.layers
        (directed,), (tape,) = saved.directed, saved.tapes
        steps, batch, _ = self.given.output_shape
        hidden_size, dtype = self.given.first.hidden_size, self.given.x.dtype
        allocate = self.place.empty if self.given.lengths is None else self.place.zeros
        gates = allocate("gates", (steps, batch, self.cell.gates, hidden_size), dtype)
        c = allocate("c", (steps, batch, hidden_size), dtype) if self.cell.has_c else None
        time = time_of(directed.given, directed.reverse)
        tape.trace(directed.given.weights, time(gates), time(c))
        beside = (gates,) if c is None else (gates, c)
        return (*results, *self.place.given(tuple(map(self._as_given, beside))))

    def backward(
        self,
        saved: list[Saved],
        truncate: int,
        wanted: frozenset[str],
        dy: Array | None,
        dh_n: Array | None,
        dc_n: Array | None,
        per_sample: bool,
    ) -> dict[str, Any]:
        """Return the gradients of the arguments that are there and wanted, by name."""
        samples = (self.given.x.shape[1],) if per_sample else ()
        self.place.join((dy, dh_n, dc_n))
        of_weights: list[dict[str, Array]] = []
        of_states: dict[str, Array] = {
            name: self.place.empty(f"the gradient of {name}", shape, self.given.x.dtype)
            for name, shape in (("h0", self.given.h_shape), ("c0", self.given.c_shape))
            if name in wanted and name[0] in self.cell.states
        }
        for layer in reversed(saved):
            of_x = layer is not saved[0] or "x" in wanted
            dx: Array | None = None
            of_layer = []
            for directed, tape in zip(layer.directed, layer.tapes, strict=True):
                given = directed.given
                fresh = self._gradients_of(given, wanted, samples)
                fresh_dx = self.place.empty("dx", given.x.shape, given.x.dtype) if of_x else None
                time = time_of(given, directed.reverse)
                pull = tape.backward_per_sample if per_sample else tape.backward
                pull(
                    time(given.x),
                    given.weights,
                    time(given.resets),
                    masks_in_time(time, directed.masks),
                    truncate,
                    time(self._columns(dy, directed.direction)),
                    self._rows(dh_n, directed.number),
                    self._rows(dc_n, directed.number),
                    time.results(fresh_dx),
                    tuple(fresh.get(name) for name in inputs.LayerWeights._fields),
                    self._rows(of_states.get("h0"), directed.number),
                    self._rows(of_states.get("c0"), directed.number),
                )
                if directed.weight_mask is not None and "w_hh" in fresh:
                    fresh["w_hh"] *= directed.weight_mask
                of_layer.append(fresh)
                if dx is None:
                    dx = fresh_dx
                elif fresh_dx is not None:
                    dx += fresh_dx
            of_weights[:0] = of_layer
            if dx is not None and layer.mask is not None:
                self.place.core.apply_mask(dx, layer.mask, dx)
            dy = dx
        form = self.given.form
        gradients: dict[str, Any] = {
            name: of_weights[0][name] if form is None else form(g[name] for g in of_weights)
            for name in of_weights[0]
        }
        if "x" in wanted:
            gradients["x"] = self._as_given(dy)
        return {**gradients, **of_states}

    def _gradients_of(
        self, given: inputs.Inputs, wanted: frozenset[str], samples: tuple[int, ...]
    ) -> dict[str, Array]:
        """Return arrays for the gradients of the weights that are there and wanted."""
        return {
            name: self.place.empty(
                f"the gradient of {name}", (*samples, *weight.shape), weight.dtype
            )
            for name, weight in given.weights._asdict().items()
            if weight is not None and name in wanted
        }

    def _one_by_one(
        self,
        save: Callable[[Place, cells.Cell, inputs.Inputs, bool, StateMasks | None, Results], Tape],
        states: list[Array],
    ) -> tuple[tuple[Array, ...], Recording]:
        if self.given.alone and not self.noise.acts:
            y = self._output()
            own, places = self._only(y, states)
            tape = save(self.place, self.cell, own, self._reverse, None, places)
            only = DirectedLayer(0, 0, own, None, self._reverse, None, None)
            return self._results(y, states), Recording(self, [Saved([only], [tape], None)])
        x = self.given.x
        saved = []
        for layer in range(len(self.given.layers)):
            x, mask = self._between(layer, x)
            y = self._output()
            both = self._directed(layer, x)
            tapes = [
                save(
                    self.place,
                    self.cell,
                    directed.given,
                    directed.reverse,
                    directed.masks,
                    self._places(directed.number, directed.direction, y, states),
                )
                for directed in both
            ]
            saved.append(Saved(both, tapes, mask))
            x = y
        return self._results(x, states), Recording(self, saved)

    def _run(self, directed: DirectedLayer, results: Results) -> None:
        if directed.packed is None:
            forward(
                self.place, self.cell, directed.given, directed.reverse, directed.masks, results
            )
        else:
            forward_packed(
                directed.packed, directed.given, directed.reverse, directed.masks, results
            )

    def _only(self, y: Array, states: list[Array]) -> tuple[inputs.Inputs, Results]:
        """Return what the only layer is given, and where it writes."""
        x, layers, h0, c0, lengths, resets, form, *_ = self.given
        if form is not None:
            h0, c0 = self._rows(h0, 0), self._rows(c0, 0)
            states = [state[0] for state in states]
        h_n, c_n = states if len(states) == 2 else (states[0], None)
        own = inputs.Inputs(x, layers[0][0], h0, c0, lengths, resets)
        return own, Results(y, h_n, c_n)

    def _results(self, y: Array, states: list[Array]) -> tuple[Array, ...]:
        results: tuple[Array, ...] = self.place.given((self._as_given(y), *states))
        return results

    def _as_given(self, sequence: Any) -> Any:
        """Return a view of a sequence (T, B, ...) with its axes in the order of the given x."""
        return sequence.swapaxes(0, 1) if self.given.batch_first else sequence

    def _at_once(self, *, training: bool) -> AtOnce | None:
        """Return how layers run at once; None if they run one by one."""
        if self.noise.acts:
            return None
        return layers_at_once(self.place, self.cell, self.given, self._packed, training)

    def _directed(self, layer: int, x: Array) -> list[DirectedLayer]:
        """Return the directions of a layer, whose input is `x`."""
        given, noise = self.given, self.noise
        widths = given.first.output_size, given.first.hidden_size
        both = []
        for direction, weights in enumerate(given.layers[layer]):
            number = layer * given.directions + direction
            weight_mask = noise.of_weights(self.place, number, weights.w_hh.shape, x.dtype)
            if weight_mask is not None:
                weights = weights._replace(w_hh=weights.w_hh * weight_mask)
            h0, c0 = self._rows(given.h0, number), self._rows(given.c0, number)
            own = inputs.Inputs(x, weights, h0, c0, given.lengths, given.resets)
            packed = None if self._packed is None else self._packed[number]
            back = self._reverse or direction == 1
            masks = noise.of_states(self.place, number, x.shape[:2], widths, x.dtype)
            both.append(DirectedLayer(number, direction, own, packed, back, masks, weight_mask))
        return both

    def _between(self, layer: int, x: Array) -> tuple[Array, Array | None]:
        """Return the input of a layer from the output of the one below, and its mask."""
        mask = self.noise.of_inputs(self.place, layer, x.shape, x.dtype)
        if mask is None:
            return x, None
        masked = self.place.empty("masked inputs", x.shape, x.dtype)
        self.place.core.apply_mask(x, mask, masked)
        return masked, mask

    def _states(self) -> list[Array]:
        """Return arrays for h_n and, where there is one, c_n."""
        given, dtype = self.given, self.given.x.dtype
        h_n = self.place.empty("h_n", given.h_shape, dtype)
        if not self.cell.has_c:
            return [h_n]
        return [h_n, self.place.empty("c_n", given.c_shape, dtype)]

    def _output(self) -> Array:
        return self.place.empty("y", self.given.output_shape, self.given.x.dtype)

    def _places(self, number: int, direction: int, y: Array, states: list[Array]) -> Results:
        """Return where a layer writes, in one direction."""
        return Results(
            self._columns(y, direction),
            self._rows(states[0], number),
            self._rows(states[1], number) if len(states) > 1 else None,
        )

    def _rows(self, states: Any, number: int) -> Any:
        """Return the states of one layer and direction, of all (L*D, B, H)."""
        return states if states is None or self.given.form is None else states[number]

    def _columns(self, sequence: Any, direction: int) -> Any:
        """Return what belongs to a direction of a layer's (T, B, D*H)."""
        if sequence is None or self.given.directions == 1:
            return sequence
        width = self.given.first.output_size
        return sequence[:, :, direction * width : (direction + 1) * width]
