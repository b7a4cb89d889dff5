"""Recurrent layers with what Keras lacks, run by the kernels alone."""

from __future__ import annotations

from typing import Any, ClassVar

import keras

from ._fallback import CannotRun
from ._hook import run
from .cells import GRUCell, LSTMCell, register


class _Recurrent(keras.layers.RNN):  # type: ignore[misc]  # Keras is not looked into
    """A layer over one of our cells: arguments of `keras.layers.RNN`, and of the cell."""

    cell_class: ClassVar[type]

    def __init__(
        self,
        units: int,
        *,
        return_sequences: bool = False,
        return_state: bool = False,
        go_backwards: bool = False,
        stateful: bool = False,
        zero_output_for_mask: bool = False,
        activity_regularizer: Any = None,
        name: str | None = None,
        trainable: bool = True,
        dtype: Any = None,
        **of_cell: Any,
    ) -> None:
        super().__init__(
            self.cell_class(units, trainable=trainable, dtype=dtype, **of_cell),
            return_sequences=return_sequences,
            return_state=return_state,
            go_backwards=go_backwards,
            stateful=stateful,
            zero_output_for_mask=zero_output_for_mask,
            activity_regularizer=activity_regularizer,
            name=name,
            trainable=trainable,
            dtype=dtype,
        )

    def inner_loop(
        self, sequences: Any, initial_state: Any, mask: Any, training: bool = False
    ) -> tuple[Any, Any, list[Any]]:
        """As `keras.layers.RNN.inner_loop`, by the kernels."""
        try:
            return run(self, sequences, initial_state, mask, training)
        except CannotRun as left:
            if not str(left):  # shapes alone are asked for
                return super().inner_loop(sequences, initial_state, mask)  # type: ignore[no-any-return]
            raise NotImplementedError(
                f"{type(self).__name__} runs in float32 and float64 on the CPU, got {left}; for "
                "anything else take Keras's own layer"
            ) from left

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        config = super().get_config()
        del config["cell"], config["unroll"]
        of_cell = self.cell.get_config()
        return {**of_cell, **config}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> _Recurrent:
        """Make a layer of its configuration."""
        return cls(**config)


@register
class LSTM(_Recurrent):
    """`keras.layers.LSTM` with peepholes, layer normalization and zoneout.

    Parameters
    ----------
    units : int
        Number of hidden units, H.
    peephole, layer_norm, zoneout
        See `rnnfast.interop.keras.LSTMCell`.
    **others
        As of `keras.layers.LSTM`, by keyword, but for `unroll` and `use_cudnn`. `dropout` and
        `recurrent_dropout` have one mask for all gates.

    Raises
    ------
    ValueError, TypeError
        When an argument is none of these.
    NotImplementedError
        When it is called where the kernels cannot run: on other devices, in other types.
    """

    cell_class = LSTMCell


@register
class GRU(_Recurrent):
    """`keras.layers.GRU` with layer normalization and zoneout.

    Parameters
    ----------
    units : int
        Number of hidden units, H.
    layer_norm, zoneout
        See `rnnfast.interop.keras.GRUCell`.
    **others
        As of `keras.layers.GRU`, by keyword, but for `unroll` and `use_cudnn`. `dropout` and
        `recurrent_dropout` have one mask for all gates.

    Raises
    ------
    ValueError, TypeError
        When an argument is none of these.
    NotImplementedError
        When it is called where the kernels cannot run: on other devices, in other types.
    """

    cell_class = GRUCell
