"""Weights of torch's modules and state_dicts: they compute what torch does, and go back to it."""

import io
import warnings

import numpy as np
import pytest
import torch
from torch import nn

import rnnfast
from rnnfast import convert
from rnnfast.interop import torch as ours
from rnnfast.weights import find_torch, from_torch, read_weights, save_weights

T, B, INPUTS, H = 9, 3, 5, 8

MODULES = {
    "lstm": lambda: nn.LSTM(INPUTS, H),
    "gru without biases": lambda: nn.GRU(INPUTS, H, bias=False),
    "rnn relu": lambda: nn.RNN(INPUTS, H, nonlinearity="relu"),
    "stack": lambda: nn.LSTM(INPUTS, H, 3, dropout=0.5),
    "both ways": lambda: nn.GRU(INPUTS, H, 2, bidirectional=True),
    "projected": lambda: nn.LSTM(INPUTS, H, 2, proj_size=3, bidirectional=True),
    "double": lambda: nn.RNN(INPUTS, H, 2, dtype=torch.float64),
    "batch first": lambda: nn.GRU(INPUTS, H, batch_first=True),
    "ours": lambda: ours.LSTM(INPUTS, H, 2),
    "peephole": lambda: ours.LSTM(INPUTS, H, peephole=True),
    "layer norm": lambda: ours.GRU(INPUTS, H, 2, layer_norm=True),
}
CELLS = {
    "lstm": lambda: nn.LSTMCell(INPUTS, H),
    "gru": lambda: nn.GRUCell(INPUTS, H, bias=False),
    "rnn": lambda: nn.RNNCell(INPUTS, H, nonlinearity="relu"),
    "ours": lambda: ours.GRUCell(INPUTS, H),
}


def eager(make):
    torch.manual_seed(0)
    return make().eval()


