"""A trained character model in shorter types predicts as well as in float32.

Perplexity of validation text, exp of the mean negative log-likelihood of each next character.
"""

from __future__ import annotations

import numpy as np
import pytest

from rnnfast import losses, optimizers, utils
from rnnfast.examples import char_lm, text

CHARACTERS = 120_000  # enough to be far below the guess of a uniform alphabet
WINDOW = 64


@pytest.fixture(scope="module", params=["lstm", "gru"])
def trained(request):
    """A model, and windows of validation text."""
    utils.set_random_seed(7)
    corpus = char_lm.prepare(text.python_documentation()[:CHARACTERS], WINDOW)
    symbols = len(corpus.alphabet)
    model = char_lm.build(request.param, symbols, 24, 96, depth=1, dropout=0.0)
    model.compile(
        optimizers.Adam(5e-3, global_clipnorm=1.0),
        losses.SparseCategoricalCrossentropy(from_logits=True),
    )
    model.fit(*text.windows(corpus.training, WINDOW), batch_size=32, epochs=2, verbose=0)
    return model, symbols, text.equal_windows(corpus.validation, 512)


def perplexity(logits, following) -> float:
    shifted = logits.astype(np.float64) - logits.max(axis=-1, keepdims=True)
    likelihood = shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))
    return float(np.exp(-np.take_along_axis(likelihood, following[..., None], -1).mean()))


@pytest.mark.parametrize("precision", ["bfloat16", "float16"])
def test_perplexity(trained, precision) -> None:
    model, symbols, (x, following) = trained
    whole = perplexity(model.prepack()(x), following)
    short = perplexity(model.prepack(precision)(x), following)
    assert whole < symbols / 5
    assert short != whole
    assert abs(short / whole - 1) < 0.002
