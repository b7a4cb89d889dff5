"""The weights of a model's layers, as a whole: counted, copied, set, saved, loaded."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence

from numpy.typing import ArrayLike

from rnnfast.files.destination import Filepath
from rnnfast.layers.layer import Array, Layer
from rnnfast.training import weights_file
from rnnfast.training.graph import Graph


class HasWeights(ABC):
    """What a model does with its weights.

    Attributes
    ----------
    name : str
        Of the model.
    """

    name: str

    @property
    @abstractmethod
    def layers(self) -> list[Layer]:
        """The layers from first to last."""

    @property
    @abstractmethod
    def graph(self) -> Graph:
        """How the layers are connected."""

    @property
    def built(self) -> bool:
        """Whether the weights exist."""
        return bool(self.layers) and all(layer.built for layer in self.layers)

    @property
    def parameters(self) -> list[Array]:
        """All weights, in the layout computed with; an optimizer changes them in place."""
        return [parameter for layer in self.layers for parameter in layer.parameters]

    def count_params(self) -> int:
        """Count the numbers in the weights.

        Returns
        -------
        int
            The count; 0 before the model is built.
        """
        return sum(layer.count_params() for layer in self.layers)

    def get_weights(self) -> list[Array]:
        """Copy all weights.

        Returns
        -------
        list of ndarray
            Layer by layer, in Keras's layout and order.
        """
        return [weight for layer in self.layers for weight in layer.get_weights()]

    def set_weights(self, weights: Sequence[ArrayLike]) -> None:
        """Set all weights.

        Parameters
        ----------
        weights : sequence of array_like
            As `get_weights` of a model of the same form, in Keras or here, gives them.

        Raises
        ------
        ValueError
            When their number or a shape is wrong, or the model is not built.
        """
        counts = [len(layer.weight_names) for layer in self.layers]
        if len(weights) != sum(counts):
            hint = "" if self.built else "; the model is not built yet, call build(input_shape)"
            raise ValueError(
                f"weights of model {self.name!r} must be {sum(counts)} arrays, "
                f"got {len(weights)}{hint}"
            )
        start = 0
        for layer, count in zip(self.layers, counts, strict=True):
            layer.set_weights(weights[start : start + count])
            start += count

    def save_weights(self, filepath: Filepath, overwrite: bool = True) -> None:
        """Write all weights to a safetensors file, in Keras's layout, and nothing else.

        What the optimizer remembers is not in it: training that goes on from these weights takes
        other steps than one that never stopped. `save` keeps that too.

        The file is whole at any moment, the one of before or the new one, also if the program is
        killed or the disk is full. A symbolic link stays one, and an existing file keeps its mode.

        Parameters
        ----------
        filepath : path
            Must end in `.safetensors`.
        overwrite : bool, default True
            Whether an existing file is replaced.

        Raises
        ------
        ValueError
            When the ending is another, or the model is not built.
        FileExistsError
            When the file exists, or a link of this name, and `overwrite` is False.
        OSError
            When it cannot be written; one that was there has not changed.
        ImportError
            When safetensors is not installed.
        """
        self._require_built("save_weights")
        weights_file.save(filepath, self.layers, overwrite)

    def load_weights(self, filepath: Filepath) -> None:
        """Read all weights from a file of a model of the same form, written here or by Keras 3.

        What `save_weights` or `save` wrote ends in `.safetensors`, Keras's files end in
        `.weights.h5` and `.keras`. Numbers may be of any floating-point type, as long as the
        model's can hold each of them. Whatever is raised, no weight has changed, nor anything else
        of the model: an optimizer goes on with what it remembers.

        Parameters
        ----------
        filepath : path
            With one of these endings.

        Raises
        ------
        ValueError
            When the ending is another, the file is damaged, its weights are not those of this
            model or not of a floating-point type, or the model is not built.
        OSError
            When there is no file to read.
        ImportError
            For a file of Keras's, when h5py is not installed.

        Notes
        -----
        Of a file of Keras's, the first LSTM of the model gets the weights of the first one there,
        and so on, whatever the layers' names are. In a graph where that order is not the only one
        possible, layers need the names that they have in Keras. HDF5 has no checksums, and the
        library that reads it may crash on a `.weights.h5` that is damaged; `.keras` is checked.
        """
        self._require_built("load_weights")
        weights_file.load(filepath, self.graph)

    def _require_built(self, caller: str) -> None:
        if not self.built:
            raise ValueError(
                f"model {self.name!r} has no weights yet; call build(input_shape) before {caller}"
            )
