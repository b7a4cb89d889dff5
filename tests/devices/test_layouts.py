"""Arrays are read wherever and however they lie, or refused before anything is launched."""

import ctypes

import numpy as np
import pytest

import rnnfast
from gpu_arrays import InterfaceArray, Tensor, numbers

pytestmark = [pytest.mark.compiles, pytest.mark.usefixtures("streams")]

STEPS, ROWS, INPUTS, UNITS = 4, 3, 5, 6
SHAPES = {
    "x": (STEPS, ROWS, INPUTS),
    "w_ih": (4 * UNITS, INPUTS),
    "w_hh": (4 * UNITS, UNITS),
    "b_ih": (4 * UNITS,),
    "h0": (ROWS, UNITS),
    "c0": (ROWS, UNITS),
    "dy": (STEPS, ROWS, UNITS),
    "dh_n": (ROWS, UNITS),
}


def drawn(dtype):
    rng = np.random.default_rng(4)
    return {name: rng.standard_normal(shape).astype(dtype) for name, shape in SHAPES.items()}


def results(arrays):
    given = dict(arrays)
    above = {name: given.pop(name) for name in ("dy", "dh_n")}
    out, pull = rnnfast.lstm_vjp(**given)
    return [numbers(one) for one in (*out, *pull(**above)) if one is not None]


def every_other(library, array):
    """Of an array twice as long along its last axis."""
    wide = np.repeat(array, 2, axis=-1)
    return library.of(wide).seen_as(lambda geometry: geometry[..., ::2])


def backwards(library, array):
    """Along all axes."""
    turned = (slice(None, None, -1),) * array.ndim
    return library.of(array[turned].copy()).seen_as(lambda geometry: geometry[turned])


def in_columns(library, array):
    return library.of(array.T.copy()).seen_as(lambda geometry: geometry.T)


def inside_another(library, array):
    inner = tuple(slice(1, 1 + size) for size in array.shape)
    outer = np.full([size + 3 for size in array.shape], np.nan, array.dtype)
    outer[inner] = array
    return library.of(outer).seen_as(lambda geometry: geometry[inner])


def read_only(library, array):
    there = library.of(array)
    there.geometry.flags.writeable = False
    return there


@pytest.mark.parametrize("layout", [every_other, backwards, in_columns, inside_another, read_only])
@pytest.mark.parametrize("library", [Tensor, InterfaceArray])
@pytest.mark.parametrize("dtype", [np.float32, np.float16])
def test_any_layout_gives_the_same_bits(layout, library, dtype):
    arrays = drawn(dtype)
    wanted = results({name: library.of(array) for name, array in arrays.items()})
    found = results({name: layout(library, array) for name, array in arrays.items()})
    for one, its in zip(found, wanted, strict=True):
        np.testing.assert_array_equal(one, its)


def test_one_sequence_for_all_rows():
    """As of an expanded tensor, whose strides are zero."""
    arrays = drawn(np.float32)
    once = arrays["x"][:, :1]
    expanded = Tensor.of(once).seen_as(lambda one: np.broadcast_to(one, SHAPES["x"]))
    repeated = Tensor.of(np.repeat(once, ROWS, axis=1))
    weights = [Tensor.of(arrays[name]) for name in ("w_ih", "w_hh")]
    np.testing.assert_array_equal(
        numbers(rnnfast.lstm(expanded, *weights).y), numbers(rnnfast.lstm(repeated, *weights).y)
    )


class Field(InterfaceArray):
    """Numbers within records, whose addresses or strides fit no number; nobody looks at them."""

    offset, bytes_more = 0, 0

    @property
    def __cuda_array_interface__(self):
        interface = super().__cuda_array_interface__
        address, is_read_only = interface["data"]
        strides = tuple(stride + self.bytes_more for stride in interface["strides"])
        return {**interface, "data": (address + self.offset, is_read_only), "strides": strides}


@pytest.mark.parametrize(("offset", "bytes_more"), [(1, 0), (2, 0), (0, 2)])
@pytest.mark.parametrize("name", ["x", "w_hh", "h0"])
def test_numbers_at_addresses_of_none(name, offset, bytes_more):
    arrays = {
        name: InterfaceArray.of(array)
        for name, array in drawn(np.float32).items()
        if name not in ("dy", "dh_n")
    }
    right = arrays[name]
    arrays[name] = Field(right.geometry, right)
    arrays[name].offset, arrays[name].bytes_more = offset, bytes_more
    with pytest.raises(ValueError, match=rf"^{name} must lie, .* at multiples of the 4 bytes of "):
        rnnfast.lstm(**arrays)
    arrays[name] = right
    rnnfast.lstm(**arrays)


def test_a_device_that_is_not_there():
    arrays = drawn(np.float32)
    given = [Tensor.of(arrays[name], device=7) for name in ("x", "w_ih", "w_hh")]
    with pytest.raises(RuntimeError, match=r"^CUDA: cudaErrorInvalidDevice"):
        rnnfast.lstm(*given)


def test_what_is_given_is_never_written():
    arrays = drawn(np.float32)
    there = {name: Tensor.of(array) for name, array in arrays.items()}
    results(there)
    for name, array in arrays.items():
        held = (ctypes.c_byte * array.nbytes).from_address(there[name].geometry.ctypes.data)
        assert bytes(held) == array.tobytes(), name
