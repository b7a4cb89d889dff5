"""Capsules as DLPack describes them, read here by their C structures."""

import ctypes
import gc

import numpy as np
import pytest

from gpu_arrays import DLPackArray, InterfaceArray
from rnnfast._devices import array_of

pytestmark = [pytest.mark.compiles, pytest.mark.usefixtures("gpu")]


class Device(ctypes.Structure):
    _fields_ = [("type", ctypes.c_int32), ("id", ctypes.c_int32)]


class Type(ctypes.Structure):
    _fields_ = [("code", ctypes.c_uint8), ("bits", ctypes.c_uint8), ("lanes", ctypes.c_uint16)]


class TensorFields(ctypes.Structure):
    _fields_ = [
        ("data", ctypes.c_void_p),
        ("device", Device),
        ("ndim", ctypes.c_int32),
        ("dtype", Type),
        ("shape", ctypes.POINTER(ctypes.c_int64)),
        ("strides", ctypes.POINTER(ctypes.c_int64)),
        ("byte_offset", ctypes.c_uint64),
    ]


DELETER = ctypes.CFUNCTYPE(None, ctypes.c_void_p)


class Managed(ctypes.Structure):
    _fields_ = [("tensor", TensorFields), ("context", ctypes.c_void_p), ("deleter", DELETER)]


class Versioned(ctypes.Structure):
    _fields_ = [
        ("major", ctypes.c_uint32),
        ("minor", ctypes.c_uint32),
        ("context", ctypes.c_void_p),
        ("deleter", DELETER),
        ("flags", ctypes.c_uint64),
        ("tensor", TensorFields),
    ]


FORMS = [("dltensor", Managed), ("dltensor_versioned", Versioned)]

pointer_of = ctypes.pythonapi.PyCapsule_GetPointer
pointer_of.restype, pointer_of.argtypes = ctypes.c_void_p, [ctypes.py_object, ctypes.c_char_p]
rename = ctypes.pythonapi.PyCapsule_SetName
rename.argtypes = [ctypes.py_object, ctypes.c_char_p]
new_capsule = ctypes.pythonapi.PyCapsule_New
new_capsule.restype = ctypes.py_object
new_capsule.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_void_p]


def an_array(numbers):
    return array_of("x", InterfaceArray.of(numbers))


@pytest.mark.parametrize(("name", "form"), FORMS)
def test_what_a_capsule_holds(name, form):
    array = an_array(np.zeros((4, 6)))[1:3, ::2]
    version = (1, 1) if form is Versioned else None
    capsule = array.__dlpack__(stream=-1, max_version=version)
    held = ctypes.cast(pointer_of(capsule, name.encode()), ctypes.POINTER(form)).contents
    tensor = held.tensor
    assert (tensor.device.type, tensor.device.id) == array.__dlpack_device__() == (2, 0)
    assert (tensor.dtype.code, tensor.dtype.bits, tensor.dtype.lanes) == (2, 64, 1)
    assert (tensor.shape[:2], tensor.strides[:2]) == ([2, 3], [6, 2])
    assert tensor.data + tensor.byte_offset == array.__cuda_array_interface__["data"][0]
    if form is Versioned:
        assert (held.major, held.flags) == (1, 0)


@pytest.mark.parametrize(("of", "code"), [({"bfloat16": True}, 4), ({}, 2)])
def test_types_of_16_bits(of, code):
    array = array_of("x", DLPackArray.of(np.ones((2, 3), np.float16), **of))
    capsule = array.__dlpack__(stream=-1)
    held = ctypes.cast(pointer_of(capsule, b"dltensor"), ctypes.POINTER(Managed)).contents
    assert (held.tensor.dtype.code, held.tensor.dtype.bits) == (code, 16)
    assert str(array.dtype) == ("bfloat16" if of else "float16")


@pytest.mark.parametrize("taken", [False, True])
@pytest.mark.parametrize(("name", "form"), FORMS)
def test_the_memory_is_kept_until_nobody_needs_it(name, form, taken, gpu):
    gc.collect()
    before = gpu.taken()
    array = an_array(np.zeros(10))
    version = (1, 0) if form is Versioned else None
    capsule = array.__dlpack__(stream=-1, max_version=version)
    del array
    gc.collect()
    assert gpu.taken() > before
    if taken:
        held = ctypes.cast(pointer_of(capsule, name.encode()), ctypes.POINTER(form)).contents
        used = f"used_{name}".encode()
        rename(capsule, used)
        del capsule
        gc.collect()
        assert gpu.taken() > before
        held.deleter(ctypes.addressof(held))
    else:
        del capsule
    gc.collect()
    assert gpu.taken() == before


class Given:
    """A producer that writes its capsules itself."""

    def __init__(self, form, name, array, major=1, strides=True):
        self.deleted = []
        self.form, self.name, self.array = form, name.encode(), array
        self.held = form()
        self.shape = (ctypes.c_int64 * array.ndim)(*array.shape)
        in_elements = [stride // array.itemsize for stride in array.strides]
        self.strides = (ctypes.c_int64 * array.ndim)(*in_elements)
        address = array.__cuda_array_interface__["data"][0]
        self.held.tensor = TensorFields(
            address - 8, Device(2, 0), array.ndim, Type(2, 32, 1), self.shape, None, 8
        )
        if strides:
            self.held.tensor.strides = self.strides
        if form is Versioned:
            self.held.major = major
        self.held.deleter = DELETER(lambda _: self.deleted.append(True))

    def __dlpack_device__(self):
        return 2, 0

    def __dlpack__(self, *, stream=None, max_version=None):
        return new_capsule(ctypes.addressof(self.held), self.name, None)


@pytest.mark.parametrize("strides", [False, True])
@pytest.mark.parametrize(("name", "form"), FORMS)
def test_capsules_of_others_are_read(name, form, strides):
    wanted = np.arange(12, dtype=np.float32).reshape(3, 4)
    given = Given(form, name, an_array(wanted), strides=strides)
    array = array_of("x", given)
    np.testing.assert_array_equal(np.array(array.geometry), wanted)
    part = array[1:]
    del array
    assert not given.deleted  # a part of it is still there
    del part
    gc.collect()
    assert given.deleted == [True]


def test_a_version_that_is_not_known():
    given = Given(Versioned, "dltensor_versioned", an_array(np.zeros((2, 2), np.float32)), major=2)
    with pytest.raises(TypeError, match=r"^x must be .* a tensor of DLPack 2, of which 1 is known"):
        array_of("x", given)
    assert not given.deleted  # whose it still is


def test_a_capsule_is_taken_once():
    capsule = an_array(np.zeros(3)).__dlpack__(stream=-1)

    class Twice:
        def __dlpack_device__(self):
            return 2, 0

        def __dlpack__(self, *, stream=None, max_version=None):
            return capsule

    array_of("x", Twice())
    with pytest.raises(TypeError, match=r"^x must be .* a tensor that nobody has taken"):
        array_of("x", Twice())
