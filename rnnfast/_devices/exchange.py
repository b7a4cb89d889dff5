"""From a caller's array to ours, over the same memory: by DLPack or the CUDA array interface."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from .array import CUDA, DeviceArray, Place, over
from .extension import loaded
from .libraries import LEGACY_STREAM, Library, library_of
from .types import FLOATS, DeviceType, type_on

_MANAGED = 13  # of DLPack's devices; memory of the host that a GPU sees is the host's


class _Described(NamedTuple):
    """An array, as its library describes it; strides in bytes."""

    address: int
    shape: tuple[int, ...]
    strides: tuple[int, ...] | None
    dtype: str
    place: Place
    owner: object


def is_on_device(value: object) -> bool:
    """Return whether an array says that it is on a GPU."""
    if isinstance(value, (DeviceArray, np.ndarray)):
        return isinstance(value, DeviceArray)
    if not hasattr(value, "__dlpack_device__"):
        return hasattr(value, "__cuda_array_interface__")
    try:
        kind, _ = value.__dlpack_device__()
    except (AttributeError, BufferError, RuntimeError, TypeError, ValueError):
        return False  # NumPy says what is wrong with it
    return int(kind) in (CUDA, _MANAGED)


def array_of(name: str, value: Any) -> DeviceArray | None:
    """Return an array on a device as our own, over the same memory; None for one on the host.

    As `real` of `_check` is for the host.
    """
    fix = f"; convert it, for example {name}.astype or {name}.to"
    return _array_of(name, value, FLOATS, fix)


def booleans_of(name: str, value: Any) -> DeviceArray | None:
    """As `array_of`, of bools."""
    return _array_of(name, value, ("bool",), f"; compare first: {name} != 0")


def mismatch(name: str, array: Any, model_name: str, dtype: Any) -> TypeError | None:
    """Return what to raise of an array elsewhere than `model_name` is; None if it is not."""
    own, wanted = _where(array.dtype), _where(dtype)
    if own == wanted:
        return None
    return TypeError(
        f"{name} must be on {wanted} like {model_name}, got an array on {own}; move one of them"
    )


def require_host(name: str, value: object) -> None:
    """Raise of an array on a device, of what is there for the host alone."""
    if is_on_device(value):
        raise TypeError(
            f"{name} must be on the host, got an array on a device; copy it, for example "
            f"{name}.cpu() or {name}.get()"
        )


def _where(dtype: object) -> str:
    """Return where arrays of a dtype lie."""
    return f"cuda:{dtype.device}" if isinstance(dtype, DeviceType) else "the host"


def _array_of(name: str, value: Any, types: tuple[str, ...], fix: str) -> DeviceArray | None:
    if not is_on_device(value):
        return None
    if isinstance(value, DeviceArray):
        array = value.view()
        got = array.dtype.name
    else:
        loaded()  # first: without it nothing else matters
        library = library_of(value)
        one = _described(name, value, library, _listed(types))
        got = one.dtype
    if got not in types:
        raise TypeError(f"{name} must be {_listed(types)}, got {got}{fix}")
    if isinstance(value, DeviceArray):
        return array
    device, stream = one.place
    dtype = type_on(got, device)
    geometry = over(one.address, one.shape, one.strides, dtype.geometry)
    if not geometry.flags.aligned:  # of which a copy would be as bad
        raise ValueError(
            f"{name} must lie, with all its strides, at multiples of the {dtype.itemsize} bytes of "
            f"a {got}, got address {one.address:#x} and strides {geometry.strides}; copy it with "
            "its library"
        )
    return DeviceArray(geometry, dtype, stream, library, one.owner)


def _listed(types: tuple[str, ...]) -> str:
    """Return words for any of some types."""
    *others, last = types
    return f"{', '.join(others)} or {last}" if others else last


def _described(name: str, value: Any, library: Library, types: str) -> _Described:
    by_interface = not library.stream and not hasattr(value, "__dlpack__")
    try:
        return _by_interface(value) if by_interface else _by_dlpack(value, library)
    except (AttributeError, BufferError, RuntimeError, TypeError, ValueError) as error:
        raise TypeError(
            f"{name} must be an array of {types}, but this {type(value).__name__} does not give "
            f"its memory: {error}"
        ) from error


def _by_dlpack(value: Any, library: Library) -> _Described:
    device = int(value.__dlpack_device__()[1])
    stream = library.stream(device) if library.stream else LEGACY_STREAM
    try:
        capsule = value.__dlpack__(stream=stream, max_version=(1, 0))
    except TypeError:  # of a library older than versions
        capsule = value.__dlpack__(stream=stream)
    address, shape, strides, dtype, itemsize, owner = loaded().opened(capsule)
    in_bytes = None if strides is None else tuple(itemsize * stride for stride in strides)
    return _Described(address, shape, in_bytes, dtype, (device, stream), owner)


def _by_interface(value: Any) -> _Described:
    interface = value.__cuda_array_interface__
    if interface.get("mask") is not None:
        raise TypeError("it has a mask")
    stream = interface.get("stream")
    if stream == 0:
        raise ValueError("stream 0 of its interface may be either default stream")
    address, _ = interface["data"]
    dtype = np.dtype(interface["typestr"])  # bfloat16 has none of its own
    place = (loaded().device_of(address), LEGACY_STREAM if stream is None else stream)
    name = dtype.name if dtype.isnative else f"{dtype.name} in another byte order"
    return _Described(
        address, tuple(interface["shape"]), interface.get("strides"), name, place, value
    )
