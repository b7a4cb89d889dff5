"""Cells whose products are of bytes: what int8 inference computes, in plain NumPy.

    w[row]  = s q,    s = max |w[row]| / 127,    q whole, -127 to 127      or s and q as given
    x_t[b]  = s q,    s = max |x_t[b]| / 127     for each sequence b by itself
    h       = q / 127, to the nearest            where it meets weights, and only there
    W x     = s_row s_x (sum of q_w q_x)         a whole number, exactly

Whatever is quantized is divided in float32, as it is given, and rounded to the nearest, ties to
even; everything else is float64. Shapes are those of `lstm`, `gru` and `rnn`.
Source: symmetric dynamic quantization as in the papers on integer inference (B. Jacob et al., CVPR
2018), with a fixed scale for states that tanh and sigmoid bound.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from .scan import Array

__all__ = ["Bytes", "gru_step", "lstm_step", "of_rows", "of_units", "rnn_step"]


class Bytes(NamedTuple):
    """Rows of whole numbers (N, K), and the scale of each (N,)."""

    values: Array
    scale: Array

    def times(self, operand: Bytes) -> Array:
        """Return the product of rows of an operand (B, K) with these rows, (B, N)."""
        whole = operand.values.astype(np.int64) @ self.values.astype(np.int64).T
        return whole * operand.scale[:, None] * self.scale


def of_rows(rows: Array) -> Bytes:
    """Quantize rows (N, K), each by its largest number; a row of zeros has the scale 0."""
    rows = np.asarray(rows, np.float32)
    largest = np.abs(rows).max(axis=1, initial=0).astype(np.float32)
    inverse = np.divide(np.float32(127), largest, out=np.zeros_like(largest), where=largest > 0)
    scale = largest / np.float32(127)
    return Bytes(np.rint(rows * inverse[:, None]).astype(np.int64), scale.astype(np.float64))


def of_units(h: Array) -> Bytes:
    """Quantize states (B, H), all within -1 and 1."""
    values = np.rint(np.asarray(h, np.float32) * np.float32(127)).astype(np.int64)
    return Bytes(values, np.full(len(h), 1 / 127))


def lstm_step(x: Array, w_ih: Bytes, w_hh: Bytes, b: Array, h: Array, c: Array) -> list[Array]:
    """Return h and c after a step; b (4*H,) is the sum of both biases."""
    i, f, g, o = np.split(w_ih.times(of_rows(x)) + w_hh.times(of_units(h)) + b, 4, axis=1)
    c = _sigmoid(f) * c + _sigmoid(i) * np.tanh(g)
    return [_sigmoid(o) * np.tanh(c), c]


def gru_step(
    x: Array, w_ih: Bytes, w_hh: Bytes, b_ih: Array, b_hh: Array, h: Array, reset_after: bool
) -> Array:
    """Return h after a step."""
    units = h.shape[1]
    x_r, x_z, x_n = np.split(w_ih.times(of_rows(x)) + b_ih, 3, axis=1)
    h_r, h_z, h_n = np.split(w_hh.times(of_units(h)) + b_hh, 3, axis=1)
    r, z = _sigmoid(x_r + h_r), _sigmoid(x_z + h_z)
    if reset_after:
        n = np.tanh(x_n + r * h_n)
    else:
        last = Bytes(w_hh.values[2 * units :], w_hh.scale[2 * units :])
        n = np.tanh(x_n + last.times(of_units(r * h)) + b_hh[2 * units :])
    after: Array = (1 - z) * n + z * h
    return after


def rnn_step(x: Array, w_ih: Bytes, w_hh: Bytes, b: Array, h: Array) -> Array:
    """Return h after a step; b (H,) is the sum of both biases."""
    after: Array = np.tanh(w_ih.times(of_rows(x)) + w_hh.times(of_units(h)) + b)
    return after


def _sigmoid(x: Array) -> Array:
    half: Array = 0.5 * (1 + np.tanh(0.5 * x))
    return half
