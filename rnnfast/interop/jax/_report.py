"""What became of a model's recurrent layers."""

from __future__ import annotations

from typing import NamedTuple


class Report(NamedTuple):
    """What was done, by the layers' names in the model; "" is the model itself.

    Attributes
    ----------
    swapped : dict of str to str
        The kind of each that rnnfast runs.
    left : dict of str to str
        Why each other recurrent layer is run by its own library.
    """

    swapped: dict[str, str]
    left: dict[str, str]

    def __str__(self) -> str:
        """Return a line for each layer."""
        lines = [f"{name or '(model)'}: {kind}" for name, kind in self.swapped.items()]
        lines += [f"{name or '(model)'}: left, {reason}" for name, reason in self.left.items()]
        return "\n".join(lines) or "no recurrent layers"
