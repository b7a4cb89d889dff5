"""Streams of a model whose recurrent weights are mostly zero."""

from __future__ import annotations

import pickle
import re

import numpy as np
import pytest

import rnnfast
from rnnfast.weights import StackWeights, save_weights

T, I, H = 45, 5, 40  # noqa: E741
GATES = {"lstm": 4, "gru": 3}


def stack(cell: str = "gru", layers: int = 2, dtype: type = np.float32, **options) -> StackWeights:
    """Layers of which one block in five is kept."""
    rng = np.random.default_rng(2)
    rows = GATES[cell] * H
    widths = [I, *[H] * (layers - 1)]
    w_ih = [(0.3 * rng.standard_normal((rows, width))).astype(dtype) for width in widths]
    w_hh = [(0.3 * rng.standard_normal((rows, H))).astype(dtype) for _ in widths]
    for one in w_hh:
        of_gates = one.reshape(-1, H, H)
        for first in range(0, H, 16):
            of_gates[:, first : first + 16] *= rng.random((len(of_gates), 1, H)) < 0.2
    return StackWeights(cell, w_ih, w_hh, **options)


def chunk(dtype: type = np.float32) -> np.ndarray:
    return np.random.default_rng(3).standard_normal((T, I)).astype(dtype)


@pytest.mark.parametrize("cell", GATES)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("options", [{}, {"zoneout": 0.2}], ids=["plain", "zoneout"])
def test_sessions_and_pools_give_what_dense_weights_do(cell: str, dtype: type, options) -> None:
    weights = stack(cell, dtype=dtype, **options)
    x = chunk(dtype)
    want = rnnfast.load(weights).session().run(x)
    model = rnnfast.load(weights, sparse=True)
    session = model.session()
    np.testing.assert_array_equal([session.step(x_t) for x_t in x], want)
    session.reset()
    np.testing.assert_array_equal(session.run(x), want)
    for together in (1, 5, 12):
        pool = model.pool(together)
        ids = [pool.open() for _ in range(together)]
        for x_t, y_t in zip(x, want, strict=True):
            got = pool.step(ids, np.tile(x_t, (together, 1)))
            np.testing.assert_array_equal(got, np.tile(y_t, (together, 1)))


def test_a_file_says_that_it_is_sparse(tmp_path) -> None:
    path = tmp_path / "gru.safetensors"
    weights = stack()
    save_weights(path, StackWeights(**weights.arguments(), sparse=True))
    x = chunk()
    want = rnnfast.load(weights).session().run(x)
    whole = rnnfast.load(path, sparse=False)
    for model in (rnnfast.load(path), pickle.loads(pickle.dumps(rnnfast.load(path)))):
        assert model.weights.options["sparse"] and "sparse=True" in repr(model)
        assert model.nbytes < 0.75 * whole.nbytes
        np.testing.assert_array_equal(model.session().run(x), want)
    np.testing.assert_array_equal(whole.session().run(x), want)


def test_a_layer_that_is_not_may_stand_among_those_that_are() -> None:
    weights = stack().arguments()
    weights["w_hh"][1] = np.full((3 * H, H), 0.1, np.float32)
    x = chunk()
    got = rnnfast.load(StackWeights(**weights), sparse=True).session().run(x)
    np.testing.assert_array_equal(got, rnnfast.load(StackWeights(**weights)).session().run(x))


def test_density_is_the_share_of_blocks_that_are_kept() -> None:
    w_hh = np.zeros((3 * 20, 20))
    w_hh[0, 0] = w_hh[15, 0] = w_hh[16, 0] = 1  # two blocks of the first gate: 16 units, and 4
    weights = StackWeights("gru", np.ones((60, 3)), w_hh, sparse=True)
    assert weights.density == 2 / (3 * 2 * 20)
    assert StackWeights("gru", np.ones((60, 3)), np.ones((60, 20))).density == 1


def test_what_is_refused() -> None:
    weights = stack()
    whole = StackWeights("gru", np.ones((12, 3)), np.ones((12, 4)))
    with pytest.raises(ValueError, match=r"^sparse=True needs zeros in w_hh, whole blocks of 16"):
        rnnfast.load(whole, sparse=True)
    plain = StackWeights("rnn", np.ones((4, 3)), np.zeros((4, 4)))
    with pytest.raises(ValueError, match=r"^sparse=True is for the cells lstm, .*, got rnn_tanh"):
        rnnfast.load(plain, sparse=True)
    message = "precision must be None with sparse=True, whose weights stay float32, got 'float16'"
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        rnnfast.load(weights, precision="float16", sparse=True)
    with pytest.raises(TypeError, match=r"^sparse must be True or False, got 'yes'"):
        rnnfast.load(weights, sparse="yes")  # type: ignore[arg-type]
