"""The loss of a sequence of labels that says nothing of when each of them is.

    loss = -log sum over paths pi that read l of prod_t softmax(x_t)[pi_t]

`csrc/ctc/` has the recursions, which are run forward, and back for the gradient.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from .. import _core
from .._check import Array, ctc, empty, options
from .._check.arrays import real_like, require_shape

__all__ = ["CTCPullback", "ctc_loss", "ctc_loss_vjp"]


def ctc_loss(
    x: npt.ArrayLike,
    targets: npt.ArrayLike,
    lengths: npt.ArrayLike | None = None,
    target_lengths: npt.ArrayLike | None = None,
    *,
    blank: int = 0,
    zero_infinity: bool = False,
    batch_first: bool = False,
) -> Array:
    """Compute the loss of connectionist temporal classification (CTC) of each sequence.

    T steps, B sequences, C classes, one of which is the blank, S labels.

    Parameters
    ----------
    x : array_like of float32 or float64, shape (T, B, C)
        Logits. Logarithms of probabilities are logits too, and give the same.
    targets : array_like of int, shape (B, S) or (sum of target_lengths,)
        Labels, 0 to C - 1 without the blank: of each row, padded with whatever one likes; or those
        of all rows in turn.
    lengths : array_like of int, shape (B,), optional
        Steps of each sequence, 0 to T; all have T by default. Later ones are never read.
    target_lengths : array_like of int, shape (B,), optional
        Labels of each target, 0 to S; all have S by default. Later ones are never read.
    blank : int, default 0
        The class that is no label.
    zero_infinity : bool, default False
        Take 0 for the loss of a target that cannot be read, and for its gradient.
    batch_first : bool, default False
        Take `x` as (B, T, C).

    Returns
    -------
    ndarray, shape (B,)
        The losses, in nats; infinite where a target cannot be read: there must be a step for each
        label and one more between two that are equal. NaN in `x` stays in its row.

    Raises
    ------
    ValueError
        If a shape does not fit, a length is out of its range, or a label no class or the blank.
    TypeError
        If an argument is of another type.
    MemoryError
        If there is no memory to work in.

    See Also
    --------
    ctc_loss_vjp : the same with the gradient.
    ctc_decode : from logits to labels.
    rnnfast.losses.CTC : for `compile`.

    Notes
    -----
    ``torch.nn.functional.ctc_loss(log_softmax(x), ...)`` with ``reduction="none"``; its "mean" is
    ``np.mean(losses / np.maximum(target_lengths, 1))``.

    References
    ----------
    A. Graves, S. Fernandez, F. Gomez and J. Schmidhuber, Connectionist temporal classification:
    labelling unsegmented sequence data with recurrent neural networks, ICML 2006.
    """
    given = ctc.logits(x, lengths, blank, options.flag("batch_first", batch_first))
    finite = options.flag("zero_infinity", zero_infinity)
    return _losses(given, ctc.targets(targets, target_lengths, given), finite, None)


def ctc_loss_vjp(
    x: npt.ArrayLike,
    targets: npt.ArrayLike,
    lengths: npt.ArrayLike | None = None,
    target_lengths: npt.ArrayLike | None = None,
    *,
    blank: int = 0,
    zero_infinity: bool = False,
    batch_first: bool = False,
) -> tuple[Array, CTCPullback]:
    """Compute the losses of `ctc_loss`, and their pullback.

    Parameters
    ----------
    x, targets, lengths, target_lengths, blank, zero_infinity, batch_first
        As of `ctc_loss`.

    Returns
    -------
    losses : ndarray, shape (B,)
        As `ctc_loss` returns them.
    pullback : CTCPullback
        ``pullback(dlosses)`` returns dL/dx from dL/dlosses. It holds the gradient of each loss,
        an array as large as `x`.

    Raises
    ------
    ValueError, TypeError, MemoryError
        As `ctc_loss`.

    Notes
    -----
    The gradient is that by the logits, softmax included; it is NaN where the loss is infinite, and
    zero past the end of a sequence. PyTorch gives the same, also for logarithms of probabilities,
    by which it differentiates as if they were logits.

    Examples
    --------
    >>> import numpy as np
    >>> from rnnfast import ctc_loss_vjp
    >>> losses, pullback = ctc_loss_vjp(np.zeros((3, 1, 2)), [[1]])
    >>> np.round(np.exp(-losses) * 2**3)  # 001, 010, 100, 011, 110, 111
    array([6.])
    >>> pullback(np.ones(1)).shape
    (3, 1, 2)
    """
    first = options.flag("batch_first", batch_first)
    given = ctc.logits(x, lengths, blank, first)
    finite = options.flag("zero_infinity", zero_infinity)
    gradient = empty("the gradient", given.x.shape, given.x.dtype)
    losses = _losses(given, ctc.targets(targets, target_lengths, given), finite, gradient)
    return losses, CTCPullback(gradient, first)


class CTCPullback:
    """From gradients by losses to gradients by logits.

    Made by `ctc_loss_vjp`. It may be called any number of times.

    Parameters
    ----------
    gradient : ndarray, shape (T, B, C)
        Of each row's loss by its logits.
    batch_first : bool
        Whether to give (B, T, C).
    """

    __slots__ = ("_batch_first", "_gradient")

    def __init__(self, gradient: Array, batch_first: bool) -> None:
        self._gradient = gradient
        self._batch_first = batch_first

    def __call__(self, dlosses: npt.ArrayLike) -> Array:
        """Return the gradient of a scalar L by the logits.

        Parameters
        ----------
        dlosses : array_like, shape (B,)
            dL/dlosses.

        Returns
        -------
        ndarray, shape (T, B, C)
            dL/dx, (B, T, C) with `batch_first`; a new array.

        Raises
        ------
        ValueError
            If the shape does not fit.
        TypeError
            If the dtype is not that of `x`.
        """
        above = real_like("dlosses", dlosses, "x", self._gradient.dtype)
        require_shape("dlosses", above, "(B,)", self._gradient.shape[1:2])
        dx: Array = self._gradient * above[:, None]
        return dx.swapaxes(0, 1) if self._batch_first else dx


def _losses(
    given: ctc.Logits, targets: ctc.Targets, zero_infinity: bool, gradient: Array | None
) -> Array:
    losses = empty("the losses", given.x.shape[1:2], given.x.dtype)
    _core.ctc(given.x, given.lengths, *targets, given.blank, losses, gradient)
    if zero_infinity:
        impossible = np.isinf(losses)
        losses[impossible] = 0
        if gradient is not None:
            gradient[:, impossible] = 0
    return losses
