"""Reading safetensors: what the package writes, and damaged, foreign and huge files."""

import json
import os
import struct

import numpy as np
import pytest
from safetensors.numpy import save

from rnnfast.files import safetensors_file

F32, F64 = np.float32, np.float64
ARRAYS = {
    "a/kernel": np.arange(6, dtype=F32).reshape(2, 3),
    "a/bias": np.array([np.nan, -np.inf, 1e-45], F32),
    "b/none": np.zeros((0, 4), F32),
    "b/one": np.array(7, F32),
}


@pytest.fixture
def path(tmp_path):
    return tmp_path / "a.safetensors"


def parts(data):
    """Return header and numbers of a file."""
    (length,) = struct.unpack("<Q", data[:8])
    return json.loads(data[8 : 8 + length]), data[8 + length :]


def joined(header, numbers):
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + numbers


def stored(dtype, bits):
    """Return a file of one array of this type, from its bytes as an array of integers."""
    offsets = [0, bits.nbytes]
    entry = {"dtype": dtype, "shape": list(bits.shape), "data_offsets": offsets}
    return joined({"a": entry}, bits.tobytes())


def refused(path, data, *mentioned, wanted=ARRAYS):
    """Assert that a file is refused with its path and what else is to be mentioned."""
    path.write_bytes(data)
    with pytest.raises(ValueError) as caught:
        safetensors_file.read(path, wanted)
    for one in (str(path), *mentioned):
        assert one in str(caught.value)


def test_what_the_package_writes(path):
    path.write_bytes(save(ARRAYS, metadata={"format": "np"}))
    read = safetensors_file.read(path, ARRAYS)
    assert read.keys() == ARRAYS.keys()
    for name, array in ARRAYS.items():
        assert read[name].dtype == array.dtype
        assert read[name].tobytes() == array.tobytes()


# ------------------------------------------------------------------------------ types


@pytest.mark.parametrize("dtype", [F32, F64])
def test_every_float16(path, dtype):
    bits = np.arange(2**16, dtype=np.uint16)
    path.write_bytes(stored("F16", bits))
    got = safetensors_file.read(path, {"a": np.zeros(2**16, dtype)})["a"]
    assert got.dtype == dtype
    with np.errstate(invalid="ignore"):
        np.testing.assert_array_equal(got, bits.view(np.float16).astype(dtype))


@pytest.mark.parametrize("dtype", [F32, F64])
def test_every_bfloat16(path, dtype):
    bits = np.arange(2**16, dtype=np.uint16)
    path.write_bytes(stored("BF16", bits))
    got = safetensors_file.read(path, {"a": np.zeros(2**16, dtype)})["a"]
    sign, exponent, fraction = bits >> 15, (bits >> 7) & 0xFF, bits & 0x7F
    scale = np.exp2(np.maximum(exponent, 1) - 134.0)
    size = (fraction + np.where(exponent > 0, 128.0, 0.0)) * scale
    size[exponent == 255] = np.inf
    size[(exponent == 255) & (fraction > 0)] = np.nan
    np.testing.assert_array_equal(got, np.where(sign, -size, size))


def test_float64_that_float32_holds(path):
    exact = np.array([0.5, -0.0, 2.0**-149, 2.0**127, np.inf, np.nan])
    path.write_bytes(save({"a": exact}))
    got = safetensors_file.read(path, {"a": np.zeros(6, F32)})["a"]
    assert got.dtype == F32
    np.testing.assert_array_equal(got, exact)
    assert np.signbit(got[1])


@pytest.mark.parametrize("number", [0.1, 1e39, 1e-50, 1 + 2.0**-24])
def test_float64_that_float32_does_not_hold(path, number):
    data = save({"a": np.array([0.5, number])})
    wanted = {"a": np.zeros(2, F32)}
    refused(path, data, f"a in {path} is F64", "cannot hold 1 of 2", repr(number), wanted=wanted)
    got = safetensors_file.read(path, {"a": np.zeros(2, F64)})["a"]
    assert got[1] == number


OTHERS = "BOOL U8 I8 F8_E4M3 F8_E5M2 F8_E8M0 I16 U16 I32 U32 I64 U64 C64 F4 F6_E2M3 X9"


@pytest.mark.parametrize("dtype", OTHERS.split())
def test_numbers_that_are_no_floats(path, dtype):
    data = stored(dtype, np.ones(4, np.uint32))
    wanted = {"a": np.zeros(4, F32)}
    refused(
        path,
        data,
        "a in",
        f"must be of a floating-point type, F16, BF16, F32, F64, got {dtype}",
        wanted=wanted,
    )


# ------------------------------------------------------------------------------ damage


def test_cut_short_anywhere(path):
    whole = save(ARRAYS)
    for length in range(len(whole)):
        refused(path, whole[:length])


