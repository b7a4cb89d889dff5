"""State_dicts of arrays: what is found in them, and what is refused. Torch is not needed."""

import numpy as np
import pytest

from rnnfast.weights import StackWeights, find_torch, from_torch, to_torch

rng = np.random.default_rng(7)


def state(gates=4, layers=1, both=False, width=None, biases=True, hidden=5, dtype=np.float32):
    """As of a module of torch, as arrays."""
    width = width or hidden
    found = {}
    for k in range(layers):
        for end in ("", "_reverse") if both else ("",):
            columns = width * (1 + both) if k else 3
            shapes = {"weight_ih": (gates * hidden, columns), "weight_hh": (gates * hidden, width)}
            if biases:
                shapes |= dict.fromkeys(("bias_ih", "bias_hh"), (gates * hidden,))
            if width != hidden:
                shapes["weight_hr"] = (width, hidden)
            for name, shape in shapes.items():
                found[f"{name}_l{k}{end}"] = rng.normal(size=shape).astype(dtype)
    return found


@pytest.mark.parametrize(
    ("cell", "options"),
    [
        ("lstm", {}),
        ("gru", {"layers": 3, "dtype": np.float64}),
        ("rnn", {"layers": 2, "both": True, "biases": False}),
        ("lstm", {"width": 2, "layers": 2, "both": True}),
        ("gru", {"both": True, "hidden": 1}),
    ],
)
def test_there_and_back_bit_for_bit(cell, options):
    gates = {"lstm": 4, "gru": 3, "rnn": 1}[cell]
    given = state(gates, **options)
    weights = from_torch(given)
    assert (weights.cell, len(weights.layers)) == (cell, options.get("layers", 1))
    assert weights.stacked == (len(given) > 4 + bool(weights.proj_size))
    again = to_torch(weights, "rnn.")
    assert again.keys() == {f"rnn.{name}" for name in given}
    for name, array in given.items():
        assert again[f"rnn.{name}"].tobytes() == array.tobytes(), name


def test_modules_are_told_apart_by_their_names():
    model = {
        **{f"encoder.rnn.{k}": v for k, v in state(4).items()},
        **{f"decoder.{k}": v for k, v in state(3, layers=2).items()},
        "cell.weight_ih": rng.normal(size=(5, 3)),
        "cell.weight_hh": rng.normal(size=(5, 5)),
        "fc.weight": rng.normal(size=(2, 5)),
        "fc.bias": rng.normal(size=2),
        "steps": np.array(3),
    }
    found = find_torch(model)
    assert {k: v.cell for k, v in found.stacks.items()} == {
        "encoder.rnn": "lstm",
        "decoder": "gru",
        "cell": "rnn",
    }
    assert found.left == {"fc": "weight, bias", "": "steps"}
    assert len(from_torch(model, "decoder").layers) == 2
    with pytest.raises(ValueError, match=r"name must be given, one of \['encoder.rnn', 'decoder'"):
        from_torch(model)
    with pytest.raises(ValueError, match="got 'decodr'; did you mean 'decoder'"):
        from_torch(model, "decodr")


def test_checkpoints_hold_a_state_dict_among_others():
    checkpoint = {"epoch": 3, "model": {"rnn": state(4)}, "optimizer": {"state": {0: {"step": 1}}}}
    assert [*find_torch(checkpoint).stacks] == ["model.rnn"]


def test_what_a_state_dict_does_not_say():
    assert from_torch(state(1)).options == {}
    assert from_torch(state(1), nonlinearity="relu").options == {"nonlinearity": "relu"}
    both = {"a": state(1), "b": state(4)}
    found = find_torch(both, nonlinearity="relu").stacks
    assert [found[name].options for name in "ab"] == [{"nonlinearity": "relu"}, {}]


def test_half_precision_becomes_float32():
    given = {name: array.astype(np.float16) for name, array in state(4).items()}
    weights = from_torch(given)
    assert weights.dtype == np.float32
    np.testing.assert_array_equal(weights.layers[0][0].w_ih, given["weight_ih_l0"])