def x_for(module):
    dtype = next(module.parameters()).dtype
    return torch.randn(T, B, INPUTS, dtype=dtype, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("make", MODULES.values(), ids=MODULES)
def test_a_packed_module_computes_what_torch_does(make):
    module = eager(make)
    x = x_for(module)
    first = getattr(module, "batch_first", False)
    with torch.no_grad(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch says what it runs projections by
        y, state = module(x.transpose(0, 1) if first else x)
    found = rnnfast.prepack(module)(x.numpy())
    y = y.transpose(0, 1) if first else y
    tolerance = 1e-12 if y.dtype == torch.float64 else 2e-6
    np.testing.assert_allclose(found.y, y.numpy(), rtol=0, atol=tolerance)
    states = state if isinstance(state, tuple) else (state,)
    for one, other in zip(found[1:], states, strict=True):
        np.testing.assert_allclose(one, other.numpy().reshape(one.shape), rtol=0, atol=tolerance)


@pytest.mark.parametrize("make", CELLS.values(), ids=CELLS)
def test_a_packed_cell_steps_as_torchs(make):
    module = eager(make)
    with torch.no_grad():
        x = torch.randn(B, INPUTS)
        wanted = module(x, module(x))
    packed = rnnfast.prepack(module)
    found = packed.step(x.numpy(), packed.step(x.numpy()))
    for one, other in zip(found, wanted, strict=True):
        np.testing.assert_allclose(one, other.numpy(), rtol=0, atol=1e-6)


@pytest.mark.parametrize("make", MODULES.values(), ids=MODULES)
def test_files_bring_a_module_back_bit_for_bit(make, tmp_path):
    module = eager(make)
    path = tmp_path / "weights.safetensors"
    save_weights(path, from_torch(module))
    weights = read_weights(path)
    other = make()
    other.load_state_dict(ours.state_dict(weights))
    for name, parameter in module.state_dict().items():
        assert torch.equal(other.state_dict()[name], parameter), name
    assert from_torch(other.state_dict()).cell == weights.cell


def test_parts_of_a_model_are_named():
    model = nn.ModuleDict(
        {
            "encoder": nn.Sequential(nn.Linear(INPUTS, INPUTS), nn.GRU(INPUTS, H, 2)),
            "decoder": nn.LSTMCell(H, H),
            "norm": nn.LayerNorm(H),
            "attention": nn.MultiheadAttention(H, 2),
        }
    )
    for found in (find_torch(model), find_torch(model.state_dict())):
        assert [*found.stacks] == ["encoder.1", "decoder"]
        assert {"encoder.0", "norm", "attention.out_proj"} <= found.left.keys()
    with pytest.raises(ValueError, match=r"name must be given.*from_torch takes a name"):
        rnnfast.prepack(model)
    packed = rnnfast.prepack(from_torch(model, "encoder.1"))
    assert packed.layers == 2


def test_what_a_module_is_made_of_now():
    """Parametrized weights as they act, tied ones, and half precision."""
    module = nn.utils.parametrizations.weight_norm(nn.GRU(INPUTS, H), "weight_hh_l0")
    found = find_torch(module)
    assert [*found.stacks] == [""]
    np.testing.assert_array_equal(
        found.one().layers[0][0].w_hh, module.weight_hh_l0.detach().numpy()
    )
    tied = nn.GRU(H, H, 2)
    tied.weight_hh_l1 = tied.weight_hh_l0
    of_both = from_torch(tied).layers
    np.testing.assert_array_equal(of_both[0][0].w_hh, of_both[1][0].w_hh)
    half = nn.LSTM(INPUTS, H).to(torch.bfloat16)
    weights = from_torch(half)
    assert weights.dtype == np.float32
    np.testing.assert_array_equal(
        weights.layers[0][0].w_ih, half.weight_ih_l0.detach().float().numpy()
    )


def test_training_changes_nothing_that_was_read():
    module = nn.GRU(INPUTS, H)
    weights = from_torch(module)
    before = weights.layers[0][0].w_ih.copy()
    with torch.no_grad():
        module.weight_ih_l0.zero_()
    np.testing.assert_array_equal(weights.layers[0][0].w_ih, before)


def test_a_checkpoint_with_an_optimizer():
    module = nn.Sequential(nn.GRU(INPUTS, H))
    optimizer = torch.optim.Adam(module.parameters())
    module[0](torch.randn(2, 1, INPUTS))[0].sum().backward()
    optimizer.step()
    file = io.BytesIO()
    torch.save({"model": module.state_dict(), "optimizer": optimizer.state_dict()}, file)
    file.seek(0)
    found = find_torch(torch.load(file, weights_only=True))
    assert [*found.stacks] == ["model.0"]


def test_what_cannot_be_read():
    with pytest.raises(ValueError, match="no recurrent layers were found; there is the model: Lin"):
        rnnfast.prepack(nn.Linear(2, 2))
    with torch.device("meta"):
        meta = nn.GRU(INPUTS, H)
    with pytest.raises(ValueError, match="weight_ih_l0 must be an array of numbers"):
        rnnfast.prepack(meta)
    with pytest.raises(ValueError, match=r"no recurrent layers.*w_ih must be float32 or float64"):
        from_torch({"weight_ih_l0": torch.ones(4, 2, dtype=int), "weight_hh_l0": torch.eye(4)})
    with pytest.raises(TypeError, match="options must be left out with a module"):
        from_torch(nn.GRU(2, 2), nonlinearity="relu")


def test_other_hosts_weights_go_to_torch():
    """From a bias alone, as Keras has it."""
    rng = np.random.default_rng(0)
    arrays = [rng.normal(size=shape).astype("f4") for shape in ((5, 32), (8, 32), (32,))]
    weights = rnnfast.weights.from_keras("lstm", arrays)
    module = nn.LSTM(5, 8)
    module.load_state_dict(ours.state_dict(weights))
    x = rng.normal(size=(T, B, 5)).astype("f4")
    with torch.no_grad():
        y, _ = module(torch.from_numpy(x))
    np.testing.assert_allclose(rnnfast.prepack(weights)(x).y, y.numpy(), rtol=0, atol=2e-6)


def test_files_of_torch_are_converted_and_come_back(tmp_path):
    module = nn.Sequential(nn.Linear(INPUTS, INPUTS), nn.GRU(INPUTS, H, 2, bidirectional=True))
    path, ours_at, back = (tmp_path / f"a.{end}" for end in ("ckpt", "safetensors", "pt"))
    torch.save({"state_dict": module.state_dict(), "epoch": 3}, path)
    assert convert.find(path).left == {"state_dict.0": "weight, bias"}
    convert.main([str(path), str(ours_at)])
    convert.main([str(ours_at), str(back)])
    again = nn.GRU(INPUTS, H, 2, bidirectional=True)
    again.load_state_dict(torch.load(back, weights_only=True))
    for one, other in zip(again.parameters(), module[1].parameters(), strict=True):
        assert torch.equal(one, other)


def test_files_that_torch_cannot_read(tmp_path):
    path = tmp_path / "a.pt"
    torch.save(nn.GRU(2, 2), path)  # a module: code
    with pytest.raises(
        ValueError, match=r"a.pt is damaged, or holds more than tensors: save model"
    ):
        convert.find(path)
    torch.save(torch.ones(3), path)
    with pytest.raises(ValueError, match="must hold a state_dict, got a Tensor"):
        convert.find(path)
    torch.save(nn.GRU(2, 2).state_dict(), path)
    whole = path.read_bytes()
    for length in range(0, len(whole), 200):
        path.write_bytes(whole[:length])
        with pytest.raises(ValueError, match="is damaged"):
            convert.find(path)
