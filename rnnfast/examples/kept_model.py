"""A character model in a file, and its alphabet in another beside it."""

from __future__ import annotations

import json
from pathlib import Path

from rnnfast import Sequential
from rnnfast.examples.text import Alphabet
from rnnfast.models import load_model


def save(model: Sequential, alphabet: Alphabet, path: Path) -> None:
    """Save a model, and its alphabet in a file beside it.

    Parameters
    ----------
    model : Sequential
        Symbols to logits of the next ones.
    alphabet : Alphabet
        What its symbols are.
    path : Path
        Ends in .safetensors.
    """
    model.save(path)
    _beside(path).write_text(json.dumps({"characters": alphabet.characters}), encoding="utf-8")


def load(path: Path) -> tuple[Sequential, Alphabet]:
    """Read what `save` has written.

    Parameters
    ----------
    path : Path
        Of the model.

    Returns
    -------
    model : Sequential
        Compiled as it was, with the state of its optimizer.
    alphabet : Alphabet
        What its symbols are.

    Raises
    ------
    ValueError
        When a file is damaged, or they do not belong together.
    OSError
        When one is missing.
    """
    model = load_model(path)
    try:
        alphabet = Alphabet(json.loads(_beside(path).read_text("utf-8"))["characters"])
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"{_beside(path)} holds no alphabet: {error!r}") from error
    if not isinstance(model, Sequential) or model.output_shape[-1] != len(alphabet):
        raise ValueError(f"{path} is no model of the {len(alphabet)} symbols of {_beside(path)}")
    return model, alphabet


def _beside(path: Path) -> Path:
    return path.with_suffix(".alphabet.json")