def test_several_modules_make_one_stack():
    upper = {f"b.{name}": array for name, array in state(4).items()}
    upper["b.weight_ih_l0"] = rng.normal(size=(20, 5)).astype(np.float32)
    found = find_torch({**{f"a.{k}": v for k, v in state(4).items()}, **upper})
    both = found.stack(["a", "b"])
    assert (len(both.layers), both.stacked) == (2, True)
    with pytest.raises(ValueError, match=r"w_ih\[1\] must be"):
        found.stack(["b", "a"])
    found.stacks["c"] = StackWeights("gru", np.ones((15, 5), "f4"), np.ones((15, 5), "f4"))
    with pytest.raises(ValueError, match="must have the same cell and options, got 'lstm'"):
        found.stack(["a", "c"])


@pytest.mark.parametrize(
    ("words", "change"),
    [
        ("weight_hh_l0 is missing", {"weight_hh_l0": None}),
        ("weight_ih_l0 is missing", {"weight_ih_l0": None}),
        ("weight_ih_l1 is missing", {"bias_ih_l1": np.ones(20, "f4")}),
        ("weight_hh_l0_reverse is missing", {"weight_ih_l0_reverse": np.ones((20, 3), "f4")}),
        (r"b_ih must be \(4\*H,\) = \(20,\), got \(19,\)", {"bias_ih_l0": np.ones(19, "f4")}),
        ("b_ih must be float32 like w_ih, got float64", {"bias_ih_l0": np.ones(20)}),
        ("w_ih must be float32 or float64, got int64", {"weight_ih_l0": np.ones((20, 3), int)}),
        ("must have H, 3.H or 4.H rows", {"weight_hh_l0": np.ones((10, 5), "f4")}),
        ("must have H, 3.H or 4.H rows", {"weight_hh_l0": np.ones((0, 0), "f4")}),
        ("must have H, 3.H or 4.H rows", {"weight_hh_l0": np.float32(1)}),
        ("is no name of an array of a layer", {"weight_hh": np.ones((20, 5), "f4")}),
    ],
)
def test_what_does_not_fit_is_refused(words, change):
    given = {k: v for k, v in {**state(4), **change}.items() if v is not None}
    with pytest.raises(ValueError, match=words):
        from_torch(given)


@pytest.mark.parametrize(
    "weights",
    [
        StackWeights("mgu", np.ones((4, 3)), np.ones((4, 2))),
        StackWeights("gru", np.ones((6, 3)), np.ones((6, 2)), reset_after=False),
        StackWeights("lstm", np.ones((8, 3)), np.ones((8, 2)), clip=1.0),
        StackWeights("lstm", np.ones((8, 3)), np.ones((8, 2)), reverse=True),
        StackWeights("rnn", np.ones((2, 3)), np.ones((2, 2)), nonlinearity="sigmoid"),
    ],
    ids=repr,
)
def test_what_torch_lacks_is_not_given_to_it(weights):
    with pytest.raises(ValueError, match=r"^torch"):
        to_torch(weights)


def test_torch_has_both_biases_or_none():
    weights = StackWeights("gru", np.ones((6, 3)), np.ones((6, 2)), np.full(6, 2.0))
    given = to_torch(weights)
    np.testing.assert_array_equal(given["bias_ih_l0"], np.full(6, 2.0))
    np.testing.assert_array_equal(given["bias_hh_l0"], np.zeros(6))


@pytest.mark.parametrize("source", [None, 3, "model.pt", [np.ones(3)]])
def test_other_things_are_no_models(source):
    with pytest.raises(TypeError, match=r"source must be a torch.nn.Module or a state_dict, got"):
        from_torch(source)


def test_nothing_found():
    with pytest.raises(ValueError, match="no recurrent layers were found; there is fc: weight"):
        from_torch({"fc.weight": np.ones((2, 2))})
    with pytest.raises(ValueError, match=r"no recurrent layers were found$"):
        from_torch({})
