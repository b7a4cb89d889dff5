"""Layers of recurrent cells, described: which cell, with which options, and its arrays.

Sizes: L layers of D directions, G gates, I inputs, H hidden units. Gates are in the order i f g o
(LSTM) and r z n (GRU).

    w_ih (G*H, I)   w_hh (G*H, H)      b_ih, b_hh (G*H,)   of each layer, forward before reverse
    w_hr (R, H)     peephole (3*H,)    layer_norm          where the cell has them
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import partial
from math import isfinite
from typing import Any

from rnnfast._check import DType, cells, inputs, quantized, sparse, stacks
from rnnfast._check.options import directions, flag
from rnnfast._check.spelling import meant
from rnnfast.engine.noise import noise

OPTIONS: Mapping[str, Any] = {
    **cells.DEFAULTS,
    "activations": None,
    "clip": None,
    "reverse": False,
    "bidirectional": False,
    "zoneout": 0.0,
    "sparse": False,
}
"""What a stack is made with beside arrays, by default."""


class StackWeights:
    """A stack of recurrent layers: the kind of cell, options, and arrays.

    It never changes, and can be pickled. The arrays are read-only copies.

    Parameters
    ----------
    cell : str
        The kind of cell: "rnn", "lstm", "gru", "mgu" or "light_gru".
    w_ih, w_hh, b_ih, b_hh : array_like, or sequence of array_like
        As for `rnnfast.prepack`: of one layer, or of each layer and direction in torch's order,
        layer by layer, forward before reverse.
    w_hr, peephole, layer_norm : array_like, or sequence of array_like, optional
        Further weights, as for `rnnfast.prepack`.
    **options
        nonlinearity, forget_gate, reset_after, activations, clip, reverse, bidirectional, zoneout,
        sparse, as for `rnnfast.prepack`.

    Attributes
    ----------
    cell : str
        The kind of cell.
    layers : tuple of tuple of LayerWeights
        The arrays by layer and direction, with fields `w_ih`, `w_hh`, `b_ih`, `b_hh`, `w_hr`,
        `peephole` and `layer_norm`, which are None where there is none.
    options : dict
        The options that are not at their defaults.
    stacked : bool
        Whether weights were given in sequences, so that states have an axis of layers.
    density : float
        Share of `w_hh` in blocks, 16 units of a gate at one k, that are not all zero.

    Raises
    ------
    ValueError
        If a shape does not fit, or an option is of another kind of cell.
    TypeError
        If an array is not float32 or float64, or not of the dtype of `w_ih`, or an option is
        unknown.

    Examples
    --------
    >>> import numpy as np
    >>> from rnnfast.weights import StackWeights
    >>> StackWeights("gru", np.zeros((12, 3)), np.zeros((12, 4)), reset_after=False)
    <StackWeights gru: input_size=3, hidden_size=4, dtype=float64, reset_after=False>
    """

    __slots__ = ("_cell", "_layers", "_noise", "_options", "_scales", "_stacked")

    def __init__(
        self,
        cell: str,
        w_ih: Any,
        w_hh: Any,
        b_ih: Any = None,
        b_hh: Any = None,
        *,
        w_hr: Any = None,
        peephole: Any = None,
        layer_norm: Any = None,
        **options: Any,
    ) -> None:
        for name in options:
            if name not in OPTIONS:
                raise TypeError(f"{name!r} is no option of weights{meant(name, OPTIONS)}")
        given = {**OPTIONS, **options}
        _, both = directions(given.pop("reverse"), given.pop("bidirectional"))
        zoneout = given.pop("zoneout")
        is_sparse = flag("sparse", given.pop("sparse"))
        beside = {"w_hr": w_hr, "peephole": peephole, "layer_norm": layer_norm}
        self._cell = cells.choose_of_any(cell, **beside, **given)
        raw = inputs.RawWeights(w_ih, w_hh, b_ih, b_hh, **beside)
        self._layers, form = stacks.packable(self._cell, raw, both)
        self._stacked = form is not None
        self._scales = quantized.scales(*((w_ih, w_hh) if self._stacked else ((w_ih,), (w_hh,))))
        self._cell.require_held_numbers(self.dtype)
        self._noise = noise(self._cell, 0.0, 0.0, 0.0, 0.0, zoneout, None)
        self._noise.require_held_rates(self.dtype)
        if is_sparse:
            sparse.require_sparse(self._cell, self._one_by_one(), None)
        of_cell = dict(cells.options_of(self._cell))
        named = cells.choose_of_any(cell, **beside, **{**given, **of_cell, "activations": None})
        if named == self._cell:  # the activations given are those that it has by its other options
            options = {**options, **of_cell, "activations": None}
        self._options = {k: v for k, v in options.items() if v != OPTIONS[k]}

    @classmethod
    def of_layers(
        cls, cell: str, layers: Iterable[Iterable[inputs.LayerWeights]], **options: Any
    ) -> StackWeights:
        """Describe layers whose arrays are in records.

        Parameters
        ----------
        cell : str
            The kind of cell.
        layers : iterable of iterable of LayerWeights
            By layer and direction, as the attribute `layers`.
        **options
            As of the class.

        Returns
        -------
        StackWeights
            A single layer in one direction is not `stacked`.
        """
        columns: dict[str, Any] = _columns(layers)
        if len(columns["w_ih"]) == 1:
            columns = {name: of_all[0] for name, of_all in columns.items()}
        return cls(cell, **columns, **options)

    @property
    def cell(self) -> str:
        """The kind of cell."""
        return self._cell.function

    @property
    def layers(self) -> stacks.Layers:
        """The arrays by layer and direction."""
        return self._layers

    @property
    def scales(self) -> list[quantized.Scales]:
        """Those of the rows of matrices that came quantized, for each layer and direction."""
        return list(self._scales)

    @property
    def options(self) -> dict[str, Any]:
        """The options that are not at their defaults."""
        return dict(self._options)

    @property
    def stacked(self) -> bool:
        """Whether weights were given in sequences, so that states have an axis of layers."""
        return self._stacked

    @property
    def bidirectional(self) -> bool:
        """Whether each layer is run in both directions."""
        return len(self._layers[0]) == 2

    @property
    def input_size(self) -> int:
        """I, the inputs of a step."""
        return self._layers[0][0].input_size

    @property
    def hidden_size(self) -> int:
        """H, the hidden units."""
        return self._layers[0][0].hidden_size

    @property
    def proj_size(self) -> int | None:
        """R, the width of h, where an LSTM projects it."""
        first = self._layers[0][0]
        return None if first.w_hr is None else first.output_size

    @property
    def dtype(self) -> DType:
        """The one dtype of all arrays."""
        return self._layers[0][0].dtype

    @property
    def density(self) -> float:
        """Share of `w_hh` in blocks, 16 units of a gate at one k, that are not all zero."""
        return sparse.density(self._cell, self._one_by_one())

    def _one_by_one(self) -> list[inputs.LayerWeights]:
        return [directed for layer in self._layers for directed in layer]

    def kernel(self) -> dict[str, Any]:
        """Return which of the kernels runs it, as `rnnfast.h`'s library reads it.

        Returns
        -------
        dict
            `cell`, the core's name; `activations`, None or of each a function, alpha, beta, the
            lowest and the highest result, and the bound of what it sees, None for no bound;
            `zoneout`, of each state; `sparse`, where `w_hh` is.
        """
        activations = [
            [one.function, one.alpha, one.beta]
            + [bound if isfinite(bound) else None for bound in (one.lowest, one.highest, one.clip)]
            for one in self._cell.activations
        ]
        return {
            "cell": self._cell.name,
            "activations": activations or None,
            "zoneout": list(self._noise.zoneout),
            **({"sparse": True} if self._options.get("sparse") else {}),
        }

    def arguments(self) -> dict[str, Any]:
        """Return what `rnnfast.prepack` takes, by name.

        Returns
        -------
        dict
            `cell`, the arrays that are there, in lists if they are `stacked`, and `options`.
        """
        flat = self._one_by_one()
        given = [scales.restored(one) for one, scales in zip(flat, self._scales, strict=True)]
        columns = _columns([given])
        if not self._stacked:
            columns = {name: of_all[0] for name, of_all in columns.items()}
        return {"cell": self.cell, **columns, **self._options}

    def __repr__(self) -> str:
        """Show the cell, its sizes and its options."""
        shown: dict[str, Any] = {"layers": len(self._layers)} if self._stacked else {}
        shown |= {"input_size": self.input_size, "hidden_size": self.hidden_size}
        if self.proj_size is not None:
            shown["proj_size"] = self.proj_size
        shown["dtype"] = self.dtype
        options = {name: repr(value) for name, value in self._options.items()}
        listed = ", ".join(f"{name}={value}" for name, value in {**shown, **options}.items())
        return f"<StackWeights {self.cell}: {listed}>"

    def __reduce__(self) -> tuple[Any, tuple[Any, ...]]:
        """Pickle as the call that makes an equal one."""
        return partial(StackWeights, **self.arguments()), ()


def _columns(layers: Iterable[Iterable[inputs.LayerWeights]]) -> dict[str, list[Any]]:
    """Return the arrays that are there by field, in torch's order."""
    flat = [directed for layer in layers for directed in layer]
    arrays = {name: [getattr(one, name) for one in flat] for name in inputs.LayerWeights._fields}
    return {
        name: of_all
        for name, of_all in arrays.items()
        if any(array is not None for array in of_all)
    }
