"""Sessions of ONNX Runtime whose recurrent nodes run on the kernels.

The operators of a session's options take the place of ONNX Runtime's in the whole session, those of
a domain together. So a model is looked through before: where a node has something that the kernels
cannot compute, all of its domain are left to ONNX Runtime, and said once.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from threading import Lock
from typing import Any
from weakref import WeakKeyDictionary

import onnxruntime

from ... import _core
from .._report import Report
from . import _nodes
from ._library import library

_OLDEST = (1, 17)
_TELLS_ACTIVATIONS = (1, 25)
_OURS = {"CPUExecutionProvider", "AzureExecutionProvider"}  # the latter has no recurrent nodes
_TYPES_OF = {"DynamicQuantizeLSTM": ("int8", "uint8")}
_ORT_FORMAT = b"ORTM"  # at byte 4


_reports: WeakKeyDictionary[Any, Report] = WeakKeyDictionary()
# Options that have got our operators, and of which domains.
_with_operators: WeakKeyDictionary[Any, set[str]] = WeakKeyDictionary()
_said: set[str] = set()

_Model = str | os.PathLike[str] | bytes


class InferenceSession(onnxruntime.InferenceSession):  # type: ignore[misc]  # it has no types
    """A session whose LSTM, GRU, RNN and DynamicQuantizeLSTM nodes run on rnnfast's kernels.

    Parameters
    ----------
    path_or_bytes : str, path or bytes
        The model, as it is: nothing in it names rnnfast.
    sess_options : onnxruntime.SessionOptions, optional
        They are given the operators, and may go with other sessions of models that rnnfast runs.
    providers, provider_options, **kwargs
        As for `onnxruntime.InferenceSession`. With a provider other than the CPU's, ONNX Runtime
        runs everything.

    See Also
    --------
    report : who runs which node.
    """

    def __init__(
        self,
        path_or_bytes: _Model,
        sess_options: Any = None,
        providers: Sequence[Any] | None = None,
        provider_options: Sequence[Any] | None = None,
        **kwargs: Any,
    ) -> None:
        _make(
            self, super().__init__, path_or_bytes, sess_options, providers, provider_options, kwargs
        )


def report(session: Any) -> Report:
    """Return who runs the recurrent nodes of a session.

    Parameters
    ----------
    session : onnxruntime.InferenceSession
        Made by `InferenceSession`, or under `patched`.

    Returns
    -------
    Report
        What rnnfast runs, what is left and why.
    """
    try:
        return _reports[session]
    except KeyError:
        raise ValueError(
            "session must be one of rnnfast.interop.onnx.InferenceSession or made under patched(), "
            "got one that ONNX Runtime runs by itself"
        ) from None


_patching = Lock()
_patches = 0


@contextmanager
def patched() -> Iterator[None]:
    """Have sessions that are made meanwhile, by whomever, run recurrent nodes on the kernels.

    It is for libraries that make their sessions themselves. Sessions keep the kernels afterwards.

    Examples
    --------
    >>> with rnnfast.interop.onnx.patched():
    ...     session = onnxruntime.InferenceSession("model.onnx")
    """
    global _patches
    with _patching:
        _patches += 1
        if _patches == 1:
            onnxruntime.InferenceSession.__init__ = _patched_init
    try:
        yield
    finally:
        with _patching:
            _patches -= 1
            if _patches == 0:
                onnxruntime.InferenceSession.__init__ = _own_init


_own_init = onnxruntime.InferenceSession.__init__


def _patched_init(
    self: Any,
    path_or_bytes: _Model,
    sess_options: Any = None,
    providers: Sequence[Any] | None = None,
    provider_options: Sequence[Any] | None = None,
    **kwargs: Any,
) -> None:
    if isinstance(self, InferenceSession):
        _own_init(self, path_or_bytes, sess_options, providers, provider_options, **kwargs)
        return
    init = _own_init.__get__(self)
    _make(self, init, path_or_bytes, sess_options, providers, provider_options, kwargs)


def _make(
    session: Any,
    init: Any,
    model: _Model,
    options: Any,
    providers: Sequence[Any] | None,
    provider_options: Sequence[Any] | None,
    kwargs: dict[str, Any],
) -> None:
    found = _look_through(model, providers)
    for reason in dict.fromkeys(found.left.values()):
        _say_left(reason)
    if not found.swapped:
        if options in _with_operators and found.left:
            raise ValueError(
                "sess_options must be new ones for a model that is left to ONNX Runtime, got some "
                f"that have rnnfast's operators from another session; {found}"
            )
        init(model, options, providers, provider_options, **kwargs)
    else:
        own = options
        if own is None:
            own = onnxruntime.SessionOptions()
        _register(own, found)
        try:
            init(model, own, providers, provider_options, **kwargs)
        except Exception as error:
            if options is not None:
                raise
            init(model, None, providers, provider_options, **kwargs)
            found = Report({}, {name: _first_line(error) for name in found.swapped})
            _say_left(_first_line(error))
    _reports[session] = found


def _register(options: Any, found: Report) -> None:
    """Give options the operators that a model needs and that they have not got."""
    there = _with_operators.setdefault(options, set())
    for domain in {_nodes.domain_of(op_type) for op_type in found.swapped.values()} - there:
        _core.hosts.onnxruntime.register_in(domain)
        try:
            options.register_custom_ops_library(library())
        finally:
            _core.hosts.onnxruntime.register_in("")
        there.add(domain)


def _look_through(model: _Model, providers: Sequence[Any] | None) -> Report:
    """Return who is to run the recurrent nodes of a model: all of a domain, or none."""
    try:
        with _nodes.opened(model) as data:
            if bytes(data[4:8]) == _ORT_FORMAT:
                return Report({}, {"": "a model in ONNX Runtime's own format"})
            nodes = _nodes.recurrent_nodes(data)
    except (OSError, ValueError, TypeError):  # ONNX Runtime says what is wrong with it
        return Report({}, {})
    names = _distinct([node.name or node.op_type for node in nodes])
    others = {one if isinstance(one, str) else one[0] for one in providers or ()} - _OURS
    reasons = {
        name: reason
        for name, node in zip(names, nodes, strict=True)
        if (reason := _reason_to_leave(node, others))
    }
    swapped, left = {}, {}
    first: dict[str, str] = {}  # of the nodes of a domain, that is left
    domains = {name: _nodes.domain_of(n.op_type) for name, n in zip(names, nodes, strict=True)}
    for name in reversed(reasons):
        first[domains[name]] = name
    for name, node in zip(names, nodes, strict=True):
        if domains[name] in first:
            left[name] = reasons.get(name, f"{first[domains[name]]} is left")
        else:
            swapped[name] = node.op_type
    return Report(swapped, left)


def _reason_to_leave(node: _nodes.Node, other_providers: set[str]) -> str | None:
    if other_providers:
        return f"it is for {' and '.join(sorted(other_providers))}"
    version = _version()
    if version < _OLDEST:
        return f"ONNX Runtime {onnxruntime.__version__} is older than 1.17"
    if version < _TELLS_ACTIVATIONS and "activations" in node.attributes:
        return f"ONNX Runtime {onnxruntime.__version__} does not tell activations, 1.25 does"
    if node.weight_type not in (None, *_TYPES_OF.get(node.op_type, ("float32", "float64"))):
        return f"its weights are of {node.weight_type}"
    attributes = {name: value for name, value in node.attributes.items() if value is not None}
    try:
        return _core.hosts.onnxruntime.refusal(node.op_type, attributes, node.has_peepholes)
    except RuntimeError:  # an attribute of another type than ONNX's
        return "its attributes are not those of ONNX"


def _version() -> tuple[int, ...]:
    return tuple(int(part) for part in onnxruntime.__version__.split(".")[:2])


def _distinct(names: list[str]) -> list[str]:
    """Return names of which none comes twice."""
    seen: dict[str, int] = {}
    distinct = []
    for name in names:
        seen[name] = seen.get(name, 0) + 1
        distinct.append(name if seen[name] == 1 else f"{name} ({seen[name]})")
    return distinct


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0]


def _say_left(reason: str) -> None:
    """Warn, once for each reason."""
    if reason not in _said:
        _said.add(reason)
        warnings.warn(f"ONNX Runtime runs the recurrent nodes of a model: {reason}", stacklevel=5)
