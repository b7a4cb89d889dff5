"""DynamicQuantizeLSTM, of ONNX Runtime's own operators: what its whole numbers stand for.

W (D, I, 4*H) and R (D, H, 4*H), of int8 or uint8, have a scale and a zero point for each direction,
(D,), or for each gate and unit, (D, 4*H).
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from ..._check.quantized import QuantizedWeight

NAMES = {8: "W_scale", 9: "W_zero_point", 10: "R_scale", 11: "R_zero_point"}
OF_W, OF_R = 8, 10  # the places of scales among the inputs; zero points follow
INPUTS = 12


def is_quantized(node: Any) -> bool:
    """Return whether a node of a graph is one."""
    return bool(node.op_type == "DynamicQuantizeLSTM" and node.domain == "com.microsoft")


def rows_of(
    name: str, matrix: npt.NDArray[Any], scale: Any, zero_point: Any
) -> tuple[npt.NDArray[Any], npt.NDArray[Any], npt.NDArray[Any]]:
    """Return numbers (D, 4*H, K), and scales and zero points (D, 4*H), as other matrices lie."""
    if scale is None:
        raise ValueError(f"{name} must have scales of its weights, got none")
    values = np.swapaxes(matrix, 1, 2)
    zeros = np.zeros_like(scale, np.int64) if zero_point is None else zero_point
    return values, _of_each_row(scale, values), _of_each_row(zeros, values)


def weights(name: str, values: list[Any], scales: list[Any], zeros: list[Any]) -> list[Any]:
    """Return the weights of each direction; ValueError where they do not fit into signed bytes."""
    try:
        return [QuantizedWeight(*parts) for parts in zip(values, scales, zeros, strict=True)]
    except ValueError as error:
        raise ValueError(f"weights of {name}: {error}") from None


def _of_each_row(numbers: npt.NDArray[Any], values: npt.NDArray[Any]) -> npt.NDArray[Any]:
    directions, rows, _ = values.shape
    whole = numbers.reshape(directions, -1)
    return np.broadcast_to(whole, (directions, rows))
