"""What rnnfast.interop.onnx says of a model, what it leaves, and the weights that it loads."""

import importlib.util
import subprocess
import sys
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import helper, numpy_helper

import rnnfast
from interop.onnx_models import (
    assert_alike,
    model,
    model_of,
    operands,
    run_by_host,
    value,
)
from rnnfast.interop.onnx import (
    InferenceSession,
    _nodes,
    _protobuf,
    _session,
    kernel_calls,
    library,
    load,
    patched,
    report,
)

SILERO = importlib.util.find_spec("silero_vad")


@pytest.fixture(autouse=True)
def nothing_said(monkeypatch):
    monkeypatch.setattr(_session, "_said", set())


def half_model():
    """A model whose arrays are of float16, which ONNX Runtime casts."""
    arrays = {name: array.astype(np.float16) for name, array in operands("GRU").items()}
    return model_of("GRU", arrays, hidden_size=6)


def tanh_gates_and_peepholes():
    """What has no cell: a forget gate that is 1 - i, where i may be anything, beside peepholes."""
    arrays = operands("LSTM", there=("B", "P"))
    names = ["Tanh", "Tanh", "Tanh"]
    return model_of("LSTM", arrays, hidden_size=6, input_forget=1, activations=names)


@pytest.mark.parametrize(
    ("built", "reason"),
    [
        (half_model, "its weights are of float16"),
        (tanh_gates_and_peepholes, "input_forget beside peepholes needs a first activation"),
    ],
)
def test_what_has_no_kernel_is_left_and_said_once(built, reason):
    built, feeds = built()
    before = kernel_calls()
    with pytest.warns(UserWarning, match=f"ONNX Runtime runs .*{reason}") as said:
        sessions = [InferenceSession(built.SerializeToString()) for _ in range(2)]
    assert len(said) == 1
    assert reason in report(sessions[0]).left["node"]
    assert reason in str(report(sessions[1]))
    assert_alike(sessions[0].run(None, feeds), run_by_host(built, feeds), 0)
    assert kernel_calls() == before


def test_other_providers_are_left():
    built, _ = model_of("GRU", operands("GRU"), hidden_size=6)
    with pytest.warns(UserWarning, match="it is for CUDAExecutionProvider"):
        left = _session._look_through(
            built.SerializeToString(), ["CUDAExecutionProvider", "CPUExecutionProvider"]
        )
        _session._say_left(left.left["node"])
    assert left.left == {"node": "it is for CUDAExecutionProvider"}


def test_one_node_that_is_left_leaves_all():
    arrays = operands("GRU")
    halves = {name: array.astype(np.float16) for name, array in arrays.items()}
    node = helper.make_node("GRU", ["X", "W", "R"], ["Y"], name="whole", hidden_size=6)
    half = helper.make_node("GRU", ["Xh", "Wh", "Rh"], ["Yh"], name="half", hidden_size=6)
    graph = helper.make_graph(
        [node, half],
        "graph",
        [value("X", arrays["X"], [5, 3, 4]), value("Xh", halves["X"], [5, 3, 4])],
        [value("Y", arrays["X"]), value("Yh", halves["X"])],
        [numpy_helper.from_array(arrays[name], name) for name in ("W", "R")]
        + [numpy_helper.from_array(halves[name], f"{name}h") for name in ("W", "R")],
    )
    with pytest.warns(UserWarning):
        session = InferenceSession(model(graph).SerializeToString())
    assert report(session).left == {
        "whole": "half is left",
        "half": "its weights are of float16",
    }


def test_options_go_with_several_sessions_of_models_that_run_here():
    options = onnxruntime.SessionOptions()
    for op_type in ("LSTM", "GRU"):
        built, feeds = model_of(op_type, operands(op_type), hidden_size=6)
        session = InferenceSession(built.SerializeToString(), options)
        before = kernel_calls()
        assert_alike(session.run(None, feeds), run_by_host(built, feeds))
        assert kernel_calls() == before + 1
    left, _ = half_model()
    with pytest.warns(UserWarning), pytest.raises(ValueError, match="sess_options must be new"):
        InferenceSession(left.SerializeToString(), options)


def test_sessions_that_others_make():
    built, feeds = model_of("LSTM", operands("LSTM"), hidden_size=6)
    data = built.SerializeToString()
    own_init = onnxruntime.InferenceSession.__init__
    with patched(), patched():
        theirs = onnxruntime.InferenceSession(data, providers=["CPUExecutionProvider"])
        ours = InferenceSession(data)
    assert onnxruntime.InferenceSession.__init__ is own_init
    assert type(theirs) is onnxruntime.InferenceSession
    for session in (theirs, ours):
        assert report(session).swapped == {"node": "LSTM"}
        before = kernel_calls()
        session.run(None, feeds)
        assert kernel_calls() == before + 1
    with pytest.raises(ValueError, match=r"session must be one of rnnfast\.interop\.onnx"):
        report(onnxruntime.InferenceSession(data))


