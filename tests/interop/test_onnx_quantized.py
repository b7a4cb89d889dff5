"""DynamicQuantizeLSTM nodes as cells of whole numbers."""

import warnings

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import helper, numpy_helper
from onnxruntime.quantization import QuantType, quantize_dynamic

from interop.onnx_models import model_of, operands, value
from rnnfast.interop.onnx import InferenceSession, _session, kernel_calls, load, report

ORDER = (0, 3, 1, 2)  # ONNX's gates i o f c among ours
# Of one row ONNX Runtime's one scale is ours but for h, which it scales by its largest number.
AGREEMENT = 2.0**-5


def node(directions=1, per_row=True, without_sign=False, inputs=5, units=6, **changes):
    """A model of one node, and its arrays."""
    rng = np.random.default_rng(0)
    rows = 4 * units
    kind = np.uint8 if without_sign else np.int8
    scales = (directions, rows) if per_row else (directions,)
    arrays = {}
    for name, columns in (("W", inputs), ("R", units)):
        shape = (directions, columns, rows)
        arrays[name] = rng.integers(*((0, 256) if without_sign else (-127, 128)), shape, kind)
        arrays[f"{name}_scale"] = rng.uniform(1e-3, 4e-3, scales).astype(np.float32)
        arrays[f"{name}_zero_point"] = np.full(scales, 128 if without_sign else 0, kind)
    arrays["B"] = rng.uniform(-1, 1, (directions, 2 * rows)).astype(np.float32)
    arrays |= changes
    places = ["x", "W", "R", "B", "", "", "", ""]
    places += ["W_scale", "W_zero_point", "R_scale", "R_zero_point"]
    made = helper.make_node(
        "DynamicQuantizeLSTM",
        places,
        ["y"],
        name="encoder",
        domain="com.microsoft",
        hidden_size=units,
        direction="bidirectional" if directions == 2 else "forward",
    )
    x = rng.standard_normal((9, 1, inputs)).astype(np.float32)
    graph = helper.make_graph(
        [made],
        "graph",
        [value("x", x, x.shape)],
        [value("y", x)],
        [numpy_helper.from_array(array, name) for name, array in arrays.items()],
    )
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid("com.microsoft", 1)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=8), arrays, x


def run_by_host(model, x):
    session = onnxruntime.InferenceSession(model.SerializeToString())
    y = session.run(None, {session.get_inputs()[0].name: x})[0]
    return y.swapaxes(1, 2).reshape(*y.shape[:1], y.shape[2], -1)


@pytest.mark.parametrize("directions", [1, 2])
@pytest.mark.parametrize("per_row", [True, False])
@pytest.mark.parametrize("without_sign", [True, False])
def test_a_node_is_a_cell_of_its_whole_numbers(directions, per_row, without_sign):
    model, arrays, x = node(directions, per_row, without_sign)
    (found,) = load(model).values()
    assert found.op_type == "DynamicQuantizeLSTM"
    cell = found.prepack()
    assert cell.precision == "int8"
    assert cell.bidirectional == (directions == 2)
    np.testing.assert_allclose(cell(x).y, run_by_host(model, x), rtol=0, atol=AGREEMENT)
    w_ih = found.arguments["w_ih"][0] if directions == 2 else found.arguments["w_ih"]
    values = arrays["W"][0].T.astype(int) - (128 if without_sign else 0)
    gates = np.split(values, 4)
    np.testing.assert_array_equal(w_ih.values, np.concatenate([gates[i] for i in (0, 2, 3, 1)]))


@pytest.mark.parametrize("per_channel", [True, False])
def test_what_onnxruntimes_tool_makes(tmp_path, per_channel):
    model, feeds = model_of("LSTM", operands("LSTM", there=("B",)), outputs=("Y",), hidden_size=6)
    onnx.save(model, tmp_path / "float.onnx")
    quantize_dynamic(
        tmp_path / "float.onnx",
        tmp_path / "int8.onnx",
        per_channel=per_channel,
        weight_type=QuantType.QInt8,
    )
    quantized = onnx.load(tmp_path / "int8.onnx")
    (found,) = load(quantized).values()
    x = feeds["X"][:, :1].copy()
    want = onnxruntime.InferenceSession(quantized.SerializeToString()).run(None, {"X": x})[0]
    np.testing.assert_allclose(found.prepack()(x).y, want[:, 0], rtol=0, atol=AGREEMENT)


