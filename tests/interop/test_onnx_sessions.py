"""Sessions of ONNX Runtime with our operators beside sessions without: the same numbers."""

import itertools
import threading

import numpy as np
import onnx
import onnxruntime
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import helper, numpy_helper

from interop.onnx_models import (
    GATES,
    OUTPUTS,
    WEIGHTS,
    assert_alike,
    model,
    model_of,
    node_of,
    operands,
    run_by_host,
    run_by_kernels,
    value,
)
from rnnfast import _core
from rnnfast.interop.onnx import InferenceSession, kernel_calls
from rnnfast.testing.plans import forced_plan

ACTIVATIONS = (
    "Affine", "Relu", "LeakyRelu", "ThresholdedRelu", "Tanh", "ScaledTanh", "Sigmoid",
    "HardSigmoid", "Elu", "Softsign", "Softplus",
)  # fmt: skip
CHOSEN = {"LSTM": 3, "GRU": 2, "RNN": 1}


@pytest.mark.parametrize("opset", [7, 14, 22])
@pytest.mark.parametrize("op_type", GATES)
def test_opsets(op_type, opset):
    built, feeds = model_of(op_type, operands(op_type), opset=opset, hidden_size=6)
    assert_alike(run_by_kernels(built, feeds), run_by_host(built, feeds))


@pytest.mark.parametrize("op_type", GATES)
def test_outputs_in_any_combination(op_type):
    arrays = operands(op_type, there=("sequence_lens",), directions=2, seed=1)
    full, feeds = model_of(op_type, arrays, hidden_size=6, direction="bidirectional")
    everything = run_by_kernels(full, feeds)
    count = len(everything)
    for wanted in itertools.product((True, False), repeat=count):
        if not any(wanted):
            continue
        names = [name if want else "" for name, want in zip(OUTPUTS, wanted, strict=False)]
        built, feeds = model_of(
            op_type, arrays, outputs=names, hidden_size=6, direction="bidirectional"
        )
        found = run_by_kernels(built, feeds)
        kept = [one for one, want in zip(everything, wanted, strict=True) if want]
        assert_alike(found, kept, 0)


@pytest.mark.parametrize("name", ACTIVATIONS)
@pytest.mark.parametrize("op_type", GATES)
def test_activations(op_type, name):
    """With the numbers that a node gives, and with those that are left out."""
    arrays = operands(op_type, seed=2, steps=3)
    names = [name] * CHOSEN[op_type]
    for numbers in ({}, {"activation_alpha": [0.3, 0.6, 0.9], "activation_beta": [0.2, 0.4, 0.5]}):
        built, feeds = model_of(op_type, arrays, hidden_size=6, activations=names, **numbers)
        assert_alike(run_by_kernels(built, feeds), run_by_host(built, feeds), 1e-5)


@st.composite
def nodes(draw):
    """An operator, how its arrays are drawn, and attributes, all such as ONNX Runtime has too."""
    op_type = draw(st.sampled_from(sorted(GATES)))
    direction = draw(st.sampled_from(["forward", "reverse", "bidirectional"]))
    directions = 2 if direction == "bidirectional" else 1
    optional = ["B", "sequence_lens", "initial_h"]
    optional += ["initial_c", "P"] if op_type == "LSTM" else []
    sizes = {
        "seed": draw(st.integers(0, 99)),
        "steps": draw(st.integers(1, 12)),
        "rows": draw(st.integers(1, 9)),
        "inputs": draw(st.integers(1, 9)),
        "units": draw(st.integers(1, 40)),
        "directions": directions,
        "there": tuple(name for name in optional if draw(st.booleans())),
    }
    attributes = {"direction": direction, "hidden_size": sizes["units"]}
    if draw(st.booleans()):
        attributes["clip"] = draw(st.sampled_from([0.1, 1.0, 50.0]))
    if op_type == "GRU":
        attributes["linear_before_reset"] = draw(st.integers(0, 1))
    if op_type == "LSTM":
        attributes["input_forget"] = draw(st.integers(0, 1))
    if draw(st.booleans()):
        count = CHOSEN[op_type] * directions
        # Those that do not grow from step to step, nor jump, nor are odd beside peepholes.
        first = st.just("Sigmoid") if op_type == "LSTM" else st.sampled_from(("Sigmoid", "Tanh"))
        others = st.sampled_from(("Tanh", "Sigmoid", "Softsign", "HardSigmoid"))
        attributes["activations"] = [
            draw(first if i % CHOSEN[op_type] == 0 else others) for i in range(count)
        ]
    constant = draw(st.sampled_from([WEIGHTS, ("W",), ()]))
    return op_type, sizes, attributes, constant


@settings(max_examples=60)
@given(nodes())
def test_random_nodes(drawn):
    op_type, sizes, attributes, constant = drawn
    built, feeds = model_of(op_type, operands(op_type, **sizes), constant=constant, **attributes)
    assert_alike(run_by_kernels(built, feeds), run_by_host(built, feeds), 1e-5)