def test_the_library_by_itself():
    built, feeds = model_of("RNN", operands("RNN"), hidden_size=6)
    options = onnxruntime.SessionOptions()
    options.register_custom_ops_library(library())
    session = onnxruntime.InferenceSession(built.SerializeToString(), options)
    before = kernel_calls()
    assert_alike(session.run(None, feeds), run_by_host(built, feeds))
    assert kernel_calls() == before + 1


@pytest.mark.parametrize(
    ("attributes", "message"),
    [
        ({"activations": ["Tanh", "Sigmoid", "Gelu"]}, "activations must be of Affine.*got Gelu"),
        ({"activations": ["Tanh"]}, "activations must be 3, got 1"),
        ({"clip": -1.0}, "clip must be above 0, got -1"),
        (
            {"clip": 1.0, "activations": ["LeakyRelu"] * 3, "activation_alpha": [-0.5]},
            "clip beside LeakyRelu needs an activation_alpha of at least 0, got -0.5",
        ),
    ],
)
def test_attributes_that_are_none(attributes, message):
    """Whoever registers by himself hears it from the kernel; a session of ours leaves it."""
    built, _ = model_of("LSTM", operands("LSTM"), hidden_size=6, **attributes)
    options = onnxruntime.SessionOptions()
    options.register_custom_ops_library(library())
    with pytest.raises(Exception, match=f"rnnfast, LSTM node: {message}"):
        onnxruntime.InferenceSession(built.SerializeToString(), options)


@pytest.mark.parametrize("damage", [b"", b"not a model", b"\x3a\xff\xff\xff\xff\x7f"])
def test_what_is_no_model_is_for_the_host_to_say(damage, tmp_path):
    path = tmp_path / "model.onnx"
    path.write_bytes(damage)
    for given in (str(path), damage):
        with pytest.raises(Exception, match=r"(?i)onnxruntime|load"):
            InferenceSession(given)
    with pytest.raises(Exception, match=r"(?i)no such file|exist"):
        InferenceSession(str(tmp_path / "none.onnx"))


def test_a_model_that_was_cut_off_is_no_model():
    built, _ = model_of("LSTM", operands("LSTM"), hidden_size=6)
    data = built.SerializeToString()
    (whole,) = _nodes.recurrent_nodes(memoryview(data))
    assert (whole.name, whole.op_type, whole.weight_type) == ("node", "LSTM", "float32")
    assert whole.attributes == {"hidden_size": 6}
    for end in range(len(data) - 1):
        try:
            _nodes.recurrent_nodes(memoryview(data)[:end])
        except ValueError:
            continue


def test_numbers_in_a_model():
    message = onnx.AttributeProto(name="clip", f=-0.5, i=-3, floats=[1.5, -2.5], strings=[b"a"])
    found = list(_protobuf.fields(memoryview(message.SerializeToString())))
    by_number = dict(found)
    assert _protobuf.text(by_number[1]) == "clip"
    assert _protobuf.floats(by_number[2]) == [-0.5]
    assert _protobuf.number(by_number[3]) == -3
    assert [one for number, v in found if number == 7 for one in _protobuf.floats(v)] == [1.5, -2.5]


# --- load -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("op_type", "there", "attributes"),
    [
        ("LSTM", ("B",), {}),
        ("LSTM", ("B", "P"), {"direction": "bidirectional"}),
        ("LSTM", (), {"input_forget": 1, "direction": "reverse"}),
        ("LSTM", ("B",), {"activations": ["HardSigmoid", "Elu", "Softsign"]}),
        ("GRU", ("B",), {"direction": "bidirectional"}),
        ("GRU", ("B",), {"linear_before_reset": 1, "clip": 0.5}),
        ("RNN", ("B",), {"activations": ["Relu"]}),
        ("RNN", (), {"activations": ["LeakyRelu"], "activation_alpha": [0.3]}),
    ],
)
def test_loaded_weights_compute_what_the_node_does(op_type, there, attributes, tmp_path):
    both = attributes.get("direction") == "bidirectional"
    arrays = operands(op_type, there=there, directions=2 if both else 1, seed=11)
    built, feeds = model_of(op_type, arrays, hidden_size=6, **attributes)
    path = tmp_path / "model.onnx"
    onnx.save(built, path)
    loaded = load(path)["node"]
    y, state, *_ = loaded.prepack()(arrays["X"], batch_first=loaded.batch_first)
    wanted, y_h, *_ = run_by_host(built, feeds)
    np.testing.assert_allclose(y, wanted.swapaxes(1, 2).reshape(y.shape), atol=2e-6)
    np.testing.assert_allclose(state, y_h.reshape(state.shape), atol=2e-6)


