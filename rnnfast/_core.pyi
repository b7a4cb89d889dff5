"""The compiled kernels: arrays in, arrays out; no defaults, no casts, no validation.

Every array has one dtype, float32 or float64, in native byte order and aligned. `x`, `y`, `dy` and
`dx` may have any strides over time and batch but unit stride on the last axis; all else is
C-contiguous, but for `resets` (T, B), of any strides. `spans` (B, 2) are the steps [begin, end)
that each sequence takes, and one at least takes all; None is all of all. `truncate` 0 is never.
`masks` are factors (B, H) of h before the recurrent product, and how much of h and of c a step
keeps of the step before, each (T, B, H) of any strides over time and batch; or None. Where there is
a `w_hr` (R, H), h and all that goes with it are R wide. `rnnfast._check` sees to it. T, B, I, H and
R are at least 1 here.
"""

from collections.abc import Sequence
from types import ModuleType, NotImplementedType
from typing import Any, ClassVar, TypedDict, final, type_check_only

import numpy as np
import numpy.typing as npt

_Array = npt.NDArray[np.floating[Any]]
_DType = np.dtype[np.floating[Any]]
_Integers = npt.NDArray[np.intp]
_Booleans = npt.NDArray[np.bool_]
# function, alpha, beta, lowest and highest result, clip of what it sees
_Activation = tuple[str, float, float, float, float, float]
_Cell = str | tuple[str, tuple[_Activation, ...]]  # with those that a call chooses, if it does
_Optional = _Array | None
# w_ih, w_hh, b_ih, b_hh, w_hr, peephole, layer_norm
_Weights = tuple[_Array, _Array, _Optional, _Optional, _Optional, _Optional, _Optional]
_WeightGrads = tuple[_Array | None, ...]  # in the same order
_Masks = tuple[_Array | None, _Array | None, _Array | None]

@type_check_only
class CellFacts(TypedDict):
    """What a cell is: `fixed` with activations of its own, `chosen` with those of a call.

    `sparse` tells whether its w_hh may be.

    `layer_norm` has norm_rows*H numbers, `peephole` unit_weights*H; `activations` are how many a
    call chooses, `parts` the vectors of a slot, `phases` the recurrent products of a step.
    """

    name: str
    fixed: bool
    chosen: bool
    sparse: bool
    gates: int
    parts: int
    phases: int
    has_memory: bool
    norm_rows: int
    unit_weights: int
    projectable: bool
    activations: int

@final
class Tape:
    """What a forward pass saved for its backward pass; aliases no array and is never changed."""

    @property
    def nbytes(self) -> int: ...
    def backward(
        self,
        x: _Array,
        weights: _Weights,
        resets: _Booleans | None,
        masks: _Masks | None,
        truncate: int,
        dy: _Array | None,
        dh_n: _Array | None,
        dc_n: _Array | None,
        dx: _Array | None,
        gradients: _WeightGrads,
        dh0: _Array | None,
        dc0: _Array | None,
        /,
    ) -> None: ...
    def backward_per_sample(
        self,
        x: _Array,
        weights: _Weights,
        resets: _Booleans | None,
        masks: _Masks | None,
        truncate: int,
        dy: _Array | None,
        dh_n: _Array | None,
        dc_n: _Array | None,
        dx: _Array | None,
        gradients: _WeightGrads,
        dh0: _Array | None,
        dc0: _Array | None,
        /,
    ) -> None:
        """As `backward`, with gradients of weights (B, ...), one of each sequence.

        ValueError for a tape of checkpoints.
        """

    def trace(self, weights: _Weights, gates: _Array, c: _Array | None, /) -> None:
        """Write the gates (T, B, G, H) and the c (T, B, H) of the steps that are taken."""

@final
class Packed:
    """Weights copied into the layout that the kernels read; never changed."""

    @property
    def nbytes(self) -> int: ...
    @property
    def precision(self) -> str:
        """What matrices are kept in."""

    def forward(
        self,
        x: _Array,
        h0: _Array | None,
        c0: _Array | None,
        spans: _Integers | None,
        resets: _Booleans | None,
        masks: _Masks | None,
        y: _Array,
        h_n: _Array,
        c_n: _Array | None,
        /,
    ) -> None: ...
    def run(self, x: object, state: object, /) -> Any | NotImplementedType:
        """Run sequences, as `step` runs steps: y and the state after them."""

    def run_stacked(self, x: object, state: object, /) -> Any | NotImplementedType:
        """Run sequences with states (1, B, R)."""

    def step(self, x_t: object, state: object, /) -> Any | NotImplementedType:
        """One step into fresh arrays; NotImplemented unless its arguments are as the kernels need.

        It takes exact ndarrays of this dtype, native, aligned, C-contiguous and of fitting shapes
        with B at least 1: `x_t` (B, I); `state` None, `h` (B, H) or, for an LSTM, a tuple `(h, c)`.
        """

