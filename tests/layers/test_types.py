"""What a strict type checker says of constructors: misspelt or unsupported arguments are errors."""

from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

# An `ignore` where there is no error is one itself.
PROGRAM = """
import numpy as np
from rnnfast import initializers, layers, regularizers

layers.LSTM(4, "relu", trainable=False, input_shape=(3, 4), kernel_regularizer="l2")
layers.LSTM(4, activaton="tanh")  # type: ignore[call-arg]
layers.LSTM(4, unroll=False, use_cudnn="auto", implementation=2)
layers.LSTM(4, unroll=True)  # type: ignore[arg-type]
layers.GRU(4, input_dim=3, input_length=5, bias_regularizer=regularizers.L1L2(0.1, 0.2))
layers.GRU(4, kernel_constraint="max_norm")  # type: ignore[arg-type]
layers.SimpleRNN(4, return_sequence=True)  # type: ignore[call-arg]
layers.LightGRU(4, zoneuot=0.1)  # type: ignore[call-arg]
layers.Dense(4, "softmax", input_dim=8, kernel_initializer=initializers.Constant(0.1))
layers.Dense(4, "softmax", input_length=8)  # type: ignore[call-arg]
layers.Embedding(4, 5, mask_zero=True, input_length=3)
layers.Embedding(4, 5, weights=[np.ones((4, 5))])  # type: ignore[arg-type]
layers.Bidirectional(layers.GRU(3), "sum", input_shape=(None, 3))
layers.Bidirectional(layers.GRU(3), merge="sum")  # type: ignore[call-arg]
layers.Bidirectional(layers.Dense(3))  # type: ignore[arg-type]
layers.RNN([layers.LSTMCell(4, peephole=True), layers.GRUCell(3)], return_sequences=True)
layers.LSTMCell(4, return_sequences=True)  # type: ignore[call-arg]
layers.GRUCell(4, input_shape=(3, 4))  # type: ignore[call-arg]
layers.SimpleRNNCell(4, recurrent_activation="tanh")  # type: ignore[call-arg]
layers.TimeDistributed(layers.Dense(3), trainble=False)  # type: ignore[call-arg]
layers.Dropout(0.5, noise_shape=(3,))  # type: ignore[arg-type]
layers.LayerNormalization(rms_scaling=True)  # type: ignore[arg-type]
layers.Add(nam="sum")  # type: ignore[call-arg]
layers.Concatenate(-1, trainable=True)


class Doubled(layers.Dense):
    def call(self, x: layers.layer.Array) -> layers.layer.Array:
        return 2 * super().call(x)


made: layers.LSTM = layers.LSTM(4)
again: layers.LSTM = layers.LSTM.from_config(made.get_config())
"""


@pytest.mark.slow
def test_constructors_are_typed(tmp_path):
    mypy = pytest.importorskip("mypy.api", reason="mypy is missing, make lint installs it")
    path = tmp_path / "program.py"
    path.write_text(PROGRAM, encoding="utf-8")
    options = ["--strict", "--config-file=", "--follow-imports=silent"]
    options += [f"--cache-dir={ROOT / '.mypy_cache'}"]
    found, errors, status = mypy.run([*options, str(path)])
    assert (errors, status) == ("", 0), found
