"""The checksums that NVIDIA publishes with cuDNN's RNN sample.

T=20, two layers, I=H=512, B=64, float32; every weight 1/(512*512); every bias, x, h0, c0, dy,
dh_n and dc_n one. cuDNN has two bias vectors per layer, both of ones. sum(dw) runs over its whole
weight space: both weights and both biases of both layers.
"""

from __future__ import annotations

import numpy as np
import pytest

from rnnfast.testing.cells import CELLS_BY_NAME

T, B, H = 20, 64, 512

CHECKSUMS = {
    "rnn_tanh": {"y": 6.319591e5, "dx": 4.501830, "dw": 5.012598e7},
    "rnn_relu": {"y": 1.315793e6, "dx": 66.76003, "dw": 1.453750e9},
    "lstm": {"y": 5.749536e5, "dx": 384.2206, "dw": 4.313461e8},
    "gru": {"y": 6.358978e5, "dx": 6.296622, "dw": 5.397419e7},
}


@pytest.mark.parametrize("name", CHECKSUMS)
def test_two_layers(name: str) -> None:
    cell = CELLS_BY_NAME[name]

    def ones(argument: str) -> np.ndarray:
        return np.ones(cell.shape(argument, T, B, H, H), np.float32)

    parameters = {name: ones(name) for name in ("w_ih", "w_hh", "b_ih", "b_hh", *cell.states)}
    for weight in ("w_ih", "w_hh"):
        parameters[weight] /= H * H
    ends = {name: ones(name) for name in cell.cotangents[1:]}

    below, pullback_below = cell.vjp({"x": ones("x"), **parameters})
    above, pullback_above = cell.vjp({"x": below.y, **parameters})
    grads_above = pullback_above(dy=ones("y"), **ends)
    grads_below = pullback_below(dy=grads_above.x, **ends)

    weights = [
        getattr(grads, argument)
        for grads in (grads_below, grads_above)
        for argument in ("w_ih", "w_hh", "b_ih", "b_hh")
    ]
    got = {
        "y": above.y.sum(dtype=np.float64),
        "dx": grads_below.x.sum(dtype=np.float64),
        "dw": sum(w.sum(dtype=np.float64) for w in weights),
    }
    assert got == pytest.approx(CHECKSUMS[name], rel=2e-5)