def forward(
    cell: _Cell,
    x: _Array,
    weights: _Weights,
    h0: _Array | None,
    c0: _Array | None,
    spans: _Integers | None,
    resets: _Booleans | None,
    masks: _Masks | None,
    y: _Array,
    h_n: _Array,
    c_n: _Array | None,
    /,
) -> None: ...
def pack(
    cell: _Cell,
    weights: _Weights,
    /,
    precision: str | None = None,
    scales: tuple[_Array | None, _Array | None] = (None, None),
) -> Packed:
    """Weights of float32 may be kept in bfloat16, float16 or int8; None is what they are.

    Those of either type may be kept "sparse": of w_hh only what is not zero, in lines of 64 bytes
    of adjacent units.

    `scales`, of the rows of w_ih and w_hh, are for int8: what these are multiples of.
    """

@final
class Model:
    """Packed layers, each forwards, that take what the one below gives."""

    @property
    def nbytes(self) -> int: ...
    def require_state(self, layer: int, h: _Array, /) -> None:
        """ValueError for an h that the weights of a layer cannot be multiplied with."""
    def session(self) -> Session: ...
    def pool(self, capacity: int, /) -> Pool: ...

@final
class Session:
    """A stream. RuntimeError where another thread is using it.

    Its steps take exact ndarrays of its dtype, native, aligned, C-contiguous and of fitting shapes;
    `out` is one that may be written and does not overlap `x`, or None. For anything else they are
    NotImplemented.
    """

    @property
    def nbytes(self) -> int: ...
    def step(self, x: object, out: object, /) -> Any | NotImplementedType: ...
    def run(self, x: object, out: object, /) -> Any | NotImplementedType: ...
    def reset(self) -> None: ...
    def read_state(self, layer: int, h: _Array, c: _Array | None, /) -> None: ...
    def write_state(self, layer: int, h: _Array, c: _Array | None, /) -> None: ...

@final
class Pool:
    """Streams by their ids, likewise. `open` is negative where there is no room.

    ValueError for an id that is not open, or there twice; `ids` are a list or tuple of int, or an
    array of intp.
    """

    @property
    def nbytes(self) -> int: ...
    def __len__(self) -> int: ...
    def step(self, ids: object, x: object, out: object, /) -> Any | NotImplementedType: ...
    def run(
        self, ids: object, x: object, lengths: _Integers | None, out: object, /
    ) -> Any | NotImplementedType:
        """`lengths` are from 0 to T."""
    def open(self) -> int: ...
    def close(self, id: int, /) -> None: ...
    def is_open(self, id: int, /) -> bool: ...
    def reset(self, id: int, /) -> None: ...
    def read_state(self, id: int, layer: int, h: _Array, c: _Array | None, /) -> None: ...
    def write_state(self, id: int, layer: int, h: _Array, c: _Array | None, /) -> None: ...

def serve(
    layers: Sequence[tuple[_Cell, _Weights, tuple[_Array | None, _Array | None], float, float]],
    precision: str | None,
    /,
) -> Model:
    """Of each layer the cell, its weights, their scales (`pack`), how much of h and c a step keeps.

    Weights are kept in a `precision`; None is their own.
    """

def forward_saving(
    cell: _Cell,
    x: _Array,
    weights: _Weights,
    h0: _Array | None,
    c0: _Array | None,
    spans: _Integers | None,
    resets: _Booleans | None,
    masks: _Masks | None,
    y: _Array,
    h_n: _Array,
    c_n: _Array | None,
    precision: str | None,
    /,
) -> Tape:
    """As `forward`, with operands of products rounded to `precision`, also in `backward`."""

