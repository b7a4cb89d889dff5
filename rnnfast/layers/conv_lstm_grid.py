"""The steps of a convolutional LSTM: each place of an image is a row of an ordinary one.

    w_ih = [W, U without its centre]^T      w_hh = (the centre of U)^T
    h_t, c_t = lstm([patch of x_t, patch of h_{t-1} without its centre], (h_{t-1}, c_{t-1}))

A step is one call of the kernels, over all places of all images. Backward it gives the gradients
by patches, which are added up where the patches overlap. Sequences are (time, batch, rows,
columns, channels) here, the steps that are there first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rnnfast._check.precision import Precision
from rnnfast.functional import Prepacked, lstm_vjp, prepack
from rnnfast.functional.options import Activations
from rnnfast.layers.layer import Array
from rnnfast.layers.patches import Axis, Pair, Patches
from rnnfast.layers.recurrent_layer import States
from rnnfast.layers.unidirectional import Scanned

# From dL/dy and the gradients by the last states to those by x, the weights and the first states.
GridPullback = Callable[
    [Array | None, Sequence[Array | None]], tuple[Array | None, list[Array], list[Array]]
]

_Images = slice | NDArray[np.intp]


class Grid:
    """The places of images of one size, and what each of them sees.

    Parameters
    ----------
    axes : (Axis, Axis)
        Rows and columns of the input's convolution.
    channels : int
        Of the input.
    filters : int
        H.

    Attributes
    ----------
    state_shape : (int, int, int)
        Rows, columns and H of a state.
    """

    def __init__(self, axes: tuple[Axis, Axis], channels: int, filters: int) -> None:
        self._around = Patches(axes)
        places, kernel = self._around.places, (axes[0].kernel, axes[1].kernel)
        # Where an even kernel's centre is follows from where its odd zero stands: after the image.
        self._centre: Pair = ((kernel[0] - 1) // 2, (kernel[1] - 1) // 2)
        taps = list(product(range(kernel[0]), range(kernel[1])))
        self._neighbours = [tap != self._centre for tap in taps]
        rows, columns = (Axis(n, k, 1, 1, "same") for n, k in zip(places, kernel, strict=True))
        self._beside = Patches((rows, columns), [tap for tap in taps if tap != self._centre])
        self._channels = channels
        self._filters = filters
        self._of_input = len(taps) * channels
        self._width = self._of_input + (len(taps) - 1) * filters
        self.state_shape = (*places, filters)

    # ----------------------------------------------------------------------------- weights

    def matrices(self, kernel: Array, recurrent_kernel: Array) -> tuple[Array, Array]:
        """Give w_ih and w_hh of kernels (rows, columns, channels or H, 4*H)."""
        gates = kernel.shape[-1]
        beside = self._by_tap(recurrent_kernel)[self._neighbours]
        seen = np.concatenate([kernel.reshape(-1, gates), beside.reshape(-1, gates)])
        return np.ascontiguousarray(seen.T), np.ascontiguousarray(recurrent_kernel[self._centre].T)

    def kernel_gradients(self, dw_ih: Array, dw_hh: Array, shapes: Sequence[Any]) -> list[Array]:
        """Invert `matrices`: give the gradients by kernels of two shapes."""
        of_kernel, of_neighbours = np.split(dw_ih.T, [self._of_input])
        drecurrent = np.empty(shapes[1], dw_ih.dtype)
        by_tap = self._by_tap(drecurrent)
        by_tap[self._neighbours] = of_neighbours.reshape(-1, *by_tap.shape[1:])
        drecurrent[self._centre] = dw_hh.T
        return [of_kernel.reshape(shapes[0]), drecurrent]

    def _by_tap(self, recurrent_kernel: Array) -> Array:
        return recurrent_kernel.reshape(-1, *recurrent_kernel.shape[2:])

    def pack(
        self,
        weights: Sequence[Array],
        activations: Activations,
        precision: Precision | None = None,
    ) -> Prepacked[Any, Any]:
        """Pack kernel, recurrent kernel and, if there is one, bias."""
        kernel, recurrent_kernel, *bias = weights
        matrices = self.matrices(kernel, recurrent_kernel)
        return prepack("lstm", *matrices, *bias, activations=activations, precision=precision)

    # ------------------------------------------------------------------------------- steps

    def run(
        self,
        cell: Prepacked[Any, Any],
        x: Array,
        states: States | None,
        lengths: Array | None,
        *,
        backwards: bool,
    ) -> Scanned:
        """Take all steps: give h of all, (time, batch, *state_shape), and the last states."""
        h, c = self._zeros(x) if states is None else states
        y = np.zeros((len(x), *h.shape), x.dtype)
        for t, there in _order(len(x), lengths, backwards=backwards):
            seen = self._seen(x[t, there], h[there])
            after = cell.step(_rows(seen), (_rows(h[there]), _rows(c[there])))
            h, c = (_put(old, there, new) for old, new in zip((h, c), after, strict=True))
            y[t, there] = h[there]
        return y, (h, c)

    def run_vjp(
        self,
        weights: Sequence[Array],
        activations: Activations,
        x: Array,
        states: States | None,
        lengths: Array | None,
        recurrent_mask: Array | None,
        *,
        backwards: bool,
        wrt_input: bool,
        wrt_weights: bool,
    ) -> tuple[Scanned, GridPullback]:
        """Take all steps, h times a mask (batch, *state_shape), with the pullback."""
        kernel, recurrent_kernel, *bias = weights
        matrices = self.matrices(kernel, recurrent_kernel)
        names = ["w_ih", "w_hh", "b_ih"][: len(weights)] if wrt_weights else []
        h, c = self._zeros(x) if states is None else states
        y = np.zeros((len(x), *h.shape), x.dtype)
        taken = []
        for t, there in _order(len(x), lengths, backwards=backwards):
            met = h[there] if recurrent_mask is None else h[there] * recurrent_mask[there]
            out, pull = lstm_vjp(
                _rows(self._seen(x[t, there], met))[None],
                *matrices,
                *bias,
                h0=_rows(met),
                c0=_rows(c[there]),
                activations=activations,
                wrt=(*names, "x", "h0", "c0"),
            )
            h, c = _put(h, there, out.h_n), _put(c, there, out.c_n)
            y[t, there] = h[there]
            taken.append((t, there, pull))

        def pullback(
            dy: Array | None, dstates: Sequence[Array | None]
        ) -> tuple[Array | None, list[Array], list[Array]]:
            dh, dc = (np.zeros_like(h) if one is None else one.copy() for one in dstates)
            dx = np.zeros_like(x) if wrt_input else None
            sums = [np.zeros_like(one) for one in (*matrices, *bias)] if wrt_weights else []
            for t, there, pull in reversed(taken):
                if dy is not None:
                    dh[there] += dy[t, there]
                grads = pull(dh_n=_rows(dh[there]), dc_n=_rows(dc[there]))
                for total, name in zip(sums, names, strict=True):
                    total += getattr(grads, name)
                dmet = grads.h0.reshape(-1, *self.state_shape)
                dseen = grads.x.reshape(*dmet.shape[:-1], self._width)
                self._beside.scatter(dseen[..., self._of_input :], dmet)
                dh[there] = dmet if recurrent_mask is None else dmet * recurrent_mask[there]
                dc[there] = grads.c0.reshape(dmet.shape)
                if dx is not None:
                    dx[t, there] = self._by_input(dseen, x.shape[2:])
            if not wrt_weights:
                return dx, [], [dh, dc]
            shapes = (kernel.shape, recurrent_kernel.shape)
            of_kernels = self.kernel_gradients(sums[0], sums[1], shapes)
            return dx, [*of_kernels, *sums[2:]], [dh, dc]

        return (y, (h, c)), pullback

    def _zeros(self, x: Array) -> States:
        shape = (x.shape[1], *self.state_shape)
        return np.zeros(shape, x.dtype), np.zeros(shape, x.dtype)

    def _seen(self, x: Array, h: Array) -> Array:
        """Give what each place sees of images and of h."""
        seen = np.zeros((*h.shape[:-1], self._width), x.dtype)
        self._around.gather(x, seen[..., : self._of_input])
        self._beside.gather(h, seen[..., self._of_input :])
        return seen

    def _by_input(self, dseen: Array, image: tuple[int, ...]) -> Array:
        """Give the gradient by the images."""
        dx = np.zeros((len(dseen), *image), dseen.dtype)
        self._around.scatter(dseen[..., : self._of_input], dx)
        return dx


def _order(steps: int, lengths: Array | None, *, backwards: bool) -> Iterator[tuple[int, _Images]]:
    """Give the steps that are taken, one after another, and the images that are there."""
    for t in range(steps)[:: -1 if backwards else 1]:
        there = slice(None) if lengths is None else np.flatnonzero(lengths > t)
        if isinstance(there, slice) or len(there):
            yield t, there


def _rows(values: Array) -> Array:
    """Make one axis of images, rows and columns."""
    return values.reshape(-1, values.shape[-1])


def _put(states: Array, there: _Images, rows: Array) -> Array:
    """Give the states after a step: those of the images that are there are new."""
    images = rows.reshape(-1, *states.shape[1:])
    if isinstance(there, slice):
        return images
    after = states.copy()
    after[there] = images
    return after
