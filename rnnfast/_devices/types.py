"""What arrays of a device hold: NumPy's types, and bfloat16, which NumPy has not.

    type        its geometry is of      computed in
    float32     float32                 float32
    float64     float64                 float64
    float16     float16                 float32
    bfloat16    uint16                  float32
    bool        bool

Of 16 bits are arrays and operands of products; sums, states, gates and masks are float32. What
comes out, gradients too, is of the type that came in, as from PyTorch.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

FLOATS = ("float32", "float64", "float16", "bfloat16")


@dataclass(frozen=True, eq=False, slots=True)
class DeviceType:
    """A type of numbers on a device, as an array's `dtype`; there is one object for each.

    So the comparison that finds an argument of another dtype than `x` finds one on another device
    as well.
    """

    name: str
    device: int

    @property
    def geometry(self) -> np.dtype[Any]:
        """NumPy's type of as many bytes."""
        return np.dtype("uint16" if self.name == "bfloat16" else self.name)

    @property
    def scalar(self) -> np.dtype[Any]:
        """What its numbers are computed in, and masks are of."""
        return np.dtype("float32" if self.name.endswith("float16") else self.name)

    @property
    def itemsize(self) -> int:
        """Bytes of a number."""
        return self.geometry.itemsize

    @property
    def typestr(self) -> str:
        """As the CUDA array interface writes it; of bfloat16 as PyTorch and ml_dtypes do."""
        return "<V2" if self.name == "bfloat16" else self.geometry.str

    def __str__(self) -> str:
        """Return the name, as of NumPy's types."""
        return self.name


_TYPES: dict[tuple[str, int], DeviceType] = {}


def type_on(name: str, device: int) -> DeviceType:
    """Return the type of a name on a device; the same object to whichever threads ask at once."""
    return _TYPES.setdefault((name, device), DeviceType(name, device))


def is_of_device(dtype: object) -> bool:
    """Return whether arrays of a dtype are on a device."""
    return isinstance(dtype, DeviceType)


def computed_in(dtype: Any) -> np.dtype[Any]:
    """Return what a call computes in whose arrays are of a dtype, of the host or a device."""
    return dtype.scalar if isinstance(dtype, DeviceType) else dtype
