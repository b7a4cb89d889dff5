"""Arrays on GPUs: the one place that knows of them.

    extension   `_cuda`, which is there or not, and what it finds on this machine
    libraries   whose array it is: the stream that its library works on, how results become its own
    types       what arrays hold, and what is computed in
    array       an array of a device as the rest of the package sees it
    exchange    from a caller's array to ours, over the same memory
    place       a call's device and stream: passes by the names that `_core` has for them

An array is on a device if it says so by DLPack or by the CUDA array interface. A call runs on the
stream of its `x`; other arguments are waited for there, by the device and not by the host.
"""

from __future__ import annotations

from .array import DeviceArray, over
from .exchange import array_of, booleans_of, is_on_device, mismatch, require_host
from .extension import config, lacks, queue
from .libraries import LEGACY_STREAM, Library
from .place import DevicePlace, place_of
from .types import DeviceType, computed_in, is_of_device, type_on

__all__ = [
    "LEGACY_STREAM",
    "DeviceArray",
    "DevicePlace",
    "DeviceType",
    "Library",
    "array_of",
    "booleans_of",
    "computed_in",
    "config",
    "is_of_device",
    "is_on_device",
    "lacks",
    "mismatch",
    "over",
    "place_of",
    "queue",
    "require_host",
    "type_on",
]