def forward_saving_checkpoints(
    cell: _Cell,
    x: _Array,
    weights: _Weights,
    h0: _Array | None,
    c0: _Array | None,
    spans: _Integers | None,
    resets: _Booleans | None,
    masks: _Masks | None,
    y: _Array,
    h_n: _Array,
    c_n: _Array | None,
    precision: str | None,
    /,
) -> Tape:
    """As `forward_saving`; its tape makes the steps once more in `backward`, and has no trace."""

def plan_layers(
    cell: _Cell,
    x: _Array,
    weights: _Weights | Packed,
    layers: int,
    directions: int,
    training: bool,
    precision: str | None,
    /,
) -> tuple[int, int] | None:
    """How layers and directions run at once, for the calls below; None if one after the other.

    `weights` are those of the first.
    """

def forward_layers(
    cell: _Cell, plan: tuple[int, int], directions: int, parts: list[tuple[Any, ...]], /
) -> None:
    """Each part is (x, weights, h0, c0, spans, resets, y, h_n, c_n), in torch's order.

    `weights` may be a `Packed`; `x` of a layer is what those below write.
    """

def forward_layers_saving(
    cell: _Cell,
    plan: tuple[int, int],
    directions: int,
    parts: list[tuple[Any, ...]],
    precision: str | None,
    /,
) -> list[Tape]: ...

@final
class Samples:
    """Arrays, held, and fingerprints of samples of them: all of up to 4 KiB, else 32 lines."""

    def changed(self) -> int:
        """Return the number of the first array that has changed since, -1 for none."""

def samples(arrays: tuple[npt.NDArray[Any] | None, ...], /) -> Samples:
    """Arrays of up to three axes, of any strides; None never changes."""

def draw_mask(
    seed: int, kind: int, part: int, level: int, below: float, above: float, mask: _Array, /
) -> None:
    """Fill a mask, `below` where its number of 16 bits lies below the level and else `above`.

    Numbers are the quarters, least significant first, of what
    ``numpy.random.Philox(key=seed, counter=[0, 0, kind, part])`` gives.
    """

def apply_mask(x: _Array, mask: _Array, to: _Array, /) -> None:
    """Write x times a mask, (T, B, I) or one (B, I) for all steps, to an array; x may be it."""

def ctc(
    x: _Array,
    lengths: _Integers,
    labels: _Integers,
    starts: _Integers,
    blank: int,
    losses: _Array,
    gradient: _Optional,
    /,
) -> None:
    """Write the losses (B,) of targets, and their gradient by the logits x (T, B, C) if wanted.

    `labels` are those of all targets in turn, `starts` (B + 1,) where each begins and the last
    ends. T and B may be 0. The gradient may have any strides over time and batch, as x.
    """

def cells() -> list[CellFacts]:
    """All cells, in the order of the registry."""

def choose_threads(n: int) -> None:
    """Set how many threads calls may use; 0 leaves it to OpenMP's settings."""

def chosen_threads() -> int: ...
def follow_host(threads: int) -> None:
    """Use as many threads as a host whose calls come here, where none were chosen."""

def share_openmp_threads() -> None:
    """Have calls of this thread helped by OpenMP's threads, which a framework keeps spinning."""

def get_num_threads() -> int: ...
def meeting_ns(threads: int) -> float:
    """Nanoseconds in which threads meet and trade a state, measured now and then."""

def config() -> dict[str, Any]: ...
def plan(
    cell: _Cell,
    dtype: _DType,
    T: int,
    B: int,
    I: int,
    H: int,
    threads: int,
    training: bool,
    precision: str | None = None,
) -> dict[str, Any]: ...
def force_plan(
    partition: str | None,
    chunk: int | None,
    threads: int | None,
    interleaves_input: bool | None,
    pipelines: bool | None,
    helpers: int | None,
) -> None: ...
def last_plan() -> dict[str, Any]: ...

class Extent:
    """What a call goes over, and the shapes of x, y and of states.

    `sequences` are (T, B, I), (T, B, R) and (1, B, R), `batch_first` (B, T, I), (B, T, R) and
    (1, B, R); a `step` is (B, I), has no y, and states (B, R).
    """

    sequences: ClassVar[Extent]
    batch_first: ClassVar[Extent]
    step: ClassVar[Extent]

