"""What a seed draws: shares, independence, bits, combinations, refusals, beside the oracle's."""

from __future__ import annotations

import re
from fractions import Fraction
from typing import Any

import hypothesis
import hypothesis.strategies as st
import numpy as np
import pytest

import rnnfast
from rnnfast import _core
from rnnfast._check.cells import BY_FUNCTION
from rnnfast.engine.chance import chance
from rnnfast.engine.noise import Noise
from rnnfast.engine.place import HOST
from rnnfast.testing.bits import digest
from rnnfast.testing.cells import CELLS, CELLS_BY_NAME, Cell, is_weight
from rnnfast.testing.random import DTYPES, DType, Problem

every_cell = pytest.mark.parametrize("cell", CELLS, ids=str)
ALL = {
    "input_dropout": 0.3,
    "recurrent_dropout": 0.25,
    "weight_dropout": 0.2,
    "zoneout": 0.15,
    "seed": 9,
}


def drawn(cell: Cell, dtype: DType = np.float32, **sizes: int) -> tuple[dict, dict]:
    rng = np.random.default_rng(3)
    problem = Problem(cell, dtype, **{"T": 8, "B": 6, "I": 5, "H": 19, **sizes})
    return problem.arguments(rng), problem.cotangents(rng)


def everything(cell: Cell, arguments: dict, cotangents: dict, **options: Any) -> list[np.ndarray]:
    out, pullback = cell.vjp(arguments, **options)
    plain = cell.forward(arguments, **options)
    gradients = pullback(**cotangents)._asdict().values()
    return [*plain, *out, *(g for g in gradients if g is not None)]


@pytest.mark.parametrize("rate", [0.0, 1e-9, 0.3, 0.5, 1 - 1e-9])
def test_shares_and_values_of_masks(rate: float) -> None:
    dtype = np.dtype(np.float64)
    noise = Noise(rate, rate, rate, rate, (rate, rate), seed=4)
    factors = noise.of_weights(HOST, 0, (400, 100), dtype)
    assert (factors is None) == (rate == 0)
    if factors is not None:
        assert set(np.unique(factors)) <= {0.0, 1 / (1 - rate)}
        assert abs((factors == 0).mean() - rate) < 0.01
    masks = noise.of_states(HOST, 0, (20, 50), (40, 40), dtype)
    assert (masks is None) == (rate == 0)
    if masks is not None:
        recurrent, kept_h, kept_c = masks
        assert recurrent.shape == (50, 40)
        assert abs((recurrent == 0).mean() - rate) < 0.03
        for kept in (kept_h, kept_c):
            assert set(np.unique(kept)) <= {0.0, 1.0}
            assert abs(kept.mean() - rate) < 0.01


def is_share(times: int, count: int, probability: float) -> bool:
    """Return whether so many of a count are what chance gives, but for one case in a million."""
    return abs(times - count * probability) < 5 * np.sqrt(count * probability) + 5


# Between levels, of which there are 2**16, and where numbers of 16 bits would choose none or all.
RATES = [2.0**-18, 1e-6, 1e-4, 1e-3, 0.3, 0.99, 0.999, 0.9999, 0.99999, 1 - 2.0**-18, 1 - 1e-6]


@pytest.mark.parametrize("rate", RATES)
def test_masks_have_the_expectation_of_their_rate(rate: float) -> None:
    noise = Noise(rate, rate, rate, rate, (rate, rate), seed=11)
    shape, dtype = (40, 100, 1000), np.dtype(np.float32)
    recurrent, kept_h, kept_c = noise.of_states(HOST, 0, (40, 100), (1000, 1000), dtype)
    for kept in (kept_h, kept_c):
        ones = np.count_nonzero(kept)
        assert is_share(ones, kept.size, rate)
        assert is_share(kept.size - ones, kept.size, 1 - rate)
    between = Noise(rate, seed=11).of_inputs(HOST, 1, shape, dtype)
    for mask in (between, recurrent, noise.of_weights(HOST, 0, (1000, 1000), dtype)):
        left = np.count_nonzero(mask)
        assert is_share(left, mask.size, 1 - rate)
        assert is_share(mask.size - left, mask.size, rate)
        assert (mask[mask > 0] == dtype.type(1 / (1 - rate))).all()


