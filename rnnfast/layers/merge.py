"""Several arrays become one.

y = merge(x_1, ..., x_n)                    dx_1, ..., dx_n = pullback(dy)

Such a layer takes a list wherever others take an array: of arrays, of shapes, of masks.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from numpy.typing import ArrayLike, DTypeLike

from rnnfast.layers import symbol
from rnnfast.layers.layer import Array, Layer, Mask, Shape
from rnnfast.layers.value import Value, ValuesPullback
from rnnfast.utils.numbers import as_numbers

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from rnnfast.layers.options import LayerOptions

Shapes = Sequence[Shape]


class Merge(Layer):
    """A layer without weights that takes a list of arrays.

    Parameters
    ----------
    name, dtype, **options
        As for every layer.
    """

    supports_masking: ClassVar[bool] = True
    stepwise = True

    def __init__(
        self,
        *,
        name: str | None = None,
        dtype: DTypeLike | None = None,
        **options: Unpack[LayerOptions],
    ) -> None:
        super().__init__(name=name, dtype=dtype, **options)

    def _check_input_shape(self, input_shape: Any) -> None:
        """Raise ValueError unless there are two shapes at least, which fit each other."""
        if len(input_shape) < 2 or not isinstance(input_shape[0], (tuple, list)):
            raise ValueError(
                f"layer {self.name!r} takes a list of at least 2 arrays, such as "
                f"{type(self).__name__}()([a, b]), got shape {input_shape}"
            )
        self.compute_output_shape(input_shape)

    @abstractmethod
    def compute_output_shape(self, input_shape: Any) -> Shape:
        """Give the shape of the result from those of the arrays; ValueError if they do not fit."""

    def _create_weights(self, input_shape: Shape) -> None:
        """Create none."""

    @abstractmethod
    def call(self, x: Any) -> Array:
        """Compute the result from a list of arrays; see `Layer.call`."""

    @abstractmethod
    def vjp(self, x: Any, *, wrt_input: bool) -> tuple[Array, Callable[[Array], Any]]:
        """Compute as `call`; the pullback gives a list of dL/dx, and no gradients."""

    @abstractmethod
    def compute_mask(self, x: Any, mask: Any = None) -> Mask | None:
        """Give the mask of the result from a list of arrays and one of their masks."""

    def __call__(self, x: Any, *, mask: ArrayLike | None = None) -> Any:
        """Compute the result of a list of arrays, or of symbols; see `Layer`."""
        if not isinstance(x, (list, tuple)):
            raise TypeError(f"layer {self.name!r} takes a list of arrays, got {type(x).__name__}")
        if symbol.is_symbolic(x):
            symbol.require_no_mask(self, mask)
            return self.call_symbols(x)[0]
        arrays = [self.convert_input(as_numbers("x", one)) for one in x]
        shapes: Any = [array.shape for array in arrays]
        self.build(shapes)
        return self.call(arrays)

    def call_symbols(self, takes: Sequence[symbol.Symbol]) -> list[symbol.Symbol]:
        """Note that the layer is called; see `Layer.call_symbols`."""
        shapes: Any = [one.shape for one in takes]
        self.build(shapes)
        return symbol.call(self, takes, [self.compute_output_shape(shapes)])

    def forward(self, values: Sequence[Value]) -> list[Value]:
        """Compute the result and its mask; see `Layer.forward`."""
        arrays, mask = self._joint(values)
        return [Value(self.call(arrays), mask)]

    def forward_vjp(
        self, values: Sequence[Value], wrt: Sequence[bool]
    ) -> tuple[list[Value], ValuesPullback]:
        """Compute the result, its mask and the pullback; see `Layer.forward_vjp`."""
        arrays, mask = self._joint(values)
        y, pull = self.vjp(arrays, wrt_input=any(wrt))
        return [Value(y, mask)], lambda dresults: pull(dresults[0])

    def _joint(self, values: Sequence[Value]) -> tuple[list[Array], Mask | None]:
        """Give the arrays, which must fit now that all lengths are known, and the result's mask."""
        arrays = [value.array for value in values]
        self.compute_output_shape([array.shape for array in arrays])
        return arrays, self.compute_mask(arrays, [value.mask for value in values])
