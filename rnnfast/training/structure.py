"""The layers of a model and how they are connected, whether it is trained or not."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from rnnfast._check.precision import Precision
from rnnfast.layers.layer import Array, Layer, Shape
from rnnfast.layers.recurrent_layer import RecurrentLayer
from rnnfast.training import samples
from rnnfast.training.graph import trained_weights
from rnnfast.training.packed_model import PackedModel
from rnnfast.training.trainable import require_layers
from rnnfast.training.weights import HasWeights
from rnnfast.utils.known_attributes import KnownAttributes


class Structure(HasWeights, KnownAttributes):
    """Layers in a graph.

    Parameters
    ----------
    name : str
        Of the model.
    """

    def __init__(self, name: str) -> None:
        self.name = name

    @property
    @abstractmethod
    def input_shape(self) -> Shape | list[Shape]:
        """Shape of the input with the batch axis, or a list of them."""

    @property
    @abstractmethod
    def output_shape(self) -> Shape | list[Shape]:
        """Shape of the output with the batch axis, or a list of them."""

    @property
    @abstractmethod
    def input_names(self) -> list[str]:
        """Names of the inputs, in order."""

    @property
    @abstractmethod
    def output_names(self) -> list[str]:
        """Names of the outputs, in order: those of the layers that give them."""

    @property
    @abstractmethod
    def input_converters(self) -> list[Callable[[Array], Array]]:
        """What brings each input into the dtype that its layers take."""

    @abstractmethod
    def build_for(self, shapes: Sequence[Shape]) -> None:
        """Build the model for inputs of these shapes if it is not, and check that they fit."""

    @abstractmethod
    def get_config(self) -> dict[str, Any]:
        """Return what makes an equal model, without its weights, as JSON can hold it."""

    @property
    def dtype(self) -> np.dtype[Any]:
        """Of weights and results."""
        return require_layers(self)[-1].dtype

    @property
    def trained_parameters(self) -> list[Array]:
        """The weights of layers whose `trainable` is True, in the layout computed with."""
        return trained_weights(self.layers)

    @property
    def trainable(self) -> bool:
        """Whether any layer is trained; setting it sets that of all layers."""
        return any(layer.trainable for layer in self.layers)

    @trainable.setter
    def trainable(self, value: bool) -> None:
        for layer in self.layers:
            layer.trainable = value

    def get_layer(self, name: str | None = None, index: int | None = None) -> Layer:
        """Find a layer.

        Parameters
        ----------
        name : str, optional
            Its name.
        index : int, optional
            Or its place among `layers`.

        Returns
        -------
        Layer
            The layer.

        Raises
        ------
        ValueError
            When there is none, or not one of the arguments is given.
        """
        if (name is None) == (index is None):
            raise ValueError("get_layer needs a name or an index")
        if index is not None:
            if not -len(self.layers) <= index < len(self.layers):
                raise ValueError(f"there are {len(self.layers)} layers, none has index {index}")
            return self.layers[index]
        for layer in self.layers:
            if layer.name == name:
                return layer
        names = [layer.name for layer in self.layers]
        raise ValueError(f"there is no layer {name!r} among {names}")

    def prepack(self, precision: Precision | None = None) -> PackedModel:
        """Copy the model and pack its weights, to be served: not in Keras.

        Parameters
        ----------
        precision : {"bfloat16", "float16", "float32", "float64"}, optional
            What the matrices of recurrent layers are kept in, as for `rnnfast.prepack`; None, the
            default, is what they are. All else stays as it is.

        Returns
        -------
        PackedModel
            Gives what `predict` gives, for whole sequences or step by step. It never changes,
            whatever becomes of the model; threads may share it, and it can be pickled.

        Raises
        ------
        ValueError
            When the model has no weights yet, or a weight is too large for `precision`.
        TypeError
            When a recurrent layer computes in a type that `precision` does not go with.
        """
        return PackedModel(self, precision)

    def reset_states(self) -> None:
        """Let every stateful layer forget what the last batch has left.

        Without it states go on from batch to batch, from epoch to epoch, and from `fit` to
        `evaluate` and `predict`, as in Keras.
        """
        for layer in self.layers:
            if isinstance(layer, RecurrentLayer):
                layer.reset_state()

    @abstractmethod
    def _output_shapes(self) -> list[Shape | None]:
        """Return the shape that each layer gives, None where it is not known yet."""

    def __call__(self, x: Any) -> Any:
        """Compute the output for one batch, without splitting it.

        Parameters
        ----------
        x : array_like
            Inputs, samples along the first axis; of several inputs a list or a dict.

        Returns
        -------
        ndarray or list of ndarray
            Outputs, samples along the first axis.

        Raises
        ------
        ValueError, TypeError
            When the inputs do not fit the model.
        """
        require_layers(self)
        batch = samples.of_inputs(self, "x", x).batch(slice(None))
        others = [value.array for value in batch.inputs]
        outputs: list[Array] = []
        for array, _ in self.graph.call(batch.inputs):
            # A layer may give what it took, or a result twice, as the last step and as a state.
            shared = any(np.may_share_memory(array, other) for other in (*others, *outputs))
            outputs.append(array.copy() if shared else array)
        return outputs[0] if len(outputs) == 1 else outputs
