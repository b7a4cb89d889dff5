"""Weights from anywhere in a file of rnnfast, and back: python -m rnnfast.convert.

    python -m rnnfast.convert model.onnx                        what is in it
    python -m rnnfast.convert model.pt vad.safetensors          its recurrent layers, if all are one
    python -m rnnfast.convert model.keras a.safetensors --layer lstm --layer lstm_1
    python -m rnnfast.convert vad.safetensors vad.pt            as a state_dict of torch

A file is read by its own library, which must be installed: torch, onnx, keras. None is needed for
safetensors. Nothing in a file is run.
"""

from __future__ import annotations

import argparse
import io
import sys
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from rnnfast.files import destination, safetensors_file, state_file
from rnnfast.weights import Found, StackWeights, find_torch, read_weights, save_weights, to_keras

_Options: TypeAlias = Mapping[str, Any]

_LONGEST_LIST = 40


def main(arguments: Sequence[str] | None = None) -> None:
    """List what a file has, and convert it.

    Parameters
    ----------
    arguments : sequence of str, optional
        Of the command line; the program's own by default.
    """
    given = _parser().parse_args(arguments)
    options = {"nonlinearity": given.nonlinearity} if given.nonlinearity else {}
    try:
        found = find(given.source, **options)
        print(_listed(found), end="")
        if given.destination is not None:
            if len(found.stacks) > 1 and not given.layer:
                raise ValueError(f"several were found, choose by --layer: {[*found.stacks]}")
            weights = found.stack(given.layer)
            if given.sparse:
                weights = StackWeights(**{**weights.arguments(), "sparse": True})
            write(given.destination, weights, given.overwrite)
            print(f"\n{given.destination}: {weights}")
    except (ImportError, OSError, TypeError, ValueError) as error:
        sys.exit(f"rnnfast.convert: {error}")


def find(path: Path, **options: Any) -> Found:
    """Find the recurrent layers in a file.

    Parameters
    ----------
    path : path
        Of rnnfast (weights, or a whole model), torch, ONNX or Keras, told by its ending.
    **options
        What a `state_dict` does not say, as `nonlinearity`.

    Returns
    -------
    Found
        Stacks by name, and what was left.

    Raises
    ------
    ValueError
        When the ending is none of these, or the file is damaged.
    ImportError
        When the library that reads it is not installed.
    OSError
        When there is no file to read.
    """
    read = _READERS.get(path.suffix)
    if read is None or path.name.endswith(".weights.h5"):
        fix = "; save the whole model, as model.keras" if path.suffix == ".h5" else ""
        raise ValueError(f"IN must end in {', '.join(_READERS)}, got {str(path)!r}{fix}")
    with safetensors_file.opened(path):  # or it is no file
        return read(path, options)


def write(path: Path, weights: StackWeights, overwrite: bool) -> None:
    """Write weights to a file.

    Parameters
    ----------
    path : path
        ``.safetensors`` for rnnfast, ``.pt`` or ``.pth`` for a `state_dict` of torch, ``.npz`` for
        arrays in Keras's order.
    weights : StackWeights
        The layers.
    overwrite : bool
        Whether to replace a file that is there.

    Raises
    ------
    ValueError
        When the ending is none of these, or the library has no such cell or option.
    ImportError
        When a library is not installed.
    OSError
        When the file cannot be written.
    """
    if path.suffix == ".safetensors":
        save_weights(path, weights, overwrite)
        return
    encode = _ENCODERS.get(path.suffix)
    if encode is None:
        wanted = ", ".join([".safetensors", *_ENCODERS])
        raise ValueError(f"OUT must end in {wanted}, got {str(path)!r}")
    destination.require_free(path, overwrite)
    destination.write(path, encode(weights), overwrite)


def _of_safetensors(path: Path, options: _Options) -> Found:
    kind = state_file.kind_of(path)
    if kind is None:  # a state_dict
        return find_torch(safetensors_file.read_all(path)[1], **options)
    if kind == "model":
        models = import_module("rnnfast.models")
        found: Found = models.find(models.load_model(path, compile=False))
        return found
    return Found({"": read_weights(path)}, {})


def _of_torch(path: Path, options: _Options) -> Found:
    found: Found = import_module("rnnfast.interop.torch._weights").read(path, **options)
    return found


def _of_onnx(path: Path, options: _Options) -> Found:
    found: Found = import_module("rnnfast.interop.onnx").find(path)
    return found


def _of_keras(path: Path, options: _Options) -> Found:
    found: Found = import_module("rnnfast.interop.keras").find(path)
    return found


_READERS: dict[str, Callable[[Path, _Options], Found]] = {
    ".safetensors": _of_safetensors,
    **dict.fromkeys((".pt", ".pth", ".bin", ".ckpt"), _of_torch),
    ".onnx": _of_onnx,
    **dict.fromkeys((".keras", ".h5"), _of_keras),
}


def _as_torch(weights: StackWeights) -> bytes:
    data: bytes = import_module("rnnfast.interop.torch._weights").encode(weights)
    return data


def _as_keras(weights: StackWeights) -> bytes:
    lists = to_keras(weights)
    layers: list[Any] = [lists] if len(weights.layers) == 1 else lists
    names = ["kernel", "recurrent_kernel", "bias"]
    sides = ["forward_", "backward_"] if weights.bidirectional else [""]
    arrays = {}
    for i, layer in enumerate(layers):
        each = len(layer) // len(sides)
        for k, array in enumerate(layer):
            arrays[f"{sides[k // each]}layer_{i}/{names[k % each]}"] = array
    file = io.BytesIO()
    np.savez(file, **arrays)
    return file.getvalue()


_ENCODERS: dict[str, Callable[[StackWeights], bytes]] = {
    ".pt": _as_torch,
    ".pth": _as_torch,
    ".npz": _as_keras,
}


def _listed(found: Found) -> str:
    lines = [f"{name or '(the whole)'}: {weights}" for name, weights in found.stacks.items()]
    lines = lines or ["no recurrent layers"]
    if found.left:
        left = [f"  {name or '(the whole)'}: {what}" for name, what in found.left.items()]
        more = len(left) - _LONGEST_LIST
        lines += ["", "left:", *left[:_LONGEST_LIST], *([f"  and {more} more"] if more > 0 else [])]
    return "\n".join(lines) + "\n"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m rnnfast.convert",
        description="List the recurrent layers in a file of weights, and convert them.",
        epilog="A file is read by its own library, which must be installed: torch, onnx, keras. "
        "Nothing in a file is run.",
    )
    parser.add_argument(
        "source",
        metavar="IN",
        type=Path,
        help=f"what to read: {', '.join(_READERS)}",
    )
    parser.add_argument(
        "destination",
        metavar="OUT",
        type=Path,
        nargs="?",
        help="what to write: .safetensors for rnnfast, .pt or .pth for a state_dict of torch, .npz "
        "for arrays in the order of Keras's set_weights; without it, IN is only listed",
    )
    parser.add_argument(
        "--layer",
        metavar="NAME",
        action="append",
        default=[],
        help="which of the layers listed, where there are several; given several times, they make "
        "one stack, the first lowest",
    )
    parser.add_argument(
        "--nonlinearity",
        choices=("tanh", "relu", "sigmoid"),
        help="of a plain RNN in a state_dict, which does not say it; tanh by default",
    )
    parser.add_argument(
        "--sparse",
        action="store_true",
        help="have .safetensors say that blocks of w_hh which are all zero are to be skipped",
    )
    parser.add_argument("--overwrite", action="store_true", help="replace OUT where it exists")
    return parser


if __name__ == "__main__":
    main()
