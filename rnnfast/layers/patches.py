"""What each place of a convolution sees, as rows of numbers: a convolution becomes a product.

p[n, y, x, (i, j), :] = image[n, s y + d i - a, s x + d j - a', :]         zero beyond the edge

for strides s, dilation d and taps (i, j) of the kernel. Without padding a = 0; with "same" there
are as many places as strides fit into the image, and the zeros that this takes stand on both
sides, the odd one below or right, as in Keras.
"""

from __future__ import annotations

from itertools import product
from typing import NamedTuple

from rnnfast.layers.layer import Array

Pair = tuple[int, int]


class Axis(NamedTuple):
    """One axis of a convolution."""

    length: int
    kernel: int
    stride: int
    dilation: int
    padding: str  # "valid" or "same"

    @property
    def reach(self) -> int:
        """How many numbers there are from the first to the last that a place sees."""
        return (self.kernel - 1) * self.dilation + 1

    @property
    def places(self) -> int:
        """How many places there are."""
        seen = self.length if self.padding == "same" else self.length - self.reach + 1
        return -(-seen // self.stride)

    @property
    def before(self) -> int:
        """How many zeros stand before the axis."""
        if self.padding == "valid":
            return 0
        return max((self.places - 1) * self.stride + self.reach - self.length, 0) // 2

    def met(self, tap: int) -> tuple[slice, slice]:
        """Find the places whose tap meets the image, and what it meets there."""
        shift = tap * self.dilation - self.before
        first = max(-(shift // self.stride), 0)
        end = min(-((shift - self.length) // self.stride), self.places)
        if end <= first:
            return slice(0), slice(0)
        start = first * self.stride + shift
        return slice(first, end), slice(start, (end - 1) * self.stride + shift + 1, self.stride)


class Patches:
    """The patches of images of one size.

    Parameters
    ----------
    axes : (Axis, Axis)
        Rows and columns.
    taps : sequence of (int, int), optional
        The taps that a patch has, in their order; by default all, row by row.

    Attributes
    ----------
    places : (int, int)
        Rows and columns of what the convolution gives.
    """

    def __init__(self, axes: tuple[Axis, Axis], taps: list[Pair] | None = None) -> None:
        rows, columns = axes
        self.places: Pair = (rows.places, columns.places)
        if taps is None:
            taps = list(product(range(rows.kernel), range(columns.kernel)))
        self._met = [(rows.met(i), columns.met(j)) for i, j in taps]

    def gather(self, images: Array, patches: Array) -> None:
        """Write the patches of images; what lies beyond an edge is left as it is.

        Parameters
        ----------
        images : ndarray, shape (N, rows, columns, channels)
            The images.
        patches : ndarray, shape (N, *places, taps * channels)
            Where to, zeros beyond the edges.
        """
        channels = images.shape[-1]
        for tap, ((places, rows), (across, columns)) in enumerate(self._met):
            own = slice(tap * channels, (tap + 1) * channels)
            patches[:, places, across, own] = images[:, rows, columns]

    def scatter(self, patches: Array, images: Array) -> None:
        """Add to each number of the images what stands for it in the patches.

        Parameters
        ----------
        patches : ndarray, shape (N, *places, taps * channels)
            Gradients by what `gather` writes.
        images : ndarray, shape (N, rows, columns, channels)
            What they are added to.
        """
        channels = images.shape[-1]
        for tap, ((places, rows), (across, columns)) in enumerate(self._met):
            own = slice(tap * channels, (tap + 1) * channels)
            images[:, rows, columns] += patches[:, places, across, own]
