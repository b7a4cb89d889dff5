"""Keras on TensorFlow: `keras.layers.SimpleRNN`, `LSTM` and `GRU` in a `tf.function`.

As TensorFlow's guide on better performance recommends, everything that is timed is one graph:
training has its `tf.GradientTape` inside, and tensors are arguments, so that nothing is traced
twice. A step is one call of a layer's cell.

XLA (`jit_compile`) compiles inference and steps and not training, because that is fastest.
Two threads took, without and with it, in turns on a machine that was also at work:

    inference  LSTM 100/32/128   13.1 ms   10.7 ms
    inference  GRU 25/1/512       6.6 ms    1.7 ms
    step       LSTM 1/1/64       0.37 ms   0.24 ms
    training   LSTM 100/32/128     53 ms     70 ms
    training   RNN 100/32/128      21 ms     32 ms
    training   LSTM 50/64/512     749 ms    670 ms

Layers are not unrolled: Keras recommends that for short sequences alone, and it gave a tenth.
"""

from __future__ import annotations

import os
import sys
from typing import Any

import numpy as np

from rnnfast.testing.cells import Arguments, Array, Cell

from ..cases import Case
from .peer import Job, Peer, Unable, import_host

__all__ = ["Keras"]

# Of each cell: the layer, its gates as indices of ours (Keras's GRU has z r h), its arguments.
_LAYERS: dict[str, tuple[str, tuple[int, ...], dict[str, Any]]] = {
    "rnn_tanh": ("SimpleRNN", (0,), {"activation": "tanh"}),
    "rnn_relu": ("SimpleRNN", (0,), {"activation": "relu"}),
    "rnn_sigmoid": ("SimpleRNN", (0,), {"activation": "sigmoid"}),
    "lstm": ("LSTM", (0, 1, 2, 3), {}),
    "gru": ("GRU", (1, 0, 2), {"reset_after": True}),
    "gru_reset_before": ("GRU", (1, 0, 2), {"reset_after": False}),
}


class Keras(Peer):
    """Keras's recurrent layers, on the CPU.

    Parameters
    ----------
    threads : int
        Threads that an operation of TensorFlow uses, asserted. One operation runs at a time, so
        that there are no more of them.
    """

    name = "keras"

    def __init__(self, threads: int) -> None:
        self._keras = _keras_on_tensorflow()
        self._tf = import_host("tensorflow")
        self.version = f"{self._keras.__version__} on tensorflow {self._tf.__version__}"
        self._tf.get_logger().setLevel("ERROR")  # one function a case is not retracing
        threading = self._tf.config.threading
        try:
            threading.set_intra_op_parallelism_threads(threads)
            threading.set_inter_op_parallelism_threads(1)
        except RuntimeError as error:
            raise Unable(f"{threads} threads are wanted, keras: {error}") from error
        if threading.get_intra_op_parallelism_threads() != threads:
            raise Unable(f"{threads} threads are wanted, keras takes no other number")

    def prepare(self, case: Case, inputs: Arguments) -> Job:
        """Build a layer with the weights, and trace its function."""
        if case.cell_name not in _LAYERS:
            raise Unable(f"keras has no {case.cell_name}")
        prepare = {"training": self._training, "inference": self._inference, "step": self._step}
        job = prepare[case.mode](case.cell, inputs)
        job.call()
        return job

    def _training(self, cell: Cell, inputs: Arguments) -> Job:
        layer, order = self._layer(cell, inputs), _LAYERS[cell.name][1]
        x, dy = self._rows_first(inputs["x"]), self._rows_first(inputs["dy"])
        kernels = [layer.cell.kernel, layer.cell.recurrent_kernel, layer.cell.bias]
        weights = [kernel.value for kernel in kernels]

        @self._tf.function  # type: ignore[untyped-decorator]
        def differentiate(x: Any, dy: Any) -> tuple[Any, Any]:
            with self._tf.GradientTape() as tape:
                tape.watch(x)
                returned = layer(x)
            return returned, tape.gradient(returned[0], [x, *weights], output_gradients=dy)

        def results(returned: tuple[Any, Any]) -> dict[str, Array]:
            outputs, (dx, *grads) = returned
            return {
                **_named(cell, outputs),
                "dx": _steps_first(dx),
                **_our_weights(order, *(grad.numpy() for grad in grads)),
            }

        return Job(lambda: differentiate(x, dy), results)

    def _inference(self, cell: Cell, inputs: Arguments) -> Job:
        layer = self._layer(cell, inputs)
        x = self._rows_first(inputs["x"])

        @self._tf.function(jit_compile=True)  # type: ignore[untyped-decorator]
        def run(x: Any) -> Any:
            return layer(x)

        return Job(lambda: run(x), lambda outputs: _named(cell, outputs))

    def _step(self, cell: Cell, inputs: Arguments) -> Job:
        layer = self._layer(cell, inputs)
        x = self._tf.constant(inputs["x"][0])
        states = [self._tf.constant(inputs[name]) for name in cell.states]

        @self._tf.function(jit_compile=True)  # type: ignore[untyped-decorator]
        def run(x: Any, states: Any) -> Any:
            return layer.cell(x, states)[1]

        def results(after: Any) -> dict[str, Array]:
            arrays = (state.numpy() for state in after)
            return dict(zip(cell.outputs[1:], arrays, strict=True))

        return Job(lambda: run(x, states), results)

    def _layer(self, cell: Cell, inputs: Arguments) -> Any:
        kind, order, options = _LAYERS[cell.name]
        layer = getattr(self._keras.layers, kind)(
            inputs["w_hh"].shape[1], return_sequences=True, return_state=True, **options
        )
        steps, rows, units = inputs["x"].shape
        layer.build((rows, steps, units))
        layer.set_weights(_their_weights(order, layer.cell.bias.shape, inputs))
        return layer

    def _rows_first(self, array: Array) -> Any:
        return self._tf.constant(array.swapaxes(0, 1))


