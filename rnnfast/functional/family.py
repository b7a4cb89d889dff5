"""What the functions of one kind of cell are made of: forward, with derivatives, with a trace."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from functools import cache
from typing import Any, Generic, TypeVar

import numpy.typing as npt

from .._check import cells, inputs, options
from .._check.precision import of_training
from ..engine.network import Network
from ..engine.noise import noise
from ..engine.pullback import Pullback
from . import documentation
from .idle_rates import warn_of_one_layer, warn_without_seed
from .options import Activations, State, Weights
from .signatures import defaults_of, require_known, with_options

__all__ = ["FAMILIES", "Family"]

OutputT = TypeVar("OutputT", bound=tuple[Any, ...])
PullbackT = TypeVar("PullbackT", bound=Pullback[Any])
TraceT = TypeVar("TraceT", bound=tuple[Any, ...])
_Function = TypeVar("_Function", bound=Callable[..., Any])

FAMILIES: dict[str, Family[Any, Any, Any]] = {}
"""All of them, by the names under which `prepack` knows them too."""


class Family(Generic[OutputT, PullbackT, TraceT]):
    """The functions of one kind of cell.

    Parameters
    ----------
    name : str
        Of the forward pass; the others append ``_vjp`` and ``_trace``. `_check.cells` has its
        variants.
    order : str
        The gates in the order of the weights' rows; "" for one.
    output, pullback, trace : type
        Of what the functions return.
    """

    def __init__(
        self,
        name: str,
        order: str,
        output: type[OutputT],
        pullback: type[PullbackT],
        trace: type[TraceT],
    ) -> None:
        self.name = name
        self.order = order
        self.output: Any = output
        self.pullback: Any = pullback
        self.trace: Any = trace
        default = cells.choose(name)
        self.gates, self.rows = default.gates, default.rows
        self._known: dict[str, frozenset[str]] = {}
        FAMILIES[name] = self

    def face(self, options: object) -> Callable[[_Function], _Function]:
        """Give a function the signature that its options make, and its docstring."""

        def finish(function: _Function) -> _Function:
            name = function.__name__
            with_options(function, options, _defaults(), first=("h0", "c0", "state"))
            self._known[name] = frozenset(options.__annotations__)
            document = {
                "vjp": documentation.of_vjp,
                "trace": documentation.of_trace,
            }.get(name.removeprefix(self.name).lstrip("_"), documentation.of_call)
            if function.__doc__:  # unlike under python -OO
                function.__doc__ = document(function, self)
            return function

        return finish

    def forward(self, options: Mapping[str, Any], *arrays: Any) -> OutputT:
        """Run `x` and the weights, as in the public functions."""
        require_known(self.name, options, self._known[self.name])
        found: OutputT = self.output(*self._network(*arrays, **options).forward())
        return found

    def with_derivatives(
        self, options: Mapping[str, Any], *arrays: Any
    ) -> tuple[OutputT, PullbackT]:
        """As `forward`, with the pullback."""
        name = f"{self.name}_vjp"
        require_known(name, options, self._known[name])
        return self._vjp(*arrays, **options)

    def tracing(self, options: Mapping[str, Any], *arrays: Any) -> TraceT:
        """As `forward`, with all gates."""
        name = f"{self.name}_trace"
        require_known(name, options, self._known[name])
        found: TraceT = self.trace(*self._network(*arrays, **options).forward_tracing())
        return found

    def _vjp(
        self,
        *arrays: Any,
        truncate: int | None = None,
        checkpoint: bool = False,
        per_sample: bool = False,
        wrt: Collection[str] | None = None,
        precision: str | None = None,
        **of_call: Any,
    ) -> tuple[OutputT, PullbackT]:
        interval = options.interval("truncate", truncate)
        checkpoints = options.flag("checkpoint", checkpoint)
        of_samples = options.flag("per_sample", per_sample)
        if checkpoints and of_samples:
            raise ValueError(
                "checkpoint must be False with per_sample=True, which needs the gates of all steps "
                "at once; take fewer sequences at a time"
            )
        wanted = options.wanted(wrt, self.pullback.form._fields)
        network = self._network(*arrays, **of_call, precision=precision)
        warn_without_seed(network.noise)
        save = network.forward_saving_checkpoints if checkpoints else network.forward_saving
        results, recording = save()
        return self.output(*results), self.pullback(recording, interval, wanted, of_samples)

    def _network(
        self,
        x: npt.ArrayLike,
        w_ih: Weights,
        w_hh: Weights,
        b_ih: Weights | None,
        b_hh: Weights | None,
        *,
        h0: npt.ArrayLike | None = None,
        c0: npt.ArrayLike | None = None,
        state: State | None = None,
        w_hr: Weights | None = None,
        peephole: Weights | None = None,
        layer_norm: Weights | None = None,
        activations: Activations | None = None,
        clip: float | None = None,
        lengths: npt.ArrayLike | None = None,
        resets: npt.ArrayLike | None = None,
        batch_first: bool = False,
        reverse: bool = False,
        bidirectional: bool = False,
        dropout: float = 0.0,
        input_dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        weight_dropout: float = 0.0,
        zoneout: float | tuple[float, ...] = 0.0,
        seed: int | None = None,
        precision: str | None = None,
        **of_cell: object,
    ) -> Network:
        cell = cells.choose(
            self.name,
            w_hr=w_hr,
            peephole=peephole,
            layer_norm=layer_norm,
            activations=activations,
            clip=clip,
            **of_cell,
        )
        if state is not None:
            h0, c0 = inputs.state_of_call(cell, state, h0, c0)
        network = Network(
            cell,
            x,
            inputs.RawWeights(w_ih, w_hh, b_ih, b_hh, w_hr, peephole, layer_norm),
            h0,
            c0,
            lengths=lengths,
            resets=resets,
            reverse=reverse,
            bidirectional=bidirectional,
            batch_first=options.flag("batch_first", batch_first),
            noise=noise(
                cell, dropout, input_dropout, recurrent_dropout, weight_dropout, zoneout, seed
            ),
        )
        network.cell = cell.in_precision(of_training(precision, network.given.x.dtype))
        warn_of_one_layer(network)
        return network


@cache
def _defaults() -> dict[str, Any]:
    return {**cells.DEFAULTS, **defaults_of(Family._network, Family._vjp)}