def test_numbers_that_do_not_fit_into_signed_bytes_are_refused():
    zeros = np.full((1, 24), 7, np.uint8)
    model, *_ = node(without_sign=True, W_zero_point=zeros)
    with pytest.raises(ValueError, match="weights of encoder: values - zero_point must"):
        load(model)


def sessions_of(made, **kwargs):
    """A model's session, on the kernels."""
    session = InferenceSession(made.SerializeToString(), **kwargs)
    assert report(session).swapped == {"encoder": "DynamicQuantizeLSTM"}
    return session


def with_inputs(made, arrays):
    """The same model, some of whose constants come with each call."""
    graph = made.graph
    for constant in [one for one in graph.initializer if one.name in arrays]:
        graph.initializer.remove(constant)
    for name, array in arrays.items():
        kind = helper.np_dtype_to_tensor_dtype(array.dtype)
        graph.input.append(helper.make_tensor_value_info(name, kind, [None] * array.ndim))
    return made


@pytest.mark.parametrize("directions", [1, 2])
@pytest.mark.parametrize("per_row", [True, False])
@pytest.mark.parametrize("without_sign", [True, False])
def test_a_session_multiplies_the_same_whole_numbers(directions, per_row, without_sign):
    made, _, x = node(directions, per_row, without_sign)
    before = kernel_calls()
    (y,) = sessions_of(made).run(None, {"x": x})
    assert kernel_calls() == before + 1
    (found,) = load(made).values()
    got = y.swapaxes(1, 2).reshape(len(x), 1, -1)
    np.testing.assert_array_equal(got, found.prepack()(x).y)
    np.testing.assert_allclose(got, run_by_host(made, x), rtol=0, atol=AGREEMENT)


def test_rows_lengths_and_states_are_those_of_the_cell():
    made, _, _ = node(directions=2)
    rng = np.random.default_rng(1)
    x = rng.standard_normal((7, 3, 5)).astype(np.float32)
    h0, c0 = rng.uniform(-1, 1, (2, 2, 3, 6)).astype(np.float32)
    lengths = np.array([7, 2, 5], np.int32)
    call = made.graph.node[0]
    call.input[4], call.input[5], call.input[6] = "lengths", "h0", "c0"
    call.output.extend(["h_n", "c_n"])
    made = with_inputs(made, {"lengths": lengths, "h0": h0, "c0": c0})
    made.graph.input[0].CopyFrom(value("x", x))
    made.graph.output.extend([value("h_n", h0), value("c_n", c0)])
    feeds = {"x": x, "lengths": lengths, "h0": h0, "c0": c0}
    session = sessions_of(made)
    y, h_n, c_n = session.run(None, feeds)
    (found,) = load(made).values()
    want = found.prepack()(x, (h0, c0), lengths=lengths)
    np.testing.assert_array_equal(y.swapaxes(1, 2).reshape(7, 3, -1), want.y)
    np.testing.assert_array_equal(h_n, want.h_n)
    np.testing.assert_array_equal(c_n, want.c_n)
    with pytest.raises(Exception, match=r"encoder: h0 must lie within -1 and 1.* got 1.5"):
        session.run(None, {**feeds, "h0": np.full_like(h0, 1.5)})


def test_weights_may_come_with_each_call():
    made, arrays, x = node()
    moving = {name: arrays[name] for name in ("W", "R_scale")}
    session = sessions_of(with_inputs(made, moving))
    for changed in ({}, {"W": arrays["W"][:, ::-1]}, {"R_scale": 2 * arrays["R_scale"]}, {}):
        constant, _, _ = node(**changed)
        (want,) = sessions_of(constant).run(None, {"x": x})
        (got,) = session.run(None, {"x": x, **moving, **changed})
        np.testing.assert_array_equal(got, want)
    for name, wrong, message in (
        ("W", arrays["W"][:, :, :-1], r"W must have the shape \(1, 5, 24\)"),
        ("R_scale", -arrays["R_scale"], "R_scale must be finite and not below 0"),
        ("R_scale", arrays["R_scale"][:, :-1], "R_scale must be one a direction, or one a"),
    ):
        with pytest.raises(Exception, match=message):
            session.run(None, {"x": x, **moving, name: wrong})


