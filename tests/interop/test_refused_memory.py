"""Memory that the kernels are refused within a host's call: an error of the host's, no more."""

import pytest

from refused_memory import count_refusals

SHAPES = "T, B, I, H = 12, 5, 3, 9\nimport numpy as np\nrng = np.random.default_rng(0)\n"

ONNX = """
import onnx, onnxruntime
from onnx import helper, numpy_helper
from rnnfast.interop.onnx import InferenceSession
draw = lambda *shape: (0.3 * rng.standard_normal(shape)).astype(np.float32)
weights = {"W": draw(1, 4 * H, I), "R": draw(1, 4 * H, H)}
of = onnx.TensorProto.FLOAT
graph = helper.make_graph(
    [helper.make_node("LSTM", ["X", "W", "R"], ["Y"], hidden_size=H)],
    "node",
    [helper.make_tensor_value_info("X", of, [T, B, I])],
    [helper.make_tensor_value_info("Y", of, None)],
    [numpy_helper.from_array(array, name) for name, array in weights.items()],
)
model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
options = onnxruntime.SessionOptions()
options.intra_op_num_threads = 1
session = InferenceSession(model.SerializeToString(), options)
x = draw(T, B, I)
call = lambda: session.run(None, {"X": x})[0]
"""

TENSORFLOW = """
import tensorflow as tf
from rnnfast.interop.tensorflow import gru
draw = lambda *shape: tf.Variable(0.3 * rng.standard_normal(shape))
weights = draw(3 * H, I), draw(3 * H, H)
x = tf.constant(rng.standard_normal((T, B, I)))

def call():
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(gru(x, *weights).y)
    return np.concatenate([np.ravel(one) for one in tape.gradient(loss, weights)])
"""

JAX = """
import jax
from rnnfast.interop.jax import lstm
draw = lambda *shape: jax.numpy.asarray(0.3 * rng.standard_normal(shape), np.float32)
weights, x = (draw(4 * H, I), draw(4 * H, H)), draw(T, B, I)
gradient = jax.jit(jax.grad(lambda weights: lstm(x, *weights).y.sum()))
call = lambda: np.concatenate([np.ravel(one) for one in gradient(weights)])
"""

EACH = """
look_at_extension()
want, total, said = call(), 0, set()
for n in itertools.count():
    def tried():
        try:
            return call()
        except Exception as error:
            said.add(str(error))
            raise MemoryError from error
    got, refusals = attempt(tried, n)
    total += refusals
    assert got is None or np.array_equal(got, want), n
    if not refusals:
        break
assert np.array_equal(call(), want)
assert said and all("memory" in one for one in said), said
print(total)
"""


@pytest.mark.timing  # as of what measures memory: sanitizers have a malloc of their own
@pytest.mark.parametrize("host", [JAX, ONNX, TENSORFLOW], ids=["jax", "onnxruntime", "tensorflow"])
def test_each_allocation_may_be_refused(host, tmp_path):
    # How many there are is the plan's, which is this machine's.
    assert count_refusals(tmp_path, SHAPES + host + EACH) > 2
