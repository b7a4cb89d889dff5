"""Pruning of recurrent weights while they are trained (Zhu & Gupta, 2017; arXiv:1710.01878).

s_t = s_f + (s_i - s_f) (1 - (t - t_0) / (t_1 - t_0))^3     sparsity at step t, from t_0 to t_1
|b| = sqrt(sum of the squares of the weights in block b)    of which the smallest become zero

A block is 16 units of a gate at one k, as LPCNet has them (Valin & Skoglund, 2019;
arXiv:1810.11846): the kernels skip those that are zero.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from rnnfast._check import sparse
from rnnfast.callbacks.callback import Callback, Logs
from rnnfast.utils.hyperparameters import require_positive, share, whole

Array = NDArray[Any]
Mask = NDArray[np.bool_]


class BlockPruning(Callback):
    """Make blocks of the recurrent weights of LSTMs and GRUs zero, more and more: not in Keras.

    After every step of the optimizer what has been pruned is zero again, until the end of training.
    `rnnfast.load(weights, sparse=True)` serves the layers, and `rnnfast.prepack` takes them,
    without the zeros.

    Parameters
    ----------
    final_sparsity : float
        Share of the blocks of each layer's recurrent weights that are zero in the end, from 0 to 1.
    end_step : int
        The step of the optimizer, counted from the first `fit` on, at which it is reached.
    begin_step : int, default 0
        The step at which pruning begins.
    initial_sparsity : float, default 0.0
        The share with which it begins.
    frequency : int, default 100
        Steps from one choice of blocks to the next: the weights that are left recover meanwhile.

    Attributes
    ----------
    step : int
        Steps that have been taken.

    Raises
    ------
    ValueError
        When a number is out of its range; when training begins and the model has no LSTM or GRU
        that could be served so (those with peepholes or layer normalization cannot), or has other
        layers than those that have been pruned.
    TypeError
        When a number is none.

    Notes
    -----
    A layer that is not trainable is left as it is. With `EarlyStopping` and
    `restore_best_weights`, let `start_from_epoch` be beyond `end_step`: an earlier epoch has been
    pruned less. Or let `BlockPruning` stand after it among the callbacks: what it restores at the
    end is pruned again.

    Examples
    --------
    >>> import numpy as np
    >>> import rnnfast
    >>> from rnnfast import Sequential, callbacks, layers, models
    >>> model = Sequential([layers.Input((None, 3)), layers.GRU(32), layers.Dense(1)])
    >>> model.compile(optimizer="adam", loss="mse")
    >>> pruning = callbacks.BlockPruning(0.9, end_step=20, frequency=5)
    >>> x, y = np.ones((64, 5, 3)), np.ones((64, 1))
    >>> history = model.fit(x, y, batch_size=16, epochs=6, callbacks=[pruning], verbose=0)
    >>> gru = model.layers[0].prepack(sparse=True)
    >>> round(gru.weights().density, 2)
    0.1
    """

    def __init__(
        self,
        final_sparsity: float,
        end_step: int,
        begin_step: int = 0,
        initial_sparsity: float = 0.0,
        frequency: int = 100,
    ) -> None:
        super().__init__()
        self.final_sparsity = share("final_sparsity", final_sparsity)
        self.initial_sparsity = share("initial_sparsity", initial_sparsity)
        if self.initial_sparsity > self.final_sparsity:
            raise ValueError(
                f"initial_sparsity must be at most final_sparsity = {self.final_sparsity}, got "
                f"{self.initial_sparsity}"
            )
        self.begin_step = whole("begin_step", begin_step)
        self.end_step = whole("end_step", end_step)
        if not 0 <= self.begin_step <= self.end_step:
            raise ValueError(
                f"begin_step must be from 0 to end_step = {self.end_step}, got {self.begin_step}"
            )
        self.frequency = require_positive("frequency", frequency)
        self.step = 0
        self._masks: list[Mask] = []  # of each layer: which blocks are left; none before the first

    def sparsity(self, step: int) -> float:
        """Return the share of blocks that are to be zero.

        Parameters
        ----------
        step : int
            From `begin_step` on; it stays as it is after `end_step`.

        Returns
        -------
        float
            From `initial_sparsity` to `final_sparsity`.
        """
        if step >= self.end_step:
            return self.final_sparsity
        left = 1 - (step - self.begin_step) / (self.end_step - self.begin_step)
        return self.final_sparsity + (self.initial_sparsity - self.final_sparsity) * left**3

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Look for what there is to prune."""
        blocks = [sparse.kept(w_hh, gates).shape for w_hh, gates in self._weights()]
        if not blocks:
            raise ValueError(
                "BlockPruning needs a trainable LSTM or GRU, without peepholes and layer_norm, "
                f"got none in model {self.model.name!r}"
            )
        if self._masks and blocks != [mask.shape for mask in self._masks]:
            raise ValueError(
                "BlockPruning goes on with the layers that it has pruned, got others in model "
                f"{self.model.name!r}: make a new one"
            )

    def on_train_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """Prune where it is time, and have what has been pruned at zero."""
        since = self.step - self.begin_step
        if since >= 0 and self.step <= self.end_step and self._is_due(since):
            self._prune(self.sparsity(self.step))
        self._mask()
        self.step += 1

    def on_train_end(self, logs: Logs | None = None) -> None:
        """Have it so at the end, also of weights that a callback before this one has restored."""
        self._mask()

    def get_state(self) -> dict[str, Any]:
        """Return the step and what is left; see `Callback.get_state`."""
        return {"step": self.step, "masks": [mask.astype(np.uint8) for mask in self._masks]}

    def set_state(self, state: dict[str, Any]) -> None:
        """Go on from a state; see `Callback.set_state`."""
        self.step = state["step"]
        self._masks = [np.asarray(mask, np.bool_) for mask in state["masks"]]

    def _is_due(self, since: int) -> bool:
        return since % self.frequency == 0 or self.step == self.end_step

    def _prune(self, sparsity: float) -> None:
        self._masks = [
            _largest(sparse.magnitudes(w_hh, gates), sparsity) for w_hh, gates in self._weights()
        ]

    def _mask(self) -> None:
        if self._masks:
            for (w_hh, gates), mask in zip(self._weights(), self._masks, strict=True):
                sparse.keep(w_hh, gates, mask)

    def _weights(self) -> list[tuple[Array, int]]:
        return [one for layer in self.model.layers for one in layer.prunable_weights()]


def _largest(magnitudes: Array, sparsity: float) -> Mask:
    """Return which blocks are left where a share of them, the smallest, is not."""
    pruned = round(sparsity * magnitudes.size)
    mask = np.ones(magnitudes.size, np.bool_)
    mask[np.argsort(magnitudes, axis=None, kind="stable")[:pruned]] = False
    return mask.reshape(magnitudes.shape)
