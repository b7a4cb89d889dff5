"""Phonemes of words by the weights of g2p_en: python -m rnnfast.examples.pronounce.

    letters, </s>  ->  gru  ->  h,   then  p_0 = <s>,  h = gru(p_i, h),  p_{i+1} = argmax(W h + b)

g2p_en, for words that no dictionary has, runs both GRUs of 128 units in a NumPy loop. Their weights
are what `rnnfast.prepack` takes. The loop is here as well, for its time. Of the package only the
file of weights is read.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import rnnfast
from rnnfast.examples.command_line import Option, add_options, needs_host, number

Array = NDArray[np.float32]
Step = Callable[[Array, Array], Array]
"""The state (1, H) after an input (1, I), from the state before."""

LETTERS = ("<pad>", "<unk>", "</s>", *"abcdefghijklmnopqrstuvwxyz")
_VOWELS = "AA AE AH AO AW AY EH ER EY IH IY OW OY UH"
PHONEMES = (
    *("<pad>", "<unk>", "<s>", "</s>"),
    *(f"{vowel}{stress}" for vowel in _VOWELS.split()[:6] for stress in "012"),
    *("B", "CH", "D", "DH"),
    *(f"{vowel}{stress}" for vowel in ("EH", "ER", "EY") for stress in "012"),
    *("F", "G", "HH"),
    *(f"{vowel}{stress}" for vowel in ("IH", "IY") for stress in "012"),
    *("JH", "K", "L", "M", "N", "NG"),
    *(f"{vowel}{stress}" for vowel in ("OW", "OY") for stress in "012"),
    *("P", "R", "S", "SH", "T", "TH"),
    *("UH0", "UH1", "UH2", "UW", "UW0", "UW1", "UW2"),
    *("V", "W", "Y", "Z", "ZH"),
)
_BEGIN, _END, _LONGEST = 2, 3, 20
_WORDS = "rnnfast", "activationist", "grapheme", "recurrent", "zoneout", "peephole"


def gru_weights(weights: Mapping[str, Array], part: str) -> list[Array]:
    """Return what a GRU of the model is made of.

    Parameters
    ----------
    weights : mapping of str to array
        As in g2p_en's file.
    part : {"enc", "dec"}
        The reader of letters or the writer of phonemes.

    Returns
    -------
    list of array
        w_ih, w_hh, b_ih and b_hh.
    """
    return [weights[f"{part}_{name}"] for name in ("w_ih", "w_hh", "b_ih", "b_hh")]


def packed_step(w_ih: Array, w_hh: Array, b_ih: Array, b_hh: Array) -> Step:
    """Return a step of a GRU by rnnfast."""
    return rnnfast.prepack("gru", w_ih, w_hh, b_ih, b_hh).step


def numpy_step(w_ih: Array, w_hh: Array, b_ih: Array, b_hh: Array) -> Step:
    """Return a step of a GRU in NumPy, written as in g2p_en."""

    def step(x: Array, h: Array) -> Array:
        of_x, of_h = x @ w_ih.T + b_ih, h @ w_hh.T + b_hh
        units = h.shape[1]
        r, z = np.split(1 / (1 + np.exp(-(of_x + of_h)[:, : 2 * units])), 2, axis=1)
        n = np.tanh(of_x[:, 2 * units :] + r * of_h[:, 2 * units :])
        after: Array = (1 - z) * n + z * h
        return after

    return step


class Speller:
    """Words to phonemes.

    Parameters
    ----------
    weights : mapping of str to array
        As in g2p_en's file.
    make_step : callable
        `packed_step` or `numpy_step`.
    """

    def __init__(self, weights: Mapping[str, Array], make_step: Callable[..., Step]) -> None:
        self._weights = weights
        self._read = make_step(*gru_weights(weights, "enc"))
        self._write = make_step(*gru_weights(weights, "dec"))

    def __call__(self, word: str) -> list[str]:
        """Return the phonemes of a word, in lower case, vowels with their stress."""
        return [PHONEMES[symbol] for symbol in self._phonemes(word)]

    def _phonemes(self, word: str) -> Iterator[int]:
        weights = self._weights
        h = np.zeros((1, weights["enc_w_hh"].shape[1]), np.float32)
        for letter in (*word, "</s>"):
            number = LETTERS.index(letter if letter in LETTERS else "<unk>")
            h = self._read(weights["enc_emb"][number, None], h)
        symbol = _BEGIN
        for _ in range(_LONGEST):
            h = self._write(weights["dec_emb"][symbol, None], h)
            symbol = int(np.argmax(h @ weights["fc_w"].T + weights["fc_b"]))
            if symbol == _END:
                return
            yield symbol


@needs_host()
def load_weights() -> dict[str, Array]:
    """Read the weights that the package g2p_en brings; the package itself is not loaded.

    Returns
    -------
    dict of str to array
    """
    found = find_spec("g2p_en")
    if found is None or found.submodule_search_locations is None:
        raise ModuleNotFoundError("no g2p_en", name="g2p_en")
    (folder, *_) = found.submodule_search_locations
    with np.load(Path(folder) / "checkpoint20.npz") as file:
        return dict(file)


def main(argv: Sequence[str] | None = None) -> None:
    """Run the program.

    Parameters
    ----------
    argv : sequence of str, optional
        Arguments of the command line, by default those of the process.
    """
    options = _parser().parse_args(argv)
    weights = load_weights()
    makers: dict[str, Any] = {"NumPy": numpy_step, "rnnfast": packed_step}
    spellers = {name: Speller(weights, make) for name, make in makers.items()}
    words = [word.lower() for word in options.words or _WORDS]
    for word in words:
        said = {name: " ".join(spell(word)) for name, spell in spellers.items()}
        print(f"{word:16} {said['rnnfast']}")
        if said["NumPy"] != said["rnnfast"]:
            print(f"{'':16} {said['NumPy']}, by NumPy")
    for name, spell in spellers.items():
        began = time.perf_counter()
        for _ in range(options.rounds):
            for word in words:
                spell(word)
        each = (time.perf_counter() - began) / (options.rounds * len(words))
        print(f"{name}: {1e6 * each:.0f} us a word")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="pronounce", description="Phonemes of words, by g2p_en's weights."
    )
    parser.add_argument("words", nargs="*", help=f"by default {', '.join(_WORDS)}")
    options: tuple[Option, ...] = (
        ("--rounds", number(int, 1), 20, "how often words are read for the time"),
    )
    add_options(parser, options)
    return parser


if __name__ == "__main__":
    main()
