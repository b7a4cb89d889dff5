"""Weights of ONNX's nodes as descriptions: they compute what ONNX Runtime does."""

import numpy as np
import onnx
import pytest
from onnx import helper

import rnnfast
from interop.onnx_models import model, model_of, operands, run_by_host, value
from rnnfast import convert
from rnnfast.interop.onnx import find, load
from rnnfast.weights import save_weights


@pytest.mark.parametrize("direction", ["forward", "reverse", "bidirectional"])
@pytest.mark.parametrize(
    ("op_type", "there", "attributes"),
    [
        ("LSTM", ("B",), {}),
        ("LSTM", ("B", "P"), {"activations": ["HardSigmoid", "Tanh", "Elu"]}),
        ("GRU", ("B",), {}),
        ("GRU", (), {"linear_before_reset": 1, "clip": 0.75}),
        ("GRU", ("B",), {"activations": ["HardSigmoid", "Softsign"]}),
        ("RNN", ("B",), {"activations": ["Relu"]}),
        ("RNN", (), {"activations": ["LeakyRelu"], "activation_alpha": [0.25]}),
    ],
    ids=str,
)
def test_a_file_computes_what_the_node_does(op_type, there, attributes, direction, tmp_path):
    directions = 2 if direction == "bidirectional" else 1
    attributes = {
        name: given * directions if isinstance(given, list) else given
        for name, given in attributes.items()
    }
    arrays = operands(op_type, there=there, directions=directions, seed=3)
    built, feeds = model_of(op_type, arrays, hidden_size=6, direction=direction, **attributes)
    save_weights(tmp_path / "a.safetensors", find(built).one())
    y, h_n, *_ = rnnfast.Prepacked.load(tmp_path / "a.safetensors")(arrays["X"])
    wanted, wanted_h, *_ = run_by_host(built, feeds)
    np.testing.assert_allclose(y, wanted.swapaxes(1, 2).reshape(y.shape), rtol=0, atol=2e-6)
    np.testing.assert_allclose(h_n, wanted_h.reshape(h_n.shape), rtol=0, atol=2e-6)


def test_the_layout_of_a_node_changes_no_weight():
    arrays = operands("GRU")
    both = [model_of("GRU", arrays, hidden_size=6, layout=layout)[0] for layout in (0, 1)]
    one, other = (find(built).one() for built in both)
    assert repr(one) == repr(other)
    np.testing.assert_array_equal(one.layers[0][0].w_ih, other.layers[0][0].w_ih)
    assert [load(built)["node"].batch_first for built in both] == [False, True]


def test_nodes_are_named_and_others_are_counted(tmp_path):
    arrays = operands("GRU")
    graph = helper.make_graph(
        [
            helper.make_node("Relu", ["X"], ["X1"]),
            helper.make_node("GRU", ["X1", "W", "R", "B"], ["Y"], name="encoder", hidden_size=6),
            helper.make_node("GRU", ["X1", "V", "R", "B"], ["Z"], name="varies", hidden_size=6),
        ],
        "graph",
        [value("X", arrays["X"], [5, 3, 4]), value("V", arrays["W"], arrays["W"].shape)],
        [value("Y", arrays["X"]), value("Z", arrays["X"])],
        [onnx.numpy_helper.from_array(arrays[name], name) for name in ("W", "R", "B")],
    )
    path = tmp_path / "model.onnx"
    onnx.save(model(graph), path)
    found = find(path)
    assert [*found.stacks] == ["encoder"]
    assert found.left["Relu"] == "1 of them"
    assert "V, which depends on what the model is given" in found.left["varies"]
    with pytest.raises(ValueError, match="W of varies must be a constant"):
        load(path)


def test_a_model_without_any():
    graph = helper.make_graph(
        [helper.make_node("Relu", ["X"], ["Y"])],
        "graph",
        [value("X", np.ones(3, "f4"), [3])],
        [value("Y", np.ones(3, "f4"), [3])],
    )
    with pytest.raises(
        ValueError, match="no recurrent layers were found; there is Relu: 1 of them"
    ):
        find(model(graph)).one()


def test_files_of_onnx_are_converted(tmp_path):
    built, _ = model_of("GRU", operands("GRU"), hidden_size=6)
    path, out = tmp_path / "a.onnx", tmp_path / "a.safetensors"
    onnx.save(built, path)
    convert.main([str(path), str(out)])
    assert repr(rnnfast.weights.read_weights(out)) == repr(find(built).one())
    path.write_bytes(path.read_bytes()[:-7])
    with pytest.raises(ValueError, match="is damaged, or no ONNX model"):
        convert.find(path)
