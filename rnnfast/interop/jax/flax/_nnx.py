"""nnx: `RNN`, a subclass of Flax's with another call; `swap`, which gives it to whole models."""

from __future__ import annotations

import copyreg
import pkgutil
from collections.abc import Iterator
from typing import Any

from flax import nnx
from flax.nnx.nn import dtypes
from flax.nnx.nn.recurrent import RNNCellBase, flip_sequences
from jax import lax

from ..._models import require_model
from ..._report import Report
from .._host import LeftToHostError, say_run_by
from .._layer import Array, Layer
from ._call import Call
from ._forms import GATED, LSTM, SIMPLE, Dense, Form

FORMS = {
    nnx.LSTMCell: Form("lstm", ("ii", "if_", "ig", "io"), ("hi", "hf", "hg", "ho"), LSTM),
    nnx.OptimizedLSTMCell: Form("lstm", ("dense_i",), ("dense_h",), LSTM),
    nnx.GRUCell: Form("gru", ("dense_i",), ("dense_h",), GATED),
    nnx.SimpleCell: Form("rnn", ("dense_i",), ("dense_h",), SIMPLE),
}


class _NamedAsFlax(type(nnx.RNN)):  # type: ignore[misc]  # Flax is not looked into
    """The type of `RNN`: files call it by Flax's name, and load where there is no rnnfast."""


copyreg.pickle(_NamedAsFlax, lambda _: (pkgutil.resolve_name, ("flax.nnx:RNN",)))


class RNN(nnx.RNN, metaclass=_NamedAsFlax):  # type: ignore[misc]  # Flax is not looked into
    """Flax's `nnx.RNN`, on the kernels of rnnfast where they can run its cell.

    Constructor, attributes and state are those of `flax.nnx.RNN`. Copies are of this class; a file
    names Flax's.
    """

    def __call__(
        self,
        inputs: Array,
        *,
        initial_carry: Any = None,
        seq_lengths: Array | None = None,
        return_carry: bool | None = None,
        time_major: bool | None = None,
        reverse: bool | None = None,
        keep_order: bool | None = None,
        rngs: nnx.Rngs | nnx.RngStream | None = None,
    ) -> Any:
        """Run the cell over sequences, as `flax.nnx.RNN` does.

        Parameters
        ----------
        inputs : array, shape (..., T, I)
            With `time_major`, (T, ..., I).
        initial_carry : optional
            The cell's state; by default the cell makes it, with `rngs`.
        seq_lengths : int array, shape (...,), optional
            Where padding begins.
        return_carry, time_major, reverse, keep_order : bool, optional
            By default the module's own.
        rngs : nnx.Rngs or nnx.RngStream, optional
            By default the module's own.

        Returns
        -------
        array or (carry, array)
            The outputs; the carry before them where it is to be returned.
        """
        call = Call(
            inputs,
            seq_lengths,
            self.time_major if time_major is None else time_major,
            self.reverse if reverse is None else reverse,
            self.keep_order if keep_order is None else keep_order,
            self.return_carry if return_carry is None else return_carry,
        )
        carry = initial_carry
        try:
            layer, dtype = layer_of(self)
            if inputs.ndim < 2:
                raise LeftToHostError
            if carry is None:
                carry = self.cell.initialize_carry(call.step_shape, self._stream(rngs))
            return call.run(layer, dtype, carry, flip_sequences)
        except LeftToHostError as left:
            say_run_by("flax.nnx", left)
        return super().__call__(
            inputs,
            initial_carry=carry,
            rngs=rngs,
            **{name: value for name, value in call._asdict().items() if name != "inputs"},
        )

    def _stream(self, rngs: nnx.Rngs | nnx.RngStream | None) -> nnx.RngStream | None:
        """Return what an initial state is drawn from, as Flax does."""
        found = self.rngs if rngs is None else rngs
        return found.carry.fork() if isinstance(found, nnx.Rngs) else found


