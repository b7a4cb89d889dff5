"""One layer in TensorFlow: results and gradients beside the equations, however it is called."""

import os
import subprocess
import sys
import threading

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
import pytest
import tensorflow as tf
from numpy.testing import assert_array_equal

from rnnfast import _core
from rnnfast._check.cells import choose
from rnnfast.interop.tensorflow import _numpy_function, _recurrence, kernel_calls, recurrence
from rnnfast.testing.cells import CELLS, CELLS_BY_NAME
from rnnfast.testing.gradients import assert_gradients
from rnnfast.testing.random import Problem
from rnnfast.testing.tolerances import expected_outputs

WEIGHTS = ("w_ih", "w_hh", "b_ih", "b_hh", "w_hr", "peephole", "layer_norm")
LSTM = CELLS_BY_NAME["lstm"]
DTYPES = (np.float32, np.float64)
LENGTHS = np.array([5, 0, 3])
RESETS = np.array([[0, 0, 0], [0, 1, 1], [0, 0, 0], [1, 0, 0], [0, 0, 1]], bool)


def core_cell(cell):
    beside = {name: True for name in cell.beside}
    return choose(cell.function, **cell.options, **beside)


def run(cell, arguments, **options):
    """The results that there are."""
    found = recurrence(
        core_cell(cell),
        arguments["x"],
        [arguments.get(name) for name in WEIGHTS],
        arguments.get("h0"),
        arguments.get("c0"),
        **options,
    )
    return [result for result in found if result is not None]


def pulled(cell, arguments, cotangents, **options):
    """Results, and gradients by name."""
    tensors = {name: tf.convert_to_tensor(array) for name, array in arguments.items()}
    with tf.GradientTape() as tape:
        tape.watch(tensors)
        results = run(cell, tensors, **options)
        loss = sum(tf.reduce_sum(y * dy) for y, dy in zip(results, cotangents, strict=True))
    return results, tape.gradient(loss, tensors)


def problem(cell=LSTM, dtype=np.float32, seed=1, **sizes):
    """Arguments and cotangents."""
    rng = np.random.default_rng(seed)
    drawn = Problem(cell, dtype, states=cell.states, **sizes)
    return drawn.arguments(rng), drawn.cotangents(rng)


def twice(function):
    """The same eagerly, and as a graph."""
    return function, tf.function(function)


def same(one, other) -> None:
    for a, b in zip(one, other, strict=True):
        assert_array_equal(a, b)


@pytest.fixture(autouse=True)
def by_the_kernels():
    before = kernel_calls()
    yield
    assert kernel_calls() > before, "the kernels did not run"


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("cell", CELLS, ids=str)
def test_results_and_gradients_are_those_of_the_equations(cell, dtype):
    rng = np.random.default_rng(2)
    options = {"lengths": LENGTHS, "resets": RESETS, "reverse": dtype is np.float64}
    arguments, cotangents = problem(cell, dtype)
    results, gradients = pulled(cell, arguments, [*cotangents.values()], **options)
    expected = expected_outputs(cell, arguments, rng, **options)
    for result, (value, tolerance) in zip(results, expected, strict=True):
        assert result.dtype == dtype
        assert np.abs(result.numpy() - value).max() <= tolerance
    found = {name: gradient.numpy() for name, gradient in gradients.items()}
    assert_gradients(cell, arguments, cotangents, found, rng, **options)


@pytest.mark.parametrize("cell", [CELLS_BY_NAME[name] for name in ("lstm", "gru", "rnn_tanh")])
def test_a_graph_gives_the_same_bits_whatever_sizes_it_knows(cell):
    arguments, cotangents = problem(cell)
    names, above = [*arguments], [*cotangents.values()]

    def train(*tensors):
        return pulled(cell, dict(zip(names, tensors, strict=True)), above)

    given = [tf.constant(array) for array in arguments.values()]
    expected = tf.nest.flatten(train(*given))
    unknown = [tf.TensorSpec([None] * tensor.shape.rank, tensor.dtype) for tensor in given]
    for signature in (None, unknown):
        same(expected, tf.nest.flatten(tf.function(train, input_signature=signature)(*given)))