def test_weights_that_exporters_slice_and_join_are_loaded():
    """Constants that nodes make of constants, as torch.onnx writes them."""
    arrays = operands("GRU", there=())
    parts = np.split(arrays["W"][0], 3)
    names = [f"part{i}" for i in range(3)]
    axis = numpy_helper.from_array(np.array([0]), "axis")
    graph = helper.make_graph(
        [
            helper.make_node("Concat", names, ["joined"], axis=0),
            helper.make_node("Unsqueeze", ["joined", "axis"], ["W"]),
            helper.make_node("GRU", ["X", "W", "R"], ["Y"], hidden_size=6),
        ],
        "graph",
        [value("X", arrays["X"], [5, 3, 4])],
        [value("Y", arrays["X"])],
        [
            axis,
            numpy_helper.from_array(arrays["R"], "R"),
            *(numpy_helper.from_array(*both) for both in zip(parts, names, strict=True)),
        ],
    )
    plain, _ = model_of("GRU", arrays, hidden_size=6)
    found, wanted = load(model(graph))["GRU"].arguments, load(plain)["node"].arguments
    assert found.keys() == wanted.keys()
    np.testing.assert_array_equal(found["w_ih"], wanted["w_ih"])


def test_weights_that_are_no_constants_are_not_loaded():
    built, _ = model_of("GRU", operands("GRU"), constant=("R", "B"), hidden_size=6)
    with pytest.raises(ValueError, match="W of node must be a constant, got W, which depends on"):
        load(built)


def test_directions_with_other_activations_are_not_loaded():
    arrays = operands("RNN", directions=2)
    names = ["Tanh", "Relu"]
    built, _ = model_of("RNN", arrays, hidden_size=6, direction="bidirectional", activations=names)
    with pytest.raises(ValueError, match="activations of node must be alike in both directions"):
        load(built)


def test_loading_needs_no_onnxruntime():
    program = (
        "import sys, rnnfast.interop.onnx as o; o.load; assert 'onnxruntime' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


# --- silero-vad -----------------------------------------------------------------------------------


def silero(name):
    """The path of one of its models, which nobody need import."""
    if SILERO is None:
        pytest.skip("no package silero_vad of the extra hosts")
    return Path(SILERO.submodule_search_locations[0]) / "data" / name


def silero_inputs(session, frames=8, seed=0):
    """Random samples and states for whichever of its models."""
    rng = np.random.default_rng(seed)
    shapes = {"sequence": (frames, 576), "input": (1, 576), "state": (2, 1, 128)}
    feeds = {}
    for one in session.get_inputs():
        if one.name == "sr":
            feeds[one.name] = np.array(16000, np.int64)
        elif one.name in ("h", "c"):
            feeds[one.name] = np.zeros((1, 1, 128), np.float32)
        else:
            per_sequence = one.shape[0] == "sequence_length"
            shape = shapes["sequence" if per_sequence else one.name]
            feeds[one.name] = 0.1 * rng.standard_normal(shape).astype(np.float32)
    return feeds


@pytest.mark.parametrize(
    ("name", "nodes"),
    [
        ("silero_vad.onnx", 4),
        ("silero_vad_16k_op15.onnx", 2),
        ("silero_vad_16k_sequence.onnx", 1),
        ("silero_vad_half.onnx", 2),
        ("silero_vad_openvino_16k.onnx", 1),
    ],
)
def test_models_of_silero(name, nodes):
    """Voice activity, with the LSTM in both branches of an If, at its top, in one sequence."""
    path = silero(name)
    ours = InferenceSession(path)
    assert len(report(ours).swapped) == nodes
    options = onnxruntime.SessionOptions()
    theirs = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    before = kernel_calls()
    feeds = silero_inputs(ours)
    for _ in range(3):
        found, wanted = ours.run(None, feeds), theirs.run(None, feeds)
        assert_alike(found, wanted, 1e-5)
        if "state" in feeds:
            feeds["state"] = wanted[-1]
    assert kernel_calls() >= before + 3
    assert len(load(path)) == nodes


def test_weights_of_silero_run_without_a_session():
    path = silero("silero_vad_16k_sequence.onnx")
    (cell,) = (node.prepack() for node in load(path).values())
    x = np.random.default_rng(1).standard_normal((20, 1, cell.input_size)).astype(np.float32)
    assert isinstance(cell(x), rnnfast.LSTMOutput)