def test_one_bit_of_the_header_flipped(path):
    """A file is refused, or what was flipped says nothing of the arrays."""
    whole = save(ARRAYS, metadata={"format": "np"})
    loaded = 0
    for place in range(8 + struct.unpack("<Q", whole[:8])[0]):
        for bit in range(8):
            flipped = bytearray(whole)
            flipped[place] ^= 1 << bit
            path.write_bytes(flipped)
            try:
                read = safetensors_file.read(path, ARRAYS)
            except ValueError as error:
                assert str(path) in str(error)
                continue
            loaded += 1
            for name, array in ARRAYS.items():
                assert read[name].tobytes() == array.tobytes()
    assert loaded


@pytest.mark.parametrize("length", [2**63, 2**64 - 1, 2**31, 10**8, 10**8 + 1])
def test_the_length_of_the_header(path, length):
    refused(path, struct.pack("<Q", length) + save(ARRAYS)[8:], "is no safetensors file")


def test_a_huge_header(path):
    path.write_bytes(struct.pack("<Q", 2 * 10**8))
    os.truncate(path, 3 * 10**8)  # of holes, that take no room
    with pytest.raises(ValueError, match="its header would have 200000000 bytes"):
        safetensors_file.read(path, ARRAYS)


def test_a_huge_file(path):
    path.write_bytes(save(ARRAYS))
    os.truncate(path, 10**12)
    with pytest.raises(ValueError, match="is damaged: its arrays take 40 bytes, it holds 9999"):
        safetensors_file.read(path, ARRAYS)


@pytest.mark.parametrize(
    "offsets", [[0, 2**63], [2**64 - 8, 2**64 - 1], [-8, 8], [8, 0], [0, 10**15], [0], [0, 8.0], 3]
)
def test_offsets(path, offsets):
    header, numbers = parts(save(ARRAYS))
    header["a/kernel"]["data_offsets"] = offsets
    refused(path, joined(header, numbers), "a/kernel")


@pytest.mark.parametrize("shape", [[2**32, 2**32], [-1], [0], [2**62, 4], [6.0], [True] * 6, [], 6])
def test_shapes(path, shape):
    header, numbers = parts(save(ARRAYS))
    header["a/kernel"]["shape"] = shape
    refused(path, joined(header, numbers), "a/kernel")


def test_arrays_that_share_numbers(path):
    header, numbers = parts(save({"a": np.zeros(2, F32), "b": np.zeros(2, F32)}))
    header["b"] = header["a"]
    refused(path, joined(header, numbers), "b", wanted=dict.fromkeys("ab", np.zeros(2, F32)))


def test_headers_that_are_none(path):
    text, numbers = json.dumps(parts(save(ARRAYS))[0]), parts(save(ARRAYS))[1]
    refused(path, joined(b"[" * 40000, b""), "is no safetensors file")
    refused(path, joined(b"[]", b""), "is no safetensors file")
    refused(path, joined(text.encode("utf-16"), numbers), "is no safetensors file")
    twice = text.replace("a/bias", "a/kernel").encode()
    refused(path, joined(twice, numbers), "names appear twice")
    refused(path, joined({"a/kernel": None}, b""), "'a/kernel' must have a dtype")
    refused(path, joined({"a/kernel": [[]] * 10**5}, b""), "'a/kernel' must have a dtype")


def test_a_file_of_other_arrays(path):
    refused(path, save({"c": np.zeros(2, F32)}), "missing ['a/bias', ", "unexpected ['c']")


def test_a_file_that_gets_shorter_while_it_is_read(path, monkeypatch):
    whole = save(ARRAYS)
    path.write_bytes(whole)
    before = os.stat(path)
    path.write_bytes(whole[:-1])
    monkeypatch.setattr(os, "fstat", lambda file: before)
    with pytest.raises(ValueError, match=r"a\.safetensors has been cut short while it was read"):
        safetensors_file.read(path, ARRAYS)


# ------------------------------------------------------------------------------ no file


def test_what_is_no_file(path):
    with pytest.raises(FileNotFoundError, match=r"a\.safetensors"):
        safetensors_file.read(path, ARRAYS)
    path.mkdir()
    with pytest.raises(IsADirectoryError, match=r"Is a directory: .*a\.safetensors"):
        safetensors_file.read(path, ARRAYS)
    path.rmdir()
    os.mkfifo(path)  # to be opened it would wait for a writer
    with pytest.raises(OSError, match=r"is no regular file: .*a\.safetensors"):
        safetensors_file.read(path, ARRAYS)
    path.unlink()
    path.symlink_to(path.name)
    with pytest.raises(OSError, match=r"a\.safetensors"):
        safetensors_file.read(path, ARRAYS)