def swap(model: nnx.Module) -> Report:
    """Have rnnfast run every `nnx.RNN` of a model.

    Modules stay the objects that they are, with their parameters and states: only their class
    changes. What `nnx.jit` has compiled before is compiled anew; what `jax.jit` has, is not.

    Parameters
    ----------
    model : nnx.Module
        Changed in place; may itself be an `nnx.RNN`.

    Returns
    -------
    Report
        What was swapped, and what was left and why.

    Raises
    ------
    TypeError
        For anything else.

    Examples
    --------
    >>> model = nnx.List([nnx.RNN(nnx.GRUCell(8, 16, rngs=nnx.Rngs(0)))])
    >>> print(swap(model))
    0: GRUCell
    """
    require_model(model, nnx.Module, "an nnx.Module")
    report = Report({}, {})
    driven = {id(module.cell) for _, module in _modules(model, nnx.RNN)}
    for name, module in _modules(model, nnx.RNN):
        if type(module) is nnx.RNN:
            try:
                form_of(module).core(module.cell)
            except LeftToHostError as left:
                report.left[name] = str(left)
            else:
                object.__setattr__(module, "__class__", RNN)
                report.swapped[name] = type(module.cell).__name__
        elif type(module) is not RNN:
            report.left[name] = f"{type(module).__qualname__} may have a call of its own"
    for name, module in _modules(model, RNNCellBase):
        if id(module) not in driven:
            report.left[name] = "a cell that is called step by step, and not by an nnx.RNN"
    return report


def swap_back(model: nnx.Module) -> Report:
    """Have Flax run every `nnx.RNN` of a model again.

    Parameters
    ----------
    model : nnx.Module
        Changed in place.

    Returns
    -------
    Report
        What was swapped back.

    Raises
    ------
    TypeError
        For anything else.
    """
    require_model(model, nnx.Module, "an nnx.Module")
    report = Report({}, {})
    for name, module in _modules(model, RNN):
        if type(module) is RNN:
            object.__setattr__(module, "__class__", nnx.RNN)
            report.swapped[name] = type(module.cell).__name__
    return report


def layer_of(rnn: nnx.RNN) -> tuple[Layer, Any]:
    """Return the layer that an RNN's cell is, and the type that it was told to compute in."""
    cell = rnn.cell
    return form_of(rnn).layer(cell, lambda name: _dense(getattr(cell, name))), cell.dtype


def form_of(rnn: nnx.RNN) -> Form:
    """Return what an RNN's cell is.

    Raises
    ------
    LeftToHostError
        If it is none that the kernels run, or it is run in another way.
    """
    cell = rnn.cell
    form = FORMS.get(type(cell))
    if form is None:
        raise LeftToHostError(f"{type(cell).__qualname__} is no cell of flax.nnx that it knows")
    if any(axis not in (None, nnx.Carry) for axis in rnn.state_axes.values()):
        raise LeftToHostError("state_axes, which give each step weights of its own")
    if rnn.broadcast_rngs is not None and cell.rngs is not None:
        raise LeftToHostError("broadcast_rngs, over a cell that keeps random numbers")
    layers = [getattr(cell, name) for name in (*form.of_input, *form.of_h)]
    if not all(_is_plain(layer) and layer.dtype == cell.dtype for layer in layers):
        raise LeftToHostError("dense layers other than those that the cell makes")
    return form


def _is_plain(layer: nnx.Linear) -> bool:
    """Whether a layer computes x @ kernel + bias, in types that are promoted as Flax does."""
    return (
        type(layer) is nnx.Linear
        and layer.dot_general is lax.dot_general
        and layer.promote_dtype is dtypes.promote_dtype
        and layer.precision is None
        and layer.preferred_element_type is None
    )


def _dense(layer: nnx.Linear) -> Dense:
    return Dense(layer.kernel[...], None if layer.bias is None else layer.bias[...])


def _modules(model: nnx.Module, kind: type) -> Iterator[tuple[str, nnx.Module]]:
    """Find the modules of a kind, with their names in a model."""
    for path, module in nnx.iter_modules(model):
        if isinstance(module, kind):
            yield ".".join(map(str, path)), module