@pytest.mark.parametrize("directions", [1, 2])
@pytest.mark.parametrize("op_type", GATES)
def test_batch_first(op_type, directions):
    """ONNX Runtime lacks layout 1: it is layout 0 with axes exchanged."""
    there = ("B", "sequence_lens", "initial_h") + (("initial_c",) if op_type == "LSTM" else ())
    arrays = operands(op_type, there=there, directions=directions, layout=1, seed=3)
    direction = "bidirectional" if directions == 2 else "forward"
    built, feeds = model_of(op_type, arrays, opset=14, hidden_size=6, direction=direction, layout=1)
    y, *states = run_by_kernels(built, feeds)
    moved = {
        name: np.ascontiguousarray(array.swapaxes(0, 1))
        if name in ("X", "initial_h", "initial_c")
        else array
        for name, array in arrays.items()
    }
    plain, feeds = model_of(op_type, moved, opset=14, hidden_size=6, direction=direction)
    found = [y.transpose(1, 2, 0, 3), *(state.swapaxes(0, 1) for state in states)]
    assert_alike(found, run_by_host(plain, feeds))
    without_y, feeds = model_of(
        op_type, arrays, opset=14, outputs=["", "Y_h"], hidden_size=6, direction=direction, layout=1
    )
    assert_alike(run_by_kernels(without_y, feeds), states[:1], 0)


@pytest.mark.parametrize("op_type", GATES)
def test_double(op_type):
    """ONNX Runtime has it in floats alone."""
    arrays = operands(op_type, dtype=np.float64, seed=4, there=("B", "initial_h"))
    built, feeds = model_of(op_type, arrays, hidden_size=6)
    found = run_by_kernels(built, feeds)
    assert all(one.dtype == np.float64 for one in found)
    singles = {name: array.astype(np.float32) for name, array in arrays.items()}
    single, single_feeds = model_of(op_type, singles, hidden_size=6)
    assert_alike(found, run_by_host(single, single_feeds), 1e-5)


def test_a_pass_without_steps_or_rows():
    for sizes, wanted in (({"steps": 0}, (0, 1, 3, 6)), ({"rows": 0}, (5, 1, 0, 6))):
        arrays = operands("LSTM", there=("B", "initial_h", "initial_c"), **sizes)
        built, feeds = model_of("LSTM", arrays, hidden_size=6)
        y, y_h, y_c = run_by_kernels(built, feeds)
        assert y.shape == wanted
        assert not y_h.any() and not y_c.any()


def test_weights_that_change_are_packed_anew():
    arrays = operands("LSTM", seed=5)
    built, feeds = model_of("LSTM", arrays, constant=(), hidden_size=6)
    session = InferenceSession(built.SerializeToString())
    for _ in range(2):
        for name in ("W", "R", "B"):
            feeds[name] = feeds[name].copy()
            feeds[name].ravel()[-1] += 0.5
            assert_alike(session.run(None, feeds), run_by_host(built, feeds))


def test_an_initializer_that_a_caller_may_replace():
    """An input with a value to begin with is no constant."""
    arrays = operands("GRU", seed=12)
    built, feeds = model_of("GRU", arrays, hidden_size=6)
    built.graph.input.append(value("W", arrays["W"], arrays["W"].shape))
    session = InferenceSession(built.SerializeToString())
    for factor in (1, 2, 1):
        given = {**feeds, "W": factor * arrays["W"]}
        assert_alike(session.run(None, given), run_by_host(built, given))
        assert_alike(session.run(None, feeds), run_by_host(built, feeds))


def test_size_of_the_state_may_be_left_to_the_weights():
    arrays = operands("GRU", seed=6)
    built, feeds = model_of("GRU", arrays)
    given, _ = model_of("GRU", arrays, hidden_size=6)
    assert_alike(run_by_kernels(built, feeds), run_by_host(given, feeds))


def body(arrays, **attributes):
    """A graph whose only node has its weights within, and X from around it."""
    return helper.make_graph(
        [node_of("LSTM", arrays, ("Y",), hidden_size=6, **attributes)],
        "body",
        [],
        [value("Y", arrays["X"])],
        [numpy_helper.from_array(arrays[name], name) for name in ("W", "R", "B")],
    )


def test_bodies_of_if():
    arrays = operands("LSTM", seed=7)
    graph = helper.make_graph(
        [
            helper.make_node(
                "If",
                ["forward"],
                ["result"],
                then_branch=body(arrays),
                else_branch=body(arrays, direction="reverse"),
            )
        ],
        "graph",
        [value("X", arrays["X"], arrays["X"].shape), value("forward", np.True_, [])],
        [value("result", arrays["X"])],
    )
    built = model(graph)
    for forward in (True, False):
        feeds = {"X": arrays["X"], "forward": np.array(forward)}
        assert_alike(run_by_kernels(built, feeds), run_by_host(built, feeds))