class Exchange:
    """Tensors of a framework, by the DLPack exchange table of their class; TypeError without one.

    They are of exactly this class or of `also`, on the CPU and of one floating type. Methods return
    NotImplemented for tensors that are not, or do not fit.
    """

    def __init__(self, type: type, also: type, /) -> None: ...
    def forward(self, extent: Extent, packed: Packed, x: Any, h0: Any, c0: Any, /) -> Any:
        """Return y, h_n and, where there is a memory, c_n; after a step h or (h, c)."""

    def forward_saving(
        self,
        extent: Extent,
        cell: _Cell,
        operands: tuple[Any, ...],
        precision: str | None = None,
        /,
    ) -> Any:
        """As `forward`, with a `Tape` beside the results.

        Operands are x, h0, c0, w_ih, w_hh, b_ih and b_hh.
        """

    def backward(
        self,
        extent: Extent,
        tape: Tape,
        operands: tuple[Any, ...],
        needed: tuple[bool, ...],
        above: tuple[Any, ...],
        /,
    ) -> Any:
        """Return the gradient of each operand, None where it is not needed.

        Where `needed` is longer than the operands, so is the result, by None.
        """

    def versions(self, tensors: tuple[Any, ...], /) -> Versions:
        """ValueError for a tensor that does not lie in one piece of memory."""

    def contents(self, tensors: tuple[Any, ...], /) -> Contents:
        """As `versions`."""

class Versions:
    """Where tensors lie, in which form, and how often the framework has seen them change."""

    def hold(self, tensors: tuple[Any, ...], /) -> bool:
        """Return whether all of that still is as it was."""

class Contents:
    """As `Versions`, with every byte of them."""

    def hold(self, tensors: tuple[Any, ...], /) -> bool:
        """Return whether the same tensors hold the same numbers."""

@type_check_only
class _Probes(ModuleType):
    """Pieces of the kernels by themselves: a submodule."""

    def activation(self, name: str | _Activation, x: _Array) -> _Array: ...
    def activation_slope(self, choice: _Activation, y: _Array) -> _Array:
        """Slope where the result is `y`."""

    def tiles(self, dtype: _DType, precision: str | None = None) -> list[tuple[int, int]]: ...
    def tile_rate(
        self,
        dtype: _DType,
        rows: int,
        vectors: int,
        seconds: float = 0.1,
        k: int = 256,
        precision: str | None = None,
    ) -> float: ...
    def stream_rate(
        self,
        dtype: _DType,
        columns: int,
        k: int,
        seconds: float = 0.1,
        precision: str | None = None,
    ) -> float: ...
    def meeting_time(self, threads: int, seconds: float = 0.1) -> float: ...
    def fma_rate(
        self, dtype: _DType, seconds: float = 0.1, precision: str | None = None
    ) -> float: ...

probes: _Probes

@type_check_only
class _OnnxRuntime(ModuleType):
    """The door for ONNX Runtime: a submodule of `hosts`."""

    def kernel_calls(self) -> int: ...
    def refusal(self, op_type: str, attributes: dict[str, Any], peepholes: bool, /) -> str | None:
        """Return why the kernels cannot compute a node of ONNX; None if they can."""

    def register_in(self, domain: str, /) -> None:
        """Say whose domain registrations of this thread are for: ONNX's, or else the host's."""

@type_check_only
class _Hosts(ModuleType):
    """Doors for hosts that speak plain C: a submodule. What they take stands in csrc/doors/."""

    operands: list[str]
    onnxruntime: _OnnxRuntime

    def cell_words(self, cell: _Cell) -> list[int]:
        """Return what a host keeps of a cell among the attributes of an operation."""

    def plan_call(
        self,
        cell: _Cell,
        dtype: _DType,
        sizes: tuple[int, int, int, int, int],
        axes: str,
        direction: str,
        truncate: int,
        operands: list[str],
        purpose: str,
    ) -> tuple[list[int], int | None]:
        """Return what a host keeps of a call of T, B, I, H, R, and the bytes of a tape.

        R is 0 without a projection, `purpose` is inference or training.
        """

    def xla_handlers(self) -> dict[str, object]:
        """Return PyCapsules of forward, forward_saving and backward."""

    def xla_passes(self) -> int: ...
    def register_tensorflow(self, libraries: list[str]) -> None:
        """Register operations by functions of these libraries, which the process has loaded.

        RuntimeError where one is missing.
        """

    def tensorflow_calls(self) -> int: ...

hosts: _Hosts
