"""JAX: `lax.scan` over the steps, compiled by `jax.jit`.

The product with x is taken out of the scan, as one over all steps, and weights are transposed
beforehand where there are no gradients of them. Training is one compiled function of `jax.vjp` and
its pullback.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np

from rnnfast.testing.cells import Arguments, Array, Cell

from ..cases import Case
from .peer import Job, Peer, Unable, import_host

__all__ = ["Jax"]

Values: TypeAlias = dict[str, Any]
State: TypeAlias = tuple[Any, ...]


class Jax(Peer):
    """`jax.lax.scan` on the CPU.

    Parameters
    ----------
    threads : int
        Threads that it uses. It has no setting for them: it takes one a core that the process may
        run on.
    """

    name = "jax"

    def __init__(self, threads: int) -> None:
        self._jax = import_host("jax")
        self.version = self._jax.__version__
        cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
        if threads != cores:
            raise Unable(f"{threads} threads are wanted, jax takes one for each of {cores} cores")
        self._cpu = self._jax.devices("cpu")[0]

    def prepare(self, case: Case, inputs: Arguments) -> Job:
        """Compile, and put the arrays where JAX wants them."""
        if case.cell_name not in _STEPS:
            raise Unable(f"jax has no step for {case.cell_name} here")
        values = {name: self._jax.device_put(a, self._cpu) for name, a in inputs.items()}
        if case.mode == "training":
            return self._training(case.cell, values)
        return self._forward(case, values)

    def _training(self, cell: Cell, values: Values) -> Job:
        dy = values.pop("dy")

        @self._jax.jit  # type: ignore[untyped-decorator]
        def differentiate(values: Values, dy: Any) -> tuple[Any, State, Values]:
            (y, final), pullback = self._jax.vjp(lambda values: self._scan(cell, values), values)
            zeros = self._jax.tree.map(self._jax.numpy.zeros_like, final)
            return y, final, pullback((dy, zeros))[0]

        def results(returned: tuple[Any, State, Values]) -> dict[str, Array]:
            y, final, grads = returned
            return {
                **_named(cell, (y, *final)),
                **{f"d{name}": np.asarray(grad) for name, grad in grads.items()},
            }

        return Job(lambda: self._jax.block_until_ready(differentiate(values, dy)), results)

    def _forward(self, case: Case, values: Values) -> Job:
        cell = case.cell
        weights = {name: values.pop(name).T.copy() for name in ("w_ih", "w_hh")}

        @self._jax.jit  # type: ignore[untyped-decorator]
        def run(weights: Values, values: Values) -> State:
            transposed = {name: weight.T for name, weight in weights.items()}
            y, final = self._scan(cell, {**values, **transposed})
            return final if case.mode == "step" else (y, *final)

        def results(returned: State) -> dict[str, Array]:
            return _named(cell, returned)

        return Job(lambda: self._jax.block_until_ready(run(weights, values)), results)

    def _scan(self, cell: Cell, values: Values) -> tuple[Any, State]:
        """Return y and the final states."""
        numpy = self._jax.numpy
        rows, units = values["x"].shape[1], values["w_hh"].shape[1]
        zeros = numpy.zeros((rows, units), np.float32)
        start = tuple(values.get(state, zeros) for state in cell.states)
        recurrent = (values["w_hh"].T, values["b_hh"])
        step = _STEPS[cell.name]

        def body(state: State, a: Any) -> tuple[State, Any]:
            after = step(self._jax, a, state, *recurrent)
            return after, after[0]

        final, y = self._jax.lax.scan(body, start, values["x"] @ values["w_ih"].T + values["b_ih"])
        return y, final


def _named(cell: Cell, returned: State) -> dict[str, Array]:
    names = cell.outputs[-len(returned) :]
    return {name: np.asarray(array) for name, array in zip(names, returned, strict=True)}


# One step from a = W_ih x + b_ih, the states before, U = W_hh^T and b_hh to the states after.


def _rnn(activation: Callable[[Any, Any], Any]) -> Callable[..., State]:
    def step(jax: Any, a: Any, state: State, u: Any, b: Any) -> State:
        return (activation(jax, a + state[0] @ u + b),)

    return step


def _lstm(jax: Any, a: Any, state: State, u: Any, b: Any) -> State:
    h, c = state
    i, f, g, o = jax.numpy.split(a + h @ u + b, 4, axis=-1)
    sigmoid, tanh = jax.nn.sigmoid, jax.numpy.tanh
    c = sigmoid(f) * c + sigmoid(i) * tanh(g)
    return sigmoid(o) * tanh(c), c


def _lstm_of_three_gates(kept: Callable[[Any], Any]) -> Callable[..., State]:
    def step(jax: Any, a: Any, state: State, u: Any, b: Any) -> State:
        h, c = state
        i, g, o = jax.numpy.split(a + h @ u + b, 3, axis=-1)
        sigmoid, tanh = jax.nn.sigmoid, jax.numpy.tanh
        c = kept(sigmoid(i)) * c + sigmoid(i) * tanh(g)
        return sigmoid(o) * tanh(c), c

    return step


def _mgu(jax: Any, a: Any, state: State, u: Any, b: Any) -> State:
    (h,) = state
    units = h.shape[-1]
    f = jax.nn.sigmoid((a + b)[..., :units] + h @ u[:, :units])
    n = jax.numpy.tanh((a + b)[..., units:] + (f * h) @ u[:, units:])
    return ((1 - f) * h + f * n,)


def _gru(jax: Any, a: Any, state: State, u: Any, b: Any) -> State:
    (h,) = state
    a_r, a_z, a_n = jax.numpy.split(a, 3, axis=-1)
    m_r, m_z, m_n = jax.numpy.split(h @ u + b, 3, axis=-1)
    r, z = jax.nn.sigmoid(a_r + m_r), jax.nn.sigmoid(a_z + m_z)
    n = jax.numpy.tanh(a_n + r * m_n)
    return ((1 - z) * n + z * h,)


def _gru_reset_before(jax: Any, a: Any, state: State, u: Any, b: Any) -> State:
    (h,) = state
    units = h.shape[-1]
    gates = jax.nn.sigmoid((a + b)[..., : 2 * units] + h @ u[:, : 2 * units])
    r, z = jax.numpy.split(gates, 2, axis=-1)
    n = jax.numpy.tanh((a + b)[..., 2 * units :] + (r * h) @ u[:, 2 * units :])
    return ((1 - z) * n + z * h,)


_STEPS: dict[str, Callable[..., State]] = {
    "rnn_tanh": _rnn(lambda jax, x: jax.numpy.tanh(x)),
    "rnn_relu": _rnn(lambda jax, x: jax.nn.relu(x)),
    "rnn_sigmoid": _rnn(lambda jax, x: jax.nn.sigmoid(x)),
    "lstm": _lstm,
    "lstm_coupled": _lstm_of_three_gates(lambda i: 1 - i),
    "lstm_no_forget": _lstm_of_three_gates(lambda i: 1),
    "gru": _gru,
    "gru_reset_before": _gru_reset_before,
    "mgu": _mgu,
}