def test_bodies_of_loop():
    arrays = operands("GRU", seed=8, inputs=4, units=6)
    weights = [numpy_helper.from_array(arrays[name], name) for name in ("W", "R", "B")]
    state = np.zeros((1, 3, 6), np.float32)
    node = helper.make_node(
        "GRU", ["X", "W", "R", "B", "", "h"], ["", "h_next"], name="node", hidden_size=6
    )
    keep_on = helper.make_node("Identity", ["on"], ["on_next"])
    inside = helper.make_graph(
        [node, keep_on],
        "inside",
        [value("i", np.int64(0), []), value("on", np.True_, []), value("h", state, [1, 3, 6])],
        [value("on_next", np.True_, []), value("h_next", state, [1, 3, 6])],
        weights,
    )
    graph = helper.make_graph(
        [helper.make_node("Loop", ["count", "", "h0"], ["h_n"], body=inside)],
        "graph",
        [value("X", arrays["X"], arrays["X"].shape), value("h0", state, [1, 3, 6])],
        [value("h_n", state)],
        [numpy_helper.from_array(np.int64(3), "count")],
    )
    built = model(graph)
    feeds = {"X": arrays["X"], "h0": state}
    before = kernel_calls()
    found = InferenceSession(built.SerializeToString()).run(None, feeds)
    assert kernel_calls() == before + 3
    assert_alike(found, run_by_host(built, feeds))


@pytest.mark.parametrize("directions", [1, 2])
@pytest.mark.parametrize("rows", [1, 16])
def test_threads_of_the_host_change_no_bit(rows, directions):
    """A plan for several, whoever of the pool comes."""
    sizes = {"rows": rows, "steps": 20, "inputs": 32, "units": 64, "directions": directions}
    arrays = operands("LSTM", seed=9, **sizes)
    direction = "bidirectional" if directions == 2 else "forward"
    built, feeds = model_of("LSTM", arrays, hidden_size=64, direction=direction)
    for of_pool in (1, 2):
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = of_pool
        session = InferenceSession(built.SerializeToString(), options)
        wanted = session.run(None, feeds)
        for threads in (2, 3):
            with forced_plan(threads=threads):
                for _ in range(20):
                    assert_alike(session.run(None, feeds), wanted, 0)
                    assert _core.last_plan()["threads"] == threads or directions == 2


def test_calls_of_a_session_at_once():
    arrays = operands("LSTM", seed=10, rows=4, units=32)
    built, feeds = model_of("LSTM", arrays, constant=("W", "R"), hidden_size=32)
    session = InferenceSession(built.SerializeToString())
    others = [{**feeds, "B": feeds["B"] * factor} for factor in (1, 2, 3, 4)]
    wanted = [session.run(None, one) for one in others]
    failures = []

    def call(number):
        try:
            for _ in range(50):
                assert_alike(session.run(None, others[number]), wanted[number], 0)
        except AssertionError as error:
            failures.append(error)

    threads = [threading.Thread(target=call, args=(number,)) for number in range(len(others))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures


@pytest.mark.parametrize(
    ("name", "shape", "message"),
    [
        ("X", (5, 3, 7), r"X must have 3 axes, the last of 4 as W has, got the shape \(5, 3, 7\)"),
        ("initial_h", (1, 2, 6), r"initial_h must have the shape \(1, 3, 6\), got \(1, 2, 6\)"),
        ("initial_c", (2, 3, 6), r"initial_c must have the shape \(1, 3, 6\), got \(2, 3, 6\)"),
        ("W", (1, 24, 3), r"X must have 3 axes, the last of 3"),
        ("R", (1, 24, 5), r"R must have the shape \(1, 24, 6\), got \(1, 24, 5\)"),
        ("B", (1, 24), r"B must have the shape \(1, 48\), got \(1, 24\)"),
        ("P", (1, 6), r"P must have the shape \(1, 18\), got \(1, 6\)"),
    ],
)
def test_arrays_that_do_not_fit(name, shape, message):
    arrays = operands("LSTM", there=("B", "initial_h", "initial_c", "P"))
    built, feeds = model_of("LSTM", arrays, constant=(), hidden_size=6)
    session = InferenceSession(built.SerializeToString())
    wanted = session.run(None, feeds)
    with pytest.raises(Exception, match=f"rnnfast, LSTM node: {message}"):
        session.run(None, {**feeds, name: np.zeros(shape, np.float32)})
    assert_alike(session.run(None, feeds), wanted, 0)


@pytest.mark.parametrize("length", [-1, 6])
def test_lengths_that_do_not_fit(length):
    arrays = operands("RNN", there=("sequence_lens",))
    arrays["sequence_lens"][1] = length
    built, feeds = model_of("RNN", arrays, hidden_size=6)
    session = InferenceSession(built.SerializeToString())
    with pytest.raises(Exception, match=f"from 0 to 5, the steps of X, got {length} at row 1"):
        session.run(None, feeds)


def test_a_model_is_not_changed(tmp_path):
    arrays = operands("GRU")
    built, feeds = model_of("GRU", arrays, hidden_size=6)
    path = tmp_path / "model.onnx"
    onnx.save(built, path)
    before = path.read_bytes()
    found = InferenceSession(path).run(None, feeds)
    assert path.read_bytes() == before
    assert_alike(found, run_by_host(built, feeds))