def test_a_graph_knows_the_shapes_of_results():
    cell = CELLS_BY_NAME["lstm_projected"]
    arguments, _ = problem(cell, H=9)
    known = {name: array for name, array in arguments.items() if name not in ("x", "h0", "c0")}

    def shapes(*axes, **options):
        graph = tf.function(
            lambda x: run(CELLS_BY_NAME["lstm_projected"], {"x": x, **known}, **options)
        )
        of = graph.get_concrete_function(tf.TensorSpec(axes, tf.float32))
        return [shape.as_list() for shape in of.output_shapes]

    assert shapes(None, None, 7) == [[None, None, 6], [None, 6], [None, 9]]
    assert shapes(5, None, 7) == [[5, None, 6], [None, 6], [None, 9]]
    assert shapes(3, 5, 7, batch_first=True) == [[3, 5, 6], [3, 6], [3, 9]]
    run(LSTM, problem()[0])


def test_batch_first_is_a_view():
    arguments, (dy, *others) = problem()[0], problem()[1].values()
    results, gradients = pulled(LSTM, arguments, [dy, *others], resets=RESETS)
    turned = {**arguments, "x": arguments["x"].swapaxes(0, 1)}
    y, *states = pulled(
        LSTM, turned, [dy.swapaxes(0, 1), *others], resets=RESETS.T, batch_first=True
    )[0]
    same(results, [tf.transpose(y, (1, 0, 2)), *states])
    _, of_turned = pulled(
        LSTM, turned, [dy.swapaxes(0, 1), *others], resets=RESETS.T, batch_first=True
    )
    of_turned["x"] = tf.transpose(of_turned["x"], (1, 0, 2))
    same(gradients.values(), of_turned.values())


def test_factors_of_states_are_those_of_the_core():
    arguments, cotangents = problem()
    above = [*cotangents.values()]
    rng = np.random.default_rng(3)
    h, y = (3, 9), (5, 3, 9)
    factors = {
        "recurrent_mask": rng.uniform(0, 2, h).astype("f"),
        "kept_h": rng.uniform(size=y).astype("f"),
        "kept_c": rng.uniform(size=y).astype("f"),
    }
    found = pulled(LSTM, arguments, above, **factors)
    x, h0, c0 = (arguments[name] for name in ("x", "h0", "c0"))
    weights = tuple(arguments.get(name) for name in WEIGHTS)
    results = [np.empty(shape, "f") for shape in (y, h, h)]
    _core.forward("lstm", x, weights, h0, c0, None, None, tuple(factors.values()), *results)
    same(found[0], results)


@pytest.mark.parametrize("sizes", [{"T": 0}, {"B": 0}], ids=str)
def test_states_are_carried_where_there_is_nothing_to_do(sizes):
    arguments, cotangents = problem(**sizes)
    for function in twice(lambda: pulled(LSTM, arguments, [*cotangents.values()])):
        (y, h_n, c_n), gradients = function()
        assert y.shape == (*arguments["x"].shape[:2], 9)
        same((h_n, c_n), (arguments["h0"], arguments["c0"]))
        assert_array_equal(gradients["h0"], cotangents["dh_n"])
        assert not np.any(gradients["w_hh"])


def test_only_gradients_that_are_asked_for_are_made():
    arguments, _ = problem()
    weights = tf.Variable(arguments["w_hh"])

    @tf.function
    def train(x):
        with tf.GradientTape() as tape:
            y, *_ = run(LSTM, {**arguments, "x": x, "w_hh": weights})
        return tape.gradient(y, weights)

    x = tf.constant(arguments["x"])
    train(x)
    nodes = train.get_concrete_function(x).graph.get_operations()
    (backward,) = (node for node in nodes if node.type == "RnnfastBackward")
    assert len(backward.outputs) == 1


def test_a_pass_that_did_not_save_has_a_gradient_too():
    arguments, cotangents = problem()
    dy = cotangents["dy"]
    _, expected = pulled(LSTM, arguments, [dy, 0, 0])
    with tf.Graph().as_default():  # where no tape is seen
        tensors = {name: tf.constant(array) for name, array in arguments.items()}
        y, *_ = run(LSTM, tensors)
        assert y.op.type == "RnnfastForward"
        gradients = tf.gradients(y, [*tensors.values()], dy)
        with tf.compat.v1.Session() as session:
            same(expected.values(), session.run(gradients))


