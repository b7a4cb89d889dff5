"""Every cell and option that tests and benchmarks loop over: a new cell is one new entry here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

from numpy.typing import NDArray

from rnnfast import functional, reference

__all__ = ["BIASES", "CELLS", "CELLS_BY_NAME", "Arguments", "Array", "Cell", "is_weight"]

Array = NDArray[Any]
Arguments: TypeAlias = Mapping[str, Array]

BIASES: tuple[tuple[str, ...], ...] = ((), ("b_ih",), ("b_hh",), ("b_ih", "b_hh"))
"""The bias arguments of every cell, present or absent each on its own."""


def is_weight(argument: str) -> bool:
    """Return whether this is a weight, of whichever cell."""
    return argument.startswith(("w_", "b_")) or argument in ("peephole", "layer_norm")


@dataclass(frozen=True, eq=False)
class Cell:
    """A cell under one choice of its options, by the names the public API gives it.

    Parameters
    ----------
    name : str
        Name by itself, and inside the core unless its activations are chosen or it is a projection.
    function : str
        Public function, also the name of its reference; its derivative appends ``_vjp``.
    gates : int
        G, so that the weights have ``G*H`` rows.
    states : tuple of str
        Arguments that are initial states, the output's first.
    options : mapping of str to object
        Keyword arguments that select this cell.
    beside : tuple of str
        Weights beside matrices and biases, always given.
    norm_rows : int
        ``layer_norm`` has as many times H numbers; without it, 0.
    """

    name: str
    function: str
    gates: int
    states: tuple[str, ...] = ("h0",)
    options: Mapping[str, Any] = field(default_factory=dict)
    beside: tuple[str, ...] = ()
    norm_rows: int = 0

    def __str__(self) -> str:
        """Return the name, for test ids."""
        return self.name

    @property
    def outputs(self) -> tuple[str, ...]:
        """Names of the results: y, h_n and so on."""
        return ("y", *(f"{state[0]}_n" for state in self.states))

    @property
    def cotangents(self) -> tuple[str, ...]:
        """Names under which a pullback takes the derivatives of the results."""
        return tuple(f"d{output}" for output in self.outputs)

    @property
    def arguments(self) -> tuple[str, ...]:
        """Names of the array arguments, in the order of the gradients."""
        return ("x", "w_ih", "w_hh", "b_ih", "b_hh", *self.states, *self.beside)

    @property
    def projects(self) -> bool:
        """Whether h is a projection."""
        return "w_hr" in self.beside

    @property
    def weights(self) -> tuple[str, ...]:
        """Names of the arguments that are weights and always there."""
        return ("w_ih", "w_hh", *self.beside)

    @property
    def partitions(self) -> tuple[Literal["rows", "units"], ...]:
        """What threads may own: a norm needs whole rows."""
        return ("rows",) if self.norm_rows else ("rows", "units")

    def output_size(self, H: int) -> int:
        """Return the width of h for H units: R, on other borders of panels than H, or H."""
        return max(1, 2 * H // 3) if self.projects else H

    def shape(self, argument: str, T: int, B: int, I: int, H: int) -> tuple[int, ...]:  # noqa: E741
        """Return the shape of an argument, a result or a cotangent for the given sizes."""
        rows, R = self.gates * H, self.output_size(H)
        shapes: dict[str, tuple[int, ...]] = {
            "x": (T, B, I),
            "w_ih": (rows, I),
            "w_hh": (rows, R),
            "b_ih": (rows,),
            "b_hh": (rows,),
            "w_hr": (R, H),
            "peephole": (3 * H,),
            "layer_norm": (self.norm_rows * H,),
            "y": (T, B, R),
        }
        state = (B, H if "c" in argument else R)
        return shapes.get(argument.removeprefix("d"), state)

    def forward(self, arguments: Arguments, **options: Any) -> Any:
        """Run the kernels, with options of a call such as ``reverse`` and ``lengths``."""
        return getattr(functional, self.function)(**arguments, **self.options, **options)

    def vjp(self, arguments: Arguments, **options: Any) -> Any:
        """Run the kernels, and return their pullback beside the results."""
        function = getattr(functional, f"{self.function}_vjp")
        return function(**arguments, **self.options, **options)

    def prepack(self, arguments: Arguments, **options: Any) -> Any:
        """Pack the weights among the arguments."""
        weights = {name: a for name, a in arguments.items() if is_weight(name)}
        prepack: Callable[..., Any] = functional.prepack
        return prepack(self.function, **weights, **self.options, **options)

    def reference(self, arguments: Arguments, **options: Any) -> tuple[Array, ...]:
        """Evaluate the equations in plain NumPy, in the arguments' own type."""
        outputs: tuple[Array, ...] = getattr(reference, self.function)(
            **arguments, **self.options, **options
        )
        return outputs


CELLS: tuple[Cell, ...] = (
    Cell("rnn_tanh", "rnn", gates=1, options={"nonlinearity": "tanh"}),
    Cell("rnn_relu", "rnn", gates=1, options={"nonlinearity": "relu"}),
    Cell("rnn_sigmoid", "rnn", gates=1, options={"nonlinearity": "sigmoid"}),
    Cell("lstm", "lstm", gates=4, states=("h0", "c0")),
    Cell("lstm_coupled", "lstm", 3, ("h0", "c0"), {"forget_gate": "coupled"}),
    Cell("lstm_no_forget", "lstm", 3, ("h0", "c0"), {"forget_gate": "none"}),
    Cell("lstm_projected", "lstm", 4, ("h0", "c0"), beside=("w_hr",)),
    Cell("gru", "gru", gates=3, options={"reset_after": True}),
    Cell("gru_reset_before", "gru", gates=3, options={"reset_after": False}),
    Cell("mgu", "mgu", gates=2),
    Cell(
        "lstm_activations",
        "lstm",
        4,
        ("h0", "c0"),
        {"activations": ("HardSigmoid", ("elu", 0.7), "softsign")},
    ),
    Cell(
        "gru_activations",
        "gru",
        3,
        options={"activations": (("hard_sigmoid", 0.3, 0.4), ("scaled_tanh", 1.2, 0.8))},
    ),
    Cell("lstm_peephole", "lstm", 4, ("h0", "c0"), beside=("peephole",)),
    Cell("lstm_norm", "lstm", 4, ("h0", "c0"), beside=("layer_norm",), norm_rows=10),
    Cell("gru_norm", "gru", 3, beside=("layer_norm",), norm_rows=6),
)

CELLS_BY_NAME: Mapping[str, Cell] = {cell.name: cell for cell in CELLS}
