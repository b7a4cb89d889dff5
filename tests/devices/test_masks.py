"""Masks are drawn on the GPU, with the bits that the host draws."""

import numpy as np
import pytest

from gpu_arrays import Tensor
from rnnfast._devices import array_of, place_of
from rnnfast.engine.noise import Noise
from rnnfast.engine.place import HOST

pytestmark = [pytest.mark.compiles, pytest.mark.usefixtures("streams")]

# Met by the levels of 16 bits alone, and with a second chance, of which 2**-17 is all.
RATES = [0.5, 0.3, 0.001, 2**-17]
SIZES = [(3, 2, 5), (1, 1, 1), (4, 4, 4), (7, 30, 41)]


@pytest.fixture
def there():
    return place_of([array_of("x", Tensor.of(np.zeros((1, 1, 1), np.float32)))])


def bits(mask):
    return np.ascontiguousarray(getattr(mask, "geometry", mask)).tobytes()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("sizes", SIZES, ids=str)
def test_the_same_bits(there, dtype, rate, sizes):
    steps, rows, units = sizes
    noise = Noise(rate, rate, rate, rate, (rate, rate / 2), seed=2**63 + 5)
    of_host, of_gpu = (
        [
            noise.of_inputs(place, 1, sizes, np.dtype(dtype)),
            noise.of_weights(place, 3, (4 * units, units), np.dtype(dtype)),
            *noise.of_states(place, 2, (steps, rows), (units, units + 1), np.dtype(dtype)),
        ]
        for place in (HOST, there)
    )
    for one, its in zip(of_gpu, of_host, strict=True):
        assert (one.shape, one.geometry.dtype) == (its.shape, its.dtype)
        assert bits(one) == bits(its)


def test_rates_without_a_seed_are_one_number(there):
    noise = Noise(zoneout=(0.25, 0.0))
    recurrent, kept_h, kept_c = noise.of_states(there, 0, (6, 5), (4, 3), np.dtype(np.float32))
    assert recurrent is None
    for mask, rate in ((kept_h, 0.25), (kept_c, 0.0)):
        assert mask.strides[:2] == (0, 0)  # of which there is one row
        assert (np.array(mask.geometry) == rate).all()


def test_a_second_chance_is_not_captured(there, gpu):
    shapes = (40, 50), (64, 64)  # so many numbers that some have a second chance
    capture = gpu.Capture(0, there._place[1])
    try:
        Noise(zoneout=(0.25, 0.0), seed=1).of_states(there, 0, *shapes, np.dtype(np.float32))
        with pytest.raises(RuntimeError, match="a graph would read the host's memory once more"):
            Noise(zoneout=(0.3, 0.0), seed=1).of_states(there, 0, *shapes, np.dtype(np.float32))
    finally:
        capture.end()


def test_only_places_of_a_second_chance_come_from_the_host(there, monkeypatch):
    copied = []
    put = type(there).put
    monkeypatch.setattr(
        type(there), "put", lambda self, *of: copied.append(of[1].size) or put(self, *of)
    )
    sizes = ((40, 50), (64, 64), np.dtype(np.float32))
    Noise(zoneout=(0.5, 0.25), seed=1).of_states(there, 0, *sizes)
    assert not copied
    Noise(zoneout=(0.3, 0.0), seed=1).of_states(there, 0, *sizes)
    assert copied[0] < 40 * 50 * 64 / 1000
