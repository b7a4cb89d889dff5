"""What was found in a model of another library, and what was left."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from rnnfast._check.spelling import meant
from rnnfast.weights.stack import StackWeights


class Found(NamedTuple):
    """The recurrent layers of a model.

    Attributes
    ----------
    stacks : dict of str to StackWeights
        Those that rnnfast has, by the names that they have in the model; "" for the model itself.
    left : dict of str to str
        What else is there, by name: what it is, or why it was left.
    """

    stacks: dict[str, StackWeights]
    left: dict[str, str]

    def one(self, name: str | None = None) -> StackWeights:
        """Return the layers of a name, or the only ones.

        Parameters
        ----------
        name : str, optional
            Of `stacks`; may be left out where there are no others.

        Returns
        -------
        StackWeights
            The layers.

        Raises
        ------
        ValueError
            If none has this name, or there are several or none and no name was given.
        """
        if name is not None:
            if name in self.stacks:
                return self.stacks[name]
            why = f": {self.left[name]}" if name in self.left else meant(name, self.stacks)
            raise ValueError(f"name must be one of {[*self.stacks]}, got {name!r}{why}")
        if len(self.stacks) != 1:
            raise ValueError(
                f"name must be given, one of {[*self.stacks]}"
                if self.stacks
                else f"no recurrent layers were found{self._reasons()}"
            )
        (only,) = self.stacks.values()
        return only

    def stack(self, names: Sequence[str]) -> StackWeights:
        """Return the layers of several names as one stack, the first lowest; see `one`.

        Parameters
        ----------
        names : sequence of str
            Of `stacks`; none where there is only one.

        Returns
        -------
        StackWeights
            Layers one above another.

        Raises
        ------
        ValueError
            As `one`, or if cells, options or sizes differ.
        """
        if len(names) < 2:
            return self.one(*names)
        return stacked([self.one(name) for name in names])

    def _reasons(self) -> str:
        if not self.left:
            return ""
        listed = [f"{name or 'the model'}: {what}" for name, what in self.left.items()]
        return "; there is " + "; ".join(listed[:20]) + ("; ..." if len(listed) > 20 else "")


def stacked(parts: Sequence[StackWeights]) -> StackWeights:
    """Return layers one above another, the first lowest."""
    first = parts[0]
    for part in parts:
        if (part.cell, part.options) != (first.cell, first.options):
            raise ValueError(
                f"layers of one stack must have the same cell and options, got "
                f"{first.cell!r} {first.options} and {part.cell!r} {part.options}"
            )
    return StackWeights.of_layers(
        first.cell, [layer for part in parts for layer in part.layers], **first.options
    )