@hypothesis.given(st.floats(0, 1, exclude_max=True), st.sampled_from([2**16, 2**24]))
def test_a_rate_is_the_chance_of_a_level_and_a_second_chance(rate: float, levels: int) -> None:
    level, rest = chance(rate, levels)
    assert 0 <= level < levels
    assert 0 <= rest < 1
    below = Fraction(level, levels)
    whole = below + (1 - below) * Fraction(rest)
    assert abs(whole - Fraction(rate)) <= Fraction(1, 2**52) * Fraction(rate)
    assert abs(whole - Fraction(rate)) <= Fraction(1, 2**34) * (1 - Fraction(rate))


def test_second_chances_are_anywhere_and_drawn_once() -> None:
    generator = np.random.default_rng(0)
    places = [chance(0.1, 1)._replace(rest=0.1).second(generator, 50) for _ in range(2000)]
    assert all(len({*one}) == len(one) for one in places)
    counts = np.bincount(np.concatenate(places), minlength=50)
    assert len(counts) == 50
    assert all(is_share(times, 2000, 0.1) for times in counts)


@pytest.mark.parametrize("threads", [1, 2, 3])
@pytest.mark.parametrize("dtype", DTYPES, ids=lambda dtype: dtype.__name__)
@pytest.mark.parametrize("count", [0, 1, 15, 16, 17, 1024, 16385, 100_003])
def test_masks_are_drawn_by_numpys_generator(count: int, dtype: DType, threads: int) -> None:
    seed, kind, part, level = 2**64 - 3, 4, 7, 20_000
    generator = np.random.Philox(key=seed, counter=[0, 0, kind, part])
    words = generator.random_raw(count // 4 + 1).astype("<u8")
    mask = np.full(count + 1, -1, dtype)
    with rnnfast.num_threads(threads):
        _core.draw_mask(seed, kind, part, level, 2.0, 3.0, mask[:count])
    np.testing.assert_array_equal(mask[:-1], np.where(words.view("<u2")[:count] < level, 2.0, 3.0))
    assert mask[-1] == -1


@pytest.mark.parametrize("threads", [1, 2, 3])
@pytest.mark.parametrize("dtype", DTYPES, ids=lambda dtype: dtype.__name__)
@pytest.mark.parametrize("shape", [(1, 1, 1), (3, 2, 5), (0, 2, 5), (40, 70, 91)])
def test_masks_are_put_on_sequences(
    shape: tuple[int, int, int], dtype: DType, threads: int
) -> None:
    rng = np.random.default_rng(1)
    steps, rows, width = shape
    x = rng.standard_normal(shape).astype(dtype)
    batch_first = rng.standard_normal((rows, steps, width)).astype(dtype).swapaxes(0, 1)
    for sequence in (x, x[::-1], batch_first, np.broadcast_to(x[:1], shape)):
        for mask in (rng.random(shape).astype(dtype), rng.random(shape[1:]).astype(dtype)):
            to = np.full((steps + 1, rows, width), -1, dtype)
            with rnnfast.num_threads(threads):
                _core.apply_mask(sequence, mask, to[:-1])
            np.testing.assert_array_equal(to[:-1], sequence * mask)
            assert (to[-1] == -1).all()
    wanted = x * mask
    _core.apply_mask(x, mask, x)
    np.testing.assert_array_equal(x, wanted)


def test_masks_are_independent_of_each_other() -> None:
    dtype = np.dtype(np.float32)
    noise = Noise(0.5, 0.5, 0.5, 0.5, (0.5, 0.5), seed=4)
    n = 100
    square = ((n, n), dtype)
    masks = [noise.of_inputs(HOST, layer, (1, n, n), dtype) for layer in (0, 1)]
    masks[1] = masks[1][0]
    for part in (0, 1):
        masks += [noise.of_weights(HOST, part, *square)]
        recurrent, kept_h, kept_c = noise.of_states(HOST, part, (1, n), (n, n), dtype)
        masks += [recurrent, kept_h[0], kept_c[0]]
    masks += [noise._replace(seed=5).of_weights(HOST, 0, *square)]
    flat = np.stack([mask.ravel() for mask in masks])
    correlations = np.corrcoef(flat)[np.triu_indices(len(masks), 1)]
    assert np.abs(correlations).max() < 0.05
    np.testing.assert_array_equal(noise.of_weights(HOST, 1, *square), masks[6])


def test_without_a_seed_only_zoneout_acts() -> None:
    cell = CELLS_BY_NAME["lstm"]
    arguments, _ = drawn(cell)
    quiet = {**ALL, "seed": None, "zoneout": 0.0}
    assert digest(cell.forward(arguments, **quiet)) == digest(cell.forward(arguments))
    mean = cell.forward(arguments, zoneout=0.15)
    assert digest(cell.forward(arguments, **{**ALL, "seed": None})) == digest(mean)
    assert digest(mean) != digest(cell.forward(arguments))


def test_zoneout_of_everything_but_h() -> None:
    # c alone is kept: h follows from the kept c of the step before, not of its own.
    cell = CELLS_BY_NAME["lstm"]
    arguments, _ = drawn(cell, np.float64)
    for seed in (None, 3):
        for rates in ((0.0, 0.4), (0.4, 0.0), (0.2, 0.6)):
            options = {"zoneout": rates, "seed": seed}
            want = cell.reference(arguments, **options)
            got = cell.forward(arguments, **options)
            for g, w in zip(got, want, strict=True):
                np.testing.assert_allclose(g, w, atol=1e-12)


@every_cell
@pytest.mark.parametrize("dtype", DTYPES, ids=lambda dtype: dtype.__name__)
def test_the_same_bits_for_any_number_of_threads(cell: Cell, dtype: DType) -> None:
    for rows in (1, 6, 33):
        arguments, cotangents = drawn(cell, dtype, T=25, B=rows, H=70)
        digests = set()
        for threads in (1, 2, 3):
            with rnnfast.num_threads(threads):
                digests.add(digest(everything(cell, arguments, cotangents, **ALL)))
        assert len(digests) == 1
        assert digest(everything(cell, arguments, cotangents, **{**ALL, "seed": 8})) not in digests


@every_cell
def test_stacks_draw_for_each_layer_and_direction(cell: Cell) -> None:
    # With upper layers that forget the lower ones, what a layer draws shows.
    rng = np.random.default_rng(5)
    H = 6
    inputs = 2 * cell.output_size(H)
    x = rng.standard_normal((7, 3, inputs))
    weights = {
        name: [rng.standard_normal(cell.shape(name, 7, 3, inputs, H)) for _ in range(4)]
        for name in (*cell.weights, "b_ih")
    }
    same = {name: [arrays[0]] * 4 for name, arrays in weights.items()}
    rates = {**ALL, "input_dropout": 0.0}
    out = cell.forward({"x": x, **same}, bidirectional=True, **rates)
    states = out[1]
    assert not np.allclose(states[0], states[1])
    alone = cell.forward({"x": x, **{n: a[0] for n, a in same.items()}}, **rates)
    np.testing.assert_array_equal(states[0], alone[1])

    out, pullback = cell.vjp({"x": x, **weights}, bidirectional=True, dropout=0.2, **ALL)
    again, _ = cell.vjp({"x": x, **weights}, bidirectional=True, dropout=0.2, **ALL)
    assert digest(out) == digest(again)
    dy = rng.standard_normal(out[0].shape)
    gradients = pullback(dy=dy)
    step = 1e-6
    for name in cell.weights:
        direction = [rng.standard_normal(w.shape) for w in weights[name]]
        losses = []
        for sign in (1, -1):
            moved = [w + sign * step * d for w, d in zip(weights[name], direction, strict=True)]
            y = cell.forward(
                {"x": x, **weights, name: moved}, bidirectional=True, dropout=0.2, **ALL
            )[0]
            losses.append(float(np.vdot(dy, y)))
        want = (losses[0] - losses[1]) / (2 * step)
        got = sum(
            float(np.vdot(g, d)) for g, d in zip(getattr(gradients, name), direction, strict=True)
        )
        np.testing.assert_allclose(got, want, rtol=1e-5, atol=1e-6)


@every_cell
@pytest.mark.parametrize("layers", [None, 2])
def test_a_prepacked_cell_zones_out(cell: Cell, layers: int | None) -> None:
    arguments, _ = drawn(cell, I=cell.output_size(19))
    if layers is not None:
        arguments = {n: a if n == "x" else [a] * layers for n, a in arguments.items()}
        arguments |= {n: np.stack(arguments[n]) for n in cell.states}
    packed = cell.prepack(arguments, zoneout=0.3)
    operands = {name: a for name, a in arguments.items() if not is_weight(name)}
    want = cell.forward(arguments, zoneout=0.3)
    assert digest(packed(**operands)) == digest(want)
    several = len(cell.states) > 1
    state = tuple(arguments[n] for n in cell.states) if several else arguments["h0"]
    for x_t in arguments["x"]:
        state = packed.step(x_t, state)
    assert digest(state if several else [state]) == digest(want[1:])
    first = packed.step(arguments["x"][0])
    assert (first[0] if several else first).any()


@every_cell
def test_nothing_to_do(cell: Cell) -> None:
    for sizes in ({"T": 0}, {"B": 0}):
        arguments, cotangents = drawn(cell, **sizes)
        everything(cell, arguments, cotangents, **ALL)


REFUSED = [
    ({"recurrent_dropout": 1.0}, ValueError, "recurrent_dropout must be from 0 to less than 1"),
    ({"input_dropout": -0.1}, ValueError, "input_dropout must be from 0 to less than 1"),
    ({"weight_dropout": "half"}, TypeError, "weight_dropout must be a number from 0 to less"),
    ({"zoneout": 1}, ValueError, "zoneout must be from 0 to less than 1, got 1"),
    ({"zoneout": float("nan")}, ValueError, "zoneout must be from 0 to less than 1, got nan"),
    ({"zoneout": (0.1, 0.2, 0.3)}, ValueError, "zoneout must be "),
    ({"zoneout": (0.1, 2)}, ValueError, "zoneout"),
    ({"zoneout": None}, TypeError, "zoneout must be a number from 0 to less than 1, got None"),
    ({"zoneout": 0.1, "seed": "x"}, TypeError, "seed must be None or an integer"),
]


@pytest.mark.parametrize(("options", "error", "message"), REFUSED)
@pytest.mark.parametrize("name", [first.core for first, *_ in BY_FUNCTION.values()])
def test_refused(name: str, options: dict, error: type[Exception], message: str) -> None:
    cell = CELLS_BY_NAME[name]
    arguments, _ = drawn(cell)
    for function in (cell.forward, cell.vjp):
        with pytest.raises(error, match=f"^{re.escape(message)}"):
            function(arguments, **options)
    if [*options] == ["zoneout"]:
        with pytest.raises(error, match=f"^{re.escape(message)}"):
            cell.prepack(arguments, **options)


# --- rates that do nothing ------------------------------------------------------------------------

ONE = {"x": np.ones((3, 2, 4)), "w_ih": np.zeros((4, 4)), "w_hh": np.zeros((4, 4))}
TWO = {**ONE, "w_ih": [ONE["w_ih"]] * 2, "w_hh": [ONE["w_hh"]] * 2}


@pytest.mark.parametrize(
    "rate", ["dropout", "input_dropout", "recurrent_dropout", "weight_dropout"]
)
def test_gradients_without_a_seed_warn_of_each_dropout(rate):
    with pytest.warns(UserWarning, match=rf"^{rate}=0.5 does nothing without seed=") as seen:
        rnnfast.rnn_vjp(**TWO, **{rate: 0.5})
    assert [one.filename for one in seen] == [__file__]
    rnnfast.rnn_vjp(**TWO, **{rate: 0.5}, seed=0)
    rnnfast.rnn(**TWO, **{rate: 0.5})  # inference


def test_all_rates_without_a_seed_are_named_in_one_warning():
    with pytest.warns(UserWarning, match="input_dropout=0.25, weight_dropout=0.5 do nothing"):
        rnnfast.rnn_vjp(**ONE, input_dropout=0.25, weight_dropout=0.5)


def test_zoneout_without_a_seed_is_the_mean_and_does_something():
    rnnfast.rnn_vjp(**ONE, zoneout=0.5)


@pytest.mark.parametrize("function", [rnnfast.rnn, rnnfast.rnn_vjp])
@pytest.mark.parametrize("weights", [np.zeros((4, 4)), [np.zeros((4, 4))]], ids=["array", "list"])
def test_dropout_between_the_layers_of_one_layer_warns(function, weights):
    with pytest.warns(UserWarning, match=r"^dropout=0.5 does nothing, there is one") as seen:
        function(ONE["x"], weights, weights, dropout=0.5, seed=3)
    assert [one.filename for one in seen] == [__file__]
