"""Modules that torch has quantized dynamically as cells of their whole numbers."""

import warnings

import numpy as np
import pytest
import torch

from rnnfast.interop.torch import prepack_quantized

# torch scales what a batch holds at a step by its extent, from zero on; ours is symmetric.
AGREEMENT = 2.0**-5

KINDS = {torch.nn.LSTM: "lstm", torch.nn.GRU: "gru"}


def quantized(module, dtype=torch.qint8):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # deprecated, and in use
        try:
            whole = torch.ao.quantization.quantize_dynamic(
                torch.nn.Sequential(module), {type(module)}, dtype=dtype
            )
        except RuntimeError as error:
            pytest.skip(f"torch cannot quantize here: {error}")
    return whole[0]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("layers", [1, 2])
def test_a_module_is_a_cell_of_its_whole_numbers(kind, bidirectional, layers):
    torch.manual_seed(0)
    module = quantized(kind(7, 12, layers, bidirectional=bidirectional))
    cell = prepack_quantized(module)
    assert cell.cell == KINDS[kind]
    assert cell.precision == "int8"
    assert (cell.layers, cell.bidirectional) == (layers, bidirectional)
    x = torch.randn(9, 1, 7)
    want = module(x)[0].detach().numpy()
    np.testing.assert_allclose(cell(x.numpy()).y, want, rtol=0, atol=AGREEMENT)
    weight = module.get_weight()["weight_ih_l0"]
    np.testing.assert_array_equal(np.asarray(cell._weights[0][0].w_ih), weight.dequantize().numpy())


def test_other_modules_are_refused():
    with pytest.raises(TypeError, match=r"module must be a torch\.ao.*got LSTM; of modules with"):
        prepack_quantized(torch.nn.LSTM(3, 4))
    with pytest.raises(ValueError, match=r"must have weights of torch\.qint8, got torch\.float16"):
        prepack_quantized(quantized(torch.nn.LSTM(3, 4), torch.float16))
