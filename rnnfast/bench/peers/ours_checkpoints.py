"""rnnfast with checkpoints: training in less memory."""

from __future__ import annotations

from rnnfast.testing.cells import Arguments

from ..cases import Case
from .ours import Ours, training
from .peer import Job, Unable

__all__ = ["OursWithCheckpoints"]


class OursWithCheckpoints(Ours):
    """As `Ours`, saving some states alone.

    Parameters
    ----------
    threads : int
        Threads that it uses, asserted.
    """

    name = "rnnfast, checkpoints"

    def prepare(self, case: Case, inputs: Arguments) -> Job:
        """Take the case's way through the API.

        Parameters
        ----------
        case : Case
            What will be measured.
        inputs : mapping of str to ndarray
            What `Case.inputs` gives.

        Returns
        -------
        Job

        Raises
        ------
        Unable
            Unless the case is one of training.
        """
        if case.mode != "training":
            raise Unable("checkpoints are of training")
        return training(case.cell, inputs, checkpoint=True)