def test_a_loop_of_a_graph_may_hold_it():
    arguments, _ = problem()
    x = tf.constant(arguments["x"])

    def chunks(x, steps=None):
        h, c = (tf.constant(arguments[name]) for name in ("h0", "c0"))
        for step in steps or tf.range(5):
            _, h, c = run(LSTM, {**arguments, "x": x[step : step + 1], "h0": h, "c0": c})
        return h

    found = []
    for function in (tf.function(chunks), lambda x: chunks(x, range(5))):
        with tf.GradientTape() as tape:
            tape.watch(x)
            h = function(x)
        found.append([h, tape.gradient(h, x)])
    same(*found)


def test_jacobians_are_made_row_by_row():
    arguments, _ = problem()
    x = tf.constant(arguments["x"])
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(x)
        h_n = run(LSTM, {**arguments, "x": x})[1]
        one = h_n[1, 2]
    assert_array_equal(tape.jacobian(h_n, x)[1, 2], tape.gradient(one, x))


def test_threads_that_call_at_once_get_the_same():
    arguments, cotangents = problem(T=50, B=16, I=32, H=48)
    train = tf.function(lambda: pulled(LSTM, arguments, [*cotangents.values()]))
    expected = tf.nest.flatten(train())
    found = [[] for _ in range(6)]

    def call(results):
        for _ in range(5):
            results.append(tf.nest.flatten(train()))

    threads = [threading.Thread(target=call, args=(results,)) for results in found]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for results in found:
        assert len(results) == 5
        for result in results:
            same(expected, result)


def test_a_call_of_seconds_asks_nobody_for_pythons_lock():
    arguments, _ = problem(T=100, B=64, I=256, H=512)  # long enough to ask for interrupts
    for function in twice(lambda: run(LSTM, arguments)[1]):
        assert np.isfinite(function()).all()


def test_a_saved_model_gives_the_same_and_can_be_trained(tmp_path):
    arguments, _ = problem()

    class Model(tf.Module):
        def __init__(self):
            self.weights = {name: tf.Variable(arguments[name]) for name in WEIGHTS[:4]}

        @tf.function(input_signature=[tf.TensorSpec([None, None, 7], tf.float32)])
        def __call__(self, x):
            return run(LSTM, {"x": x, **self.weights})[0]

    model, x = Model(), tf.constant(arguments["x"])
    tf.saved_model.save(model, str(tmp_path))
    code = (
        "import sys, tensorflow as tf, rnnfast.interop.tensorflow\n"
        "y = tf.saved_model.load(sys.argv[1])(tf.zeros((2, 3, 7)))\n"
        "print(y.shape)"
    )
    command = [sys.executable, "-c", code, str(tmp_path)]
    elsewhere = subprocess.run(command, capture_output=True, text=True, check=True)
    assert elsewhere.stdout == "(2, 3, 9)\n"
    loaded = tf.saved_model.load(str(tmp_path))
    gradients = []
    for one in (model, loaded):
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = one(x)
        gradients += [y, tape.gradient(y, x)]
    same(gradients[:2], gradients[2:])


@pytest.mark.parametrize("dtype", DTYPES)
def test_numpy_function_gives_the_same(dtype, monkeypatch):
    arguments, cotangents = problem(dtype=dtype)
    above = [*cotangents.values()]
    ways = [
        {"lengths": LENGTHS},
        {"recurrent_mask": arguments["h0"], "reverse": True, "truncate": 2},
    ]
    expected = [pulled(LSTM, arguments, above, **way) for way in ways]
    monkeypatch.setattr(_recurrence, "operations", lambda: None)
    calls = _numpy_function.kernel_calls()
    for way, one in zip(ways, expected, strict=True):
        for function in twice(lambda way=way: pulled(LSTM, arguments, above, **way)):
            same(tf.nest.flatten(one), tf.nest.flatten(function()))
    assert _numpy_function.kernel_calls() - calls == 2 * 2 * 2  # in two ways, back and forth


@pytest.mark.parametrize("ours", [True, False], ids=["operations", "numpy_function"])
def test_second_derivatives_are_refused(ours, monkeypatch):
    if not ours:
        monkeypatch.setattr(_recurrence, "operations", lambda: None)
    arguments, _ = problem()
    x = tf.constant(arguments["x"])
    with tf.GradientTape() as outer:
        outer.watch(x)
        with tf.GradientTape() as inner:
            inner.watch(x)
            y, *_ = run(LSTM, {**arguments, "x": x})
        slope = inner.gradient(y, x)
    with pytest.raises(NotImplementedError, match="no second derivatives"):
        outer.gradient(slope, x)
