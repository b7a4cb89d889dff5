"""What is timed: a mode, a cell and the sizes T/B/I=H.

training     forward and the gradients of x, weights and biases, from plain arrays: packing is
             part of it
inference    forward alone, on weights that were packed beforehand
step         one step through Python, from one state to the next, on packed weights

work = 2 T B G H (I + H) flops forward, as much again for the gradients of the operands and as
much for those of the weights
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np

from rnnfast.testing.cells import CELLS_BY_NAME, Array, Cell
from rnnfast.testing.random import Problem

__all__ = [
    "EVERYTHING",
    "FIGURES",
    "KINDS",
    "MODES",
    "Case",
    "Kind",
    "Mode",
    "Shape",
    "select",
]

Mode: TypeAlias = Literal["training", "inference", "step"]

MODES: tuple[Mode, ...] = ("training", "inference", "step")

Inputs: TypeAlias = dict[str, Array]

Kind: TypeAlias = Literal["step", "few rows", "many rows"]

KINDS: tuple[Kind, ...] = ("step", "few rows", "many rows")

_FEW = 8  # rows, at most

_PASSES = {"training": 3, "inference": 1, "step": 1}


@dataclass(frozen=True)
class Shape:
    """Sizes of a case.

    Parameters
    ----------
    T, B, I, H : int
        Steps, rows (sequences), inputs, hidden units.
    """

    T: int
    B: int
    I: int  # noqa: E741
    H: int

    @classmethod
    def of(cls, text: str) -> Shape:
        """Read "T/B/H", where I = H, or "T/B/I-H".

        Parameters
        ----------
        text : str
            As `str` gives it.

        Returns
        -------
        Shape

        Raises
        ------
        ValueError
            If the text is of neither form.
        """
        try:
            steps, rows, units = text.split("/")
            inputs, _, hidden = units.partition("-")
            return cls(int(steps), int(rows), int(inputs), int(hidden or inputs))
        except ValueError:
            raise ValueError(
                f"a shape must be T/B/H or T/B/I-H, such as 50/64/512, got {text!r}"
            ) from None

    def __str__(self) -> str:
        """Return "T/B/H", or "T/B/I-H" where I and H differ."""
        units = f"{self.H}" if self.I == self.H else f"{self.I}-{self.H}"
        return f"{self.T}/{self.B}/{units}"


@dataclass(frozen=True)
class Case:
    """One row of the benchmark: float32, with both biases.

    Parameters
    ----------
    mode : {"training", "inference", "step"}
        What is done.
    cell_name : str
        The cell, as the core names it.
    shape : Shape
        The sizes.
    """

    mode: Mode
    cell_name: str
    shape: Shape

    def __str__(self) -> str:
        """Return mode, cell and sizes."""
        return f"{self.mode} {self.cell_name} {self.shape}"

    @property
    def cell(self) -> Cell:
        """The cell, with the options that select it."""
        return CELLS_BY_NAME[self.cell_name]

    @property
    def kind(self) -> Kind:
        """The class that it ranks in."""
        if self.mode == "step":
            return "step"
        return "few rows" if self.shape.B <= _FEW else "many rows"

    @property
    def flops(self) -> float:
        """Floating-point operations in the products of matrices; all else is not counted."""
        s, R = self.shape, self.cell.output_size(self.shape.H)
        columns = self.cell.gates * (s.I + R) + (R if self.cell.projects else 0)
        return 2.0 * _PASSES[self.mode] * s.T * s.B * s.H * columns

    def inputs(self, seed: int = 0) -> Inputs:
        """Draw what every contestant is given.

        Parameters
        ----------
        seed : int, default 0
            Of the random numbers.

        Returns
        -------
        dict of str to ndarray
            The arguments of the cell; training also has ``dy``, a step its initial states. Where
            states are absent they are zero.
        """
        states = self.cell.states if self.mode == "step" else ()
        s = self.shape
        problem = Problem(self.cell, np.float32, s.T, s.B, s.I, s.H, states=states)
        rng = np.random.default_rng(seed)
        cotangents = problem.cotangents(rng, ("dy",)) if self.mode == "training" else {}
        return {**problem.arguments(rng), **cotangents}


def _cases(modes: tuple[Mode, ...], cells: tuple[str, ...], shapes: str) -> list[Case]:
    every = [Shape.of(text) for text in shapes.split()]
    return [Case(mode, cell, shape) for mode in modes for cell in cells for shape in every]


_CELLS = ("lstm", "gru", "rnn_tanh")

FIGURES: tuple[Case, ...] = (
    *_cases(("training",), _CELLS, "50/64/512 100/32/128"),
    *_cases(("inference",), ("lstm",), "512/8/64 100/1/512"),
    *_cases(("step",), _CELLS, "1/1/64"),
)
"""The cases of the README's table: minutes."""

_STEPS = "1/1/64 1/1/256"
_FEW_ROWS = "25/1/512 150/1/256 100/1/128 100/1/512 50/4/256 512/8/64"
_MANY_ROWS = (
    "100/32/128 30/32/128 784/128/1-100 50/16/256 50/64/500 50/64/512 35/20/650 300/20/800 "
    "25/64/1024 25/128/1024 50/32/2048-256 50/32/17 50/32/34 50/32/68 "
    "25/16/512 25/32/512 25/32/1024 150/16/256"  # of DeepBench's
)

EVERYTHING: tuple[Case, ...] = (
    *_cases(("training", "inference"), _CELLS, f"{_MANY_ROWS} {_FEW_ROWS}"),
    *_cases(("training", "inference"), ("gru",), "187/32/1536"),
    *_cases(("step",), _CELLS, _STEPS),
)
"""All shapes that rank: an hour or so. Cases may be added here, none dropped."""


def select(
    cases: Collection[Case],
    modes: Collection[str] = (),
    cells: Collection[str] = (),
    shapes: Collection[str] = (),
) -> list[Case]:
    """Return the cases wanted; a shape that is not among them is taken for all their others.

    Parameters
    ----------
    cases : collection of Case
        What to choose from.
    modes, cells, shapes : collection of str
        What to keep of each, by name; everything if empty. Shapes may be new ones: they are then
        timed in the modes and cells of `cases`, and a step is always one step.

    Returns
    -------
    list of Case
        In the order of `cases`, without repetition.
    """
    wanted = [case for case in cases if case.mode in (modes or MODES)]
    wanted = [case for case in wanted if not cells or case.cell_name in cells]
    if shapes:
        own = [Shape.of(text) for text in shapes]
        wanted = [
            Case(case.mode, case.cell_name, shape)
            for case in wanted
            for shape in own
            if (case.mode == "step") == (shape.T == 1)
        ]
    return list(dict.fromkeys(wanted))
