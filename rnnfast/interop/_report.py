"""What `swap` says of a model, whichever host it is for."""

from __future__ import annotations

from typing import NamedTuple


class Report(NamedTuple):
    """What `swap` did, by names in the model; "" is the model itself.

    Attributes
    ----------
    swapped : dict of str to str
        The class of each that rnnfast runs now.
    left : dict of str to str
        Why each other recurrent part was left as it was.
    """

    swapped: dict[str, str]
    left: dict[str, str]

    def __str__(self) -> str:
        """Return a line for each."""
        lines = [f"{name or '(model)'}: {kind}" for name, kind in self.swapped.items()]
        lines += [f"{name or '(model)'}: left, {reason}" for name, reason in self.left.items()]
        return "\n".join(lines) or "nothing recurrent"