def _keras_on_tensorflow() -> Any:
    """Import Keras, which reads its backend from the environment when it is first imported."""
    if "keras" not in sys.modules:
        os.environ["KERAS_BACKEND"] = "tensorflow"
        os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
        import_host("tensorflow")
    keras = import_host("keras")
    backend = keras.backend.backend()
    if backend != "tensorflow":
        raise Unable(f"keras is imported already, and runs on {backend}")
    return keras


def _steps_first(tensor: Any) -> Array:
    array: Array = tensor.numpy().swapaxes(0, 1)
    return array


def _named(cell: Cell, outputs: Any) -> dict[str, Array]:
    y, *final = outputs
    arrays = (state.numpy() for state in final)
    return {"y": _steps_first(y), **dict(zip(cell.outputs[1:], arrays, strict=True))}


def _their_weights(
    order: tuple[int, ...], bias: tuple[int, ...], inputs: Arguments
) -> tuple[Array, Array, Array]:
    """Return kernel, recurrent kernel and bias: one row of biases, or both of them apart."""
    biases = np.stack([_by_gate(inputs[name], order) for name in ("b_ih", "b_hh")])
    return (
        _by_gate(inputs["w_ih"], order).T,
        _by_gate(inputs["w_hh"], order).T,
        biases if len(bias) == 2 else biases.sum(axis=0),
    )


def _our_weights(
    order: tuple[int, ...], kernel: Array, recurrent: Array, bias: Array
) -> dict[str, Array]:
    """Name the gradients; a bias that is the sum of ours has the gradient of each."""
    back = tuple(int(gate) for gate in np.argsort(order))
    b_ih, b_hh = np.broadcast_to(bias, (2, bias.shape[-1]))
    return {
        "dw_ih": _by_gate(kernel.T, back),
        "dw_hh": _by_gate(recurrent.T, back),
        "db_ih": _by_gate(b_ih, back),
        "db_hh": _by_gate(b_hh, back),
    }


def _by_gate(rows: Array, order: tuple[int, ...]) -> Array:
    gates = np.split(rows, len(order))
    return np.concatenate([gates[gate] for gate in order])
