"""linen: `intercept`, under which every `nn.RNN` that is called runs on the kernels."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import jax
from flax import linen as nn
from flax.core import meta
from flax.linen.recurrent import flip_sequences

from ..._report import Report
from .._host import LeftToHostError, say_run_by
from .._layer import Layer
from ._call import Call
from ._forms import GATED, LSTM, SIMPLE, Dense, Form

_OF_LSTM = Form("lstm", ("ii", "if", "ig", "io"), ("hi", "hf", "hg", "ho"), LSTM)

FORMS = {
    nn.LSTMCell: _OF_LSTM,
    nn.OptimizedLSTMCell: _OF_LSTM,
    nn.GRUCell: Form("gru", ("ir", "iz", "in"), ("hr", "hz", "hn"), GATED),
    nn.MGUCell: Form("gru", ("if", "if", "in"), ("hf", "hf", "hn"), GATED),
    nn.SimpleCell: Form("rnn", ("i",), ("h",), SIMPLE),
}
_MGU_WITHOUT_RESET = Form("light_gru", ("if", "in"), ("hf", "hn"), GATED)

_ARGUMENTS = inspect.signature(nn.RNN.__call__)


@contextmanager
def intercept() -> Iterator[Report]:
    """Have rnnfast run every `nn.RNN` of linen that is called, or traced, meanwhile.

    Those of `nn.Bidirectional` are among them. It also decorates a function. What was compiled
    outside stays as it is, and what is compiled inside stays so outside.

    Yields
    ------
    Report
        Which of the called modules were run by rnnfast, and which were left and why, by their
        paths. It grows while they are called.

    Examples
    --------
    >>> with intercept() as report:
    ...     y = nn.RNN(nn.GRUCell(16)).apply(variables, x)
    >>> print(report)
    (model): GRUCell
    """
    report = Report({}, {})

    def interceptor(
        theirs: Callable[..., Any], args: Any, options: Any, context: nn.module.InterceptorContext
    ) -> Any:
        module = context.module
        if context.method_name != "__call__" or not isinstance(module, nn.RNN):
            return theirs(*args, **options)
        name = "/".join(module.path)
        if type(module) is not nn.RNN:
            report.left[name] = f"{type(module).__qualname__} may have a call of its own"
            return theirs(*args, **options)
        found = theirs(*args, **options) if module.is_initializing() else None
        try:
            outputs = _run(module, *args, **options)
        except LeftToHostError as left:
            say_run_by("flax.linen", left)
            if left.reason:
                report.left[name] = left.reason
            return theirs(*args, **options) if found is None else found
        report.swapped[name] = type(module.cell).__name__
        return outputs

    with nn.intercept_methods(interceptor):
        yield report


def _run(module: nn.RNN, *args: Any, **options: Any) -> Any:
    """Return what a bound module would, or raise `LeftToHostError`."""
    try:
        given = _ARGUMENTS.bind(module, *args, **options)
    except TypeError:
        raise LeftToHostError from None  # Flax says which argument it does not have
    given.apply_defaults()
    inputs, carry, key = (given.arguments[name] for name in ("inputs", "initial_carry", "init_key"))
    names = ("time_major", "reverse", "keep_order", "return_carry")
    own = {name: getattr(module, name) for name in names}
    asked = {name: given.arguments[name] for name in names if given.arguments[name] is not None}
    call = Call(inputs, given.arguments["seq_lengths"], **{**own, **asked})
    layer = layer_of(module)
    if inputs.ndim < 2:
        raise LeftToHostError
    if carry is None:
        key = jax.random.key(0) if key is None else key
        carry = module.cell.initialize_carry(key, call.step_shape)
    return call.run(layer, module.cell.dtype, carry, flip_sequences)


def layer_of(rnn: nn.RNN) -> Layer:
    """Return the layer that the cell of a bound RNN is.

    Raises
    ------
    LeftToHostError
        If it is none that the kernels run.
    """
    cell = rnn.cell
    form = FORMS.get(type(cell))
    if form is None:
        raise LeftToHostError(f"{type(cell).__qualname__} is no cell of flax.linen that it knows")
    if not getattr(cell, "reset_gate", True):
        form = _MGU_WITHOUT_RESET
    if rnn.variable_axes or rnn.variable_broadcast != "params" or rnn.variable_carry:
        raise LeftToHostError("variables that are not the same at each step")
    weights = meta.unbox(cell.variables.get("params", {}))

    def dense(name: str) -> Dense:
        if "kernel" not in weights.get(name, {}):
            raise LeftToHostError  # Flax says which parameters it misses
        return Dense(weights[name]["kernel"], weights[name].get("bias"))

    return form.layer(cell, dense)
