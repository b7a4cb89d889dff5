"""Every cell and option that tests and benchmarks loop over: a new cell is one new entry here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from numpy.typing import NDArray

from rnnfast import functional, reference

__all__ = ["BIASES", "CELLS", "CELLS_BY_NAME", "WEIGHTS", "Arguments", "Array", "Cell"]

Array = NDArray[Any]
Arguments: TypeAlias = Mapping[str, Array]

BIASES: tuple[tuple[str, ...], ...] = ((), ("b_ih",), ("b_hh",), ("b_ih", "b_hh"))
"""The bias arguments of every cell, present or absent each on its own."""

WEIGHTS: tuple[str, ...] = ("w_ih", "w_hh", "b_ih", "b_hh", "peephole")
"""The arguments that are weights, of whichever cell."""


@dataclass(frozen=True, eq=False)
class Cell:
    """A cell under one choice of its options, by the names the public API gives it.

    Parameters
    ----------
    name : str
        Name by itself, and inside the core unless its activations are chosen.
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
    """

    name: str
    function: str
    gates: int
    states: tuple[str, ...] = ("h0",)
    options: Mapping[str, Any] = field(default_factory=dict)
    beside: tuple[str, ...] = ()

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

    def shape(self, argument: str, T: int, B: int, I: int, H: int) -> tuple[int, ...]:  # noqa: E741
        """Return the shape of an argument, a result or a cotangent for the given sizes."""
        rows = self.gates * H
        shapes: dict[str, tuple[int, ...]] = {
            "x": (T, B, I),
            "w_ih": (rows, I),
            "w_hh": (rows, H),
            "b_ih": (rows,),
            "b_hh": (rows,),
            "peephole": (3 * H,),
            "y": (T, B, H),
        }
        return shapes.get(argument.removeprefix("d"), (B, H))

    def forward(self, arguments: Arguments, **options: Any) -> Any:
        """Run the kernels, with options of a call such as ``reverse`` and ``lengths``."""
        return getattr(functional, self.function)(**arguments, **self.options, **options)

    def vjp(self, arguments: Arguments, **options: Any) -> Any:
        """Run the kernels, and return their pullback beside the results."""
        function = getattr(functional, f"{self.function}_vjp")
        return function(**arguments, **self.options, **options)

    def prepack(self, arguments: Arguments, **options: Any) -> Any:
        """Pack the weights among the arguments."""
        weights = {name: a for name, a in arguments.items() if name in WEIGHTS}
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
)

CELLS_BY_NAME: Mapping[str, Cell] = {cell.name: cell for cell in CELLS}
