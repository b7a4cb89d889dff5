"""What the units of a character model do: its gates over a text, coloured, as a page to open.

    i, f, g, o   gates of an LSTM         c   its memory         h   what it shows
    r, z, n      gates of a GRU

A page shows the text once, each character on the colour of one number: of one unit, of one gate or
state, when that character had been read. Units are listed by how much of what they do is told by
one property of the text: capitals, digits, spaces, line ends, being within brackets, the place in
the line. So units that count or remember stand first, as "quote" and "line length" units did in
Karpathy, Johnson and Fei-Fei, Visualizing and understanding recurrent networks, 2016.

The model is one that `char_lm --save` has written; without one, a small one is trained first.
"""

from __future__ import annotations

import argparse
import html
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from rnnfast import Sequential, losses, optimizers, utils
from rnnfast.examples import char_lm, kept_model, text
from rnnfast.examples.command_line import Option, add_options, number
from rnnfast.layers.cell_layer import CellLayer

Array = NDArray[Any]

GATES = {"lstm": "ifgo", "gru": "rzn", "rnn": ""}
_SHOWN = 24  # units


class Inside(NamedTuple):
    """What a recurrent layer does while it reads a text: name, and an array (T, H), of each."""

    names: list[str]
    values: list[Array]


def look(model: Sequential, symbols: text.Symbols) -> Inside:
    """Run a model over a text and keep what its last recurrent layer does.

    Parameters
    ----------
    model : Sequential
        Symbols (B, T) to logits.
    symbols : ndarray of int, shape (T,)
        The text.

    Returns
    -------
    Inside
        Its gates, its memory if it has one, and its state.

    Raises
    ------
    ValueError
        When there is no recurrent layer.
    """
    places = [k for k, layer in enumerate(model.layers) if isinstance(layer, CellLayer)]
    if not places:
        raise ValueError(f"model {model.name!r} has no recurrent layer to look into")
    x: Any = symbols[None]
    for below in model.layers[: places[-1]]:
        x = below(x)
    layer = model.layers[places[-1]]
    assert isinstance(layer, CellLayer)
    trace = layer.trace(x)
    letters = GATES.get(layer.kind, "")
    found = {name: trace.gates[0, :, k] for k, name in enumerate(letters)}
    if hasattr(trace, "c"):
        found["c"] = np.tanh(trace.c[0])  # as the cell itself looks at it
    found["h"] = trace.y[0]
    return Inside(list(found), list(found.values()))


def properties(shown: str) -> dict[str, Array]:
    """Return what may be said of each character of a text, as numbers (T,).

    Parameters
    ----------
    shown : str
        The text.

    Returns
    -------
    dict
        From the property to its numbers.
    """
    characters: Array = np.array(list(shown))
    opened, closed = np.isin(characters, list("([{")), np.isin(characters, list(")]}"))
    starts = np.concatenate([[0], np.flatnonzero(np.equal(characters, "\n")) + 1])
    places = np.arange(len(shown))
    column = places - starts[np.searchsorted(starts, places, side="right") - 1]
    return {
        "capitals": np.array([c.isupper() for c in shown], float),
        "digits": np.array([c.isdigit() for c in shown], float),
        "spaces": np.equal(characters, " ").astype(float),
        "line ends": np.equal(characters, "\n").astype(float),
        "brackets": np.greater(np.cumsum(opened) - np.cumsum(closed), 0).astype(float),
        "place in the line": column.astype(float),
        "quotes": np.cumsum(np.isin(characters, list("'\"`"))) % 2.0,
    }


def rank(values: Array, of_text: dict[str, Array]) -> list[tuple[int, str, float]]:
    """Order units by how well one property of the text tells what they do.

    Parameters
    ----------
    values : ndarray, shape (T, H)
        What the units do.
    of_text : dict
        See `properties`.

    Returns
    -------
    list of (int, str, float)
        Unit, property and their correlation, the largest magnitude first.
    """
    names = list(of_text)
    told = np.stack([_standard(of_text[name]) for name in names])
    correlations = told @ _standard(values.T).T / len(values)  # (properties, H)
    best = np.abs(correlations).argmax(axis=0)
    found = [
        (unit, names[best[unit]], float(correlations[best[unit], unit]))
        for unit in range(values.shape[1])
    ]
    return sorted(found, key=lambda one: -abs(one[2]))


def _standard(rows: Array) -> Array:
    """Return rows with mean 0 and variance 1; a constant row as zeros."""
    centred = rows - rows.mean(axis=-1, keepdims=True)
    spread = centred.std(axis=-1, keepdims=True)
    return np.asarray(np.where(spread > 1e-8, centred / np.maximum(spread, 1e-8), 0.0))


