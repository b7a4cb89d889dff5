"""A trained character model that writes to the terminal, each character as it is drawn."""

from __future__ import annotations

import time
from itertools import islice

import numpy as np

from rnnfast import Sequential
from rnnfast.examples.sampling import Sampling
from rnnfast.examples.streaming import Stream, sample
from rnnfast.examples.text import Alphabet, TextError


def write(
    model: Sequential, alphabet: Alphabet, prompt: str, sampling: Sampling, count: int, seed: int
) -> None:
    """Print a prompt and how the model goes on.

    Parameters
    ----------
    model : Sequential
        Symbols (B, T) to the logits (B, T, V) of the next ones.
    alphabet : Alphabet
        What its symbols are.
    prompt : str
        At least one character.
    sampling : Sampling
        How characters are drawn.
    count : int
        How many.
    seed : int
        Of what is drawn.

    Raises
    ------
    TextError
        When the prompt is empty.
    """
    if not prompt:
        raise TextError("the prompt must have one character at least")
    restricted = f", top-k {sampling.top_k}" if sampling.top_k else ""
    restricted += f", top-p {sampling.top_p:g}" if sampling.top_p < 1 else ""
    print(f"\n--- a sample at temperature {sampling.temperature:g}{restricted} ---")
    symbols = alphabet.encode(prompt)
    print(alphabet.decode(symbols), end="|", flush=True)
    rng = np.random.default_rng(seed)
    began = time.perf_counter()
    for symbol in islice(sample(Stream(model), symbols, sampling, rng), count):
        print(alphabet.decode(np.array([symbol])), end="", flush=True)
    rate = (len(symbols) + count) / (time.perf_counter() - began)
    print(f"\n--- end of the sample, {rate:,.0f} characters/s ---\n")
