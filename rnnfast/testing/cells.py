"""Every cell that tests and benchmarks loop over: variants of the public functions, and examples.

The variants are those of `rnnfast._check.cells`, so that a new cell is here once it can be called.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

from numpy.typing import NDArray

from rnnfast import _core, functional, reference
from rnnfast._check.cells import DEFAULTS, FACTS, VARIANTS

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
        Name by itself.
    function : str
        Public function, also the name of its reference; its derivative appends ``_vjp``.
    core : str
        Its cell of the core, unless activations are chosen.
    options : mapping of str to object
        Keyword arguments that select this cell.
    beside : tuple of str
        Weights beside matrices and biases, always given.
    """

    name: str
    function: str
    core: str
    options: Mapping[str, Any] = field(default_factory=dict)
    beside: tuple[str, ...] = ()

    def __str__(self) -> str:
        """Return the name, for test ids."""
        return self.name

    @property
    def facts(self) -> _core.CellFacts:
        """What the core says of it."""
        return FACTS[self.core]

    @property
    def gates(self) -> int:
        """G, so that the weights have ``G*H`` rows."""
        return self.facts["gates"]

    @property
    def states(self) -> tuple[str, ...]:
        """Arguments that are initial states, the output's first."""
        return ("h0", "c0") if self.facts["has_memory"] else ("h0",)

    @property
    def norm_rows(self) -> int:
        """``layer_norm`` has as many times H numbers; without it, 0."""
        return self.facts["norm_rows"]

    @property
    def activations(self) -> tuple[str, ...]:
        """Names of its activations, in ONNX's order."""
        own = next(one.activations for one in VARIANTS if one.core == self.core)
        chosen = self.options.get("activations", own)
        return tuple(one if isinstance(one, str) else one[0] for one in chosen)

    @property
    def default(self) -> bool:
        """Whether its function computes it, given its weights, by default."""
        return all(DEFAULTS.get(option) == value for option, value in self.options.items())

    @property
    def one_phase(self) -> bool:
        """Whether a step has one recurrent product."""
        return self.facts["phases"] == 1

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
            "peephole": (self.facts["unit_weights"] * H,),
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


_PROJECTED = ("lstm",)
_ACTIVATIONS: Mapping[str, tuple[Any, ...]] = {
    "lstm": ("HardSigmoid", ("elu", 0.7), "softsign"),
    "gru": (("hard_sigmoid", 0.3, 0.4), ("scaled_tanh", 1.2, 0.8)),
}

CELLS: tuple[Cell, ...] = (
    *(
        Cell(one.core, one.function, one.core, one.options, (one.beside,) if one.beside else ())
        for one in VARIANTS
    ),
    *(Cell(f"{core}_projected", core, core, beside=("w_hr",)) for core in _PROJECTED),
    *(
        Cell(f"{core}_activations", core, core, {"activations": chosen})
        for core, chosen in _ACTIVATIONS.items()
    ),
)

CELLS_BY_NAME: Mapping[str, Cell] = {cell.name: cell for cell in CELLS}