def page(shown: str, inside: Inside, model: str) -> str:
    """Make the page.

    Parameters
    ----------
    shown : str
        The text, a character for each step.
    inside : Inside
        What to colour it with.
    model : str
        What is written above.

    Returns
    -------
    str
        HTML that needs nothing else.
    """
    ranked = rank(inside.values[-1], properties(shown))[:_SHOWN]
    units = [unit for unit, _, _ in ranked]
    data = {
        "units": [f"unit {unit}: {what} ({told:+.2f})" for unit, what, told in ranked],
        "names": inside.names,
        # Whole numbers from -100 to 100: a page of a few hundred kilobytes.
        "values": [
            np.rint(100 * np.clip(values[:, units], -1, 1)).astype(int).T.tolist()
            for values in inside.values
        ],
    }
    spans = "".join(f"<i>{html.escape(character)}</i>" for character in shown)
    return (
        _PAGE.replace("@MODEL@", html.escape(model))
        .replace("@TEXT@", spans)
        .replace("@DATA@", json.dumps(data, separators=(",", ":")).replace("<", "\\u003c"))
    )


_PAGE = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>Look inside</title>
<style>
  body { font: 16px/1.5 sans-serif; max-width: 60em; margin: 2em auto; padding: 0 1em; color: #222 }
  #text { font: 15px/1.7 monospace; white-space: pre-wrap; overflow-wrap: anywhere }
  #text i { font-style: normal }
  select { font-size: 1em; margin-right: 1em }
  #scale { display: inline-block; width: 12em; height: 1em; vertical-align: middle;
           background: linear-gradient(90deg, rgb(33,102,172), #fff, rgb(178,24,43)) }
</style></head><body>
<h1>Look inside</h1><p>@MODEL@</p>
<p><label>Unit <select id="unit"></select></label> <label>Gate <select id="gate"></select></label>
-1 <span id="scale"></span> 1</p>
<p>The number behind a unit: how well the property tells its state h. Move over the text for
values.</p>
<div id="text">@TEXT@</div>
<script>
const data = @DATA@, letters = document.querySelectorAll("#text i");
const unit = document.getElementById("unit"), gate = document.getElementById("gate");
data.units.forEach((name, k) => unit.add(new Option(name, k)));
data.names.forEach((name, k) => gate.add(new Option(name, k)));
gate.value = data.names.length - 1;
function colour(v) {
  const end = v < 0 ? [33, 102, 172] : [178, 24, 43], share = Math.abs(v) / 100;
  return "rgb(" + end.map(c => Math.round(255 + (c - 255) * share)).join() + ")";
}
function show() {
  data.values[gate.value][unit.value].forEach((v, k) => {
    letters[k].style.background = colour(v);
    letters[k].style.color = Math.abs(v) > 60 ? "#fff" : "";
    letters[k].title = (v / 100).toFixed(2);
  });
}
unit.onchange = gate.onchange = show; show();
</script></body></html>
"""


def main(argv: Sequence[str] | None = None) -> None:
    """Run the program.

    Parameters
    ----------
    argv : sequence of str, optional
        Arguments of the command line, by default those of the process.
    """
    parser = _parser()
    options = parser.parse_args(argv)
    utils.set_random_seed(options.seed)
    try:
        whole = text.read_text(options.text) if options.text else text.python_documentation()
        if options.load:
            model, alphabet = kept_model.load(options.load)
        else:
            model, alphabet = _trained(whole, options)
    except (text.TextError, ValueError, OSError) as error:
        parser.error(str(error))
    shown = text.split(whole)[1][: options.characters]
    inside = look(model, alphabet.encode(shown))
    kinds = ", ".join(
        f"{type(layer).__name__} of {layer.units} units"
        for layer in model.layers
        if isinstance(layer, CellLayer)
    )
    options.page.write_text(page(shown, inside, f"A character model: {kinds}."), encoding="utf-8")
    print(f"{len(shown):,} characters; units that one property of the text tells best:")
    for unit, what, told in rank(inside.values[-1], properties(shown))[:5]:
        print(f"  unit {unit:4}  {what:18} {told:+.2f}")
    print(f"page saved in {options.page}, open it in a browser")


def _trained(whole: str, options: argparse.Namespace) -> tuple[Sequential, text.Alphabet]:
    corpus = char_lm.prepare(whole, 64)
    model = char_lm.build(options.cell, len(corpus.alphabet), 32, options.units, 1, 0.0)
    model.compile(optimizers.Adam(3e-3), losses.SparseCategoricalCrossentropy(from_logits=True))
    x, y = text.windows(corpus.training, 64)
    model.fit(x, y, batch_size=32, epochs=options.epochs)
    return model, corpus.alphabet


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="look_inside", description="Colour a text by the gates of a character model."
    )
    parser.add_argument("--load", type=Path, metavar="FILE", help="a model of char_lm --save")
    parser.add_argument(
        "--text", type=Path, metavar="FILE", help="UTF-8 text (default: Python's documentation)"
    )
    parser.add_argument(
        "--cell", choices=sorted(char_lm.CELLS), default="lstm", help="without --load"
    )
    count = number(int, 1)
    options: tuple[Option, ...] = (
        ("--units", count, 128, "hidden units, without --load"),
        ("--epochs", count, 8, "passes over the text, without --load"),
        ("--characters", count, 2000, "of the validation text that are shown"),
        ("--seed", number(int, 0, 2**32 - 1), 0, "of weights and order"),
        ("--page", Path, Path("look_inside.html"), "where to save the page"),
    )
    add_options(parser, options)
    return parser


if __name__ == "__main__":
    main()
