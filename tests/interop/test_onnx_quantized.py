"""DynamicQuantizeLSTM nodes as cells of whole numbers."""

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import helper, numpy_helper
from onnxruntime.quantization import QuantType, quantize_dynamic

from interop.onnx_models import model_of, operands, value
from rnnfast.interop.onnx import load

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