def test_a_scale_of_zero_makes_numbers_of_zero():
    made, arrays, x = node(R_scale=np.zeros((1,), np.float32), per_row=False)
    nothing, _, _ = node(R=np.zeros_like(arrays["R"]), per_row=False)
    want = sessions_of(nothing).run(None, {"x": x})
    np.testing.assert_array_equal(sessions_of(made).run(None, {"x": x}), want)


@pytest.mark.parametrize("attribute", [{"input_forget": 1}, {"clip": 0.5}, {"activations": True}])
def test_what_does_not_bound_h_is_left_to_the_host(attribute, monkeypatch):
    monkeypatch.setattr(_session, "_said", set())
    if "activations" in attribute:
        attribute = {"activations": ["Sigmoid", "Tanh", "Relu"]}
    made, _, x = node()
    made.graph.node[0].attribute.extend(helper.make_attribute(*one) for one in attribute.items())
    with pytest.warns(UserWarning, match="its usual activations alone"):
        session = InferenceSession(made.SerializeToString())
    assert not report(session).swapped
    got = session.run(None, {"x": x})[0].swapaxes(1, 2).reshape(len(x), 1, -1)
    np.testing.assert_array_equal(got, run_by_host(made, x))


def test_nodes_of_onnx_run_beside_one_that_is_left(monkeypatch):
    monkeypatch.setattr(_session, "_said", set())
    made, _, x = node()
    made.graph.node[0].attribute.append(helper.make_attribute("clip", 0.5))
    arrays = operands("GRU")
    made.graph.node.append(
        helper.make_node("GRU", ["X", "W_gru", "R_gru"], ["h"], name="gru", hidden_size=6)
    )
    made.graph.input.append(value("X", arrays["X"]))
    made.graph.output.append(value("h", arrays["X"]))
    made.graph.initializer.extend(
        numpy_helper.from_array(arrays[name], f"{name}_gru") for name in ("W", "R")
    )
    with pytest.warns(UserWarning, match="its usual activations alone"):
        session = InferenceSession(made.SerializeToString())
    assert report(session).swapped == {"gru": "GRU"}
    assert list(report(session).left) == ["encoder"]
    before = kernel_calls()
    got = session.run(None, {"x": x, "X": arrays["X"]})
    want = onnxruntime.InferenceSession(made.SerializeToString()).run(
        None, {"x": x, "X": arrays["X"]}
    )
    assert kernel_calls() == before + 1
    np.testing.assert_array_equal(got[0], want[0])
    np.testing.assert_allclose(got[1], want[1], rtol=0, atol=1e-5)


def test_a_body_that_names_others_of_the_hosts_domain_is_the_hosts(monkeypatch):
    monkeypatch.setattr(_session, "_said", set())
    made, _, x = node()
    gelu = helper.make_node("Gelu", ["y"], ["z"], domain="com.microsoft")
    body = helper.make_graph([gelu], "body", [], [value("z", x)])
    made.graph.node.append(
        helper.make_node("If", ["which"], ["w"], then_branch=body, else_branch=body)
    )
    which = np.array(True)
    made.graph.input.append(value("which", which, ()))
    made.graph.output.append(value("w", x))
    with warnings.catch_warnings(record=True):
        warnings.simplefilter("always")
        session = InferenceSession(made.SerializeToString())
    feeds = {"x": x, "which": which}
    got = session.run(None, feeds)
    want = onnxruntime.InferenceSession(made.SerializeToString()).run(None, feeds)
    for g, w in zip(got, want, strict=True):
        np.testing.assert_allclose(g, w, rtol=0, atol=AGREEMENT)


def test_numbers_too_large_for_a_byte_are_left_to_the_host(monkeypatch):
    monkeypatch.setattr(_session, "_said", set())
    made, _, _ = node(without_sign=True, W_zero_point=np.zeros((1, 24), np.uint8))
    with pytest.warns(UserWarning, match="W less its zero point must be from -128 to 127, got"):
        session = InferenceSession(made.SerializeToString())
    assert not report(session).swapped
