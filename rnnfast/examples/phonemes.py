"""Spoken phonemes, made up: a sequence of labels becomes frames of a spectrum.

A phoneme is two formants, peaks of the spectrum over 16 channels, with a loudness and a width, at
its beginning and at its end. What makes speech hard is here in small:

    durations       each phoneme lasts as long as it likes, 4 to 10 frames; some pauses are between
    coarticulation  formants move smoothly, so that each begins and ends as its neighbours do
    speakers        each has formants up to 12% higher or lower, and a loudness
    noise           in every channel of every frame

Some phonemes are made of the frames of others in another order: w is y backwards, p is b.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

CHANNELS = 16
PAUSE = 0
"""The class of frames in which nobody speaks."""

# The first and second formant in channels, loudness, width of a peak.
_ENDS = {
    "-": [(5.0, 9.0, 0.0, 1.0)],
    "i": [(2.0, 13.0, 1.0, 0.8)],
    "e": [(4.0, 11.0, 1.0, 0.8)],
    "a": [(6.5, 9.0, 1.0, 0.8)],
    "o": [(4.5, 7.0, 1.0, 0.8)],
    "u": [(2.0, 5.0, 1.0, 0.8)],
    "m": [(1.0, 6.5, 0.6, 0.7)],
    "s": [(12.5, 14.5, 0.7, 1.6)],
    "f": [(8.0, 12.0, 0.5, 2.2)],
    "w": [(2.0, 4.0, 0.6, 0.8), (6.0, 12.0, 0.6, 0.8)],
    "y": [(6.0, 12.0, 0.6, 0.8), (2.0, 4.0, 0.6, 0.8)],
    "p": [(6.0, 10.0, -0.3, 2.0), (6.0, 10.0, 1.0, 2.0)],
    "b": [(6.0, 10.0, 1.0, 2.0), (6.0, 10.0, -0.3, 2.0)],
}
NAMES = tuple(_ENDS)
"""Of the classes: the pause, then the labels from 1 on."""


class Utterance(NamedTuple):
    """What is said, and how it sounds.

    Attributes
    ----------
    features : ndarray, shape (T, 16)
        Frames.
    labels : ndarray of int, shape (S,)
        The phonemes, from 1 on.
    classes : ndarray of int, shape (T,)
        The phoneme or pause that each frame is of: known here, and nowhere used but for the
        baseline and the picture.
    """

    features: NDArray[np.float32]
    labels: NDArray[np.intp]
    classes: NDArray[np.intp]


def utter(rng: np.random.Generator, noise: float) -> Utterance:
    """Make an utterance of 4 to 12 phonemes.

    Parameters
    ----------
    rng : numpy.random.Generator
        Draws.
    noise : float
        Standard deviation in each channel; formants are 1 high.

    Returns
    -------
    Utterance
        As it sounds.
    """
    labels = rng.integers(1, len(NAMES), rng.integers(4, 13))
    spoken = [PAUSE]
    for k, label in enumerate(labels):
        # Between two of a kind there is always a pause: nobody could tell them apart.
        if k and (label == labels[k - 1] or rng.random() < 0.2):
            spoken.append(PAUSE)
        spoken.append(int(label))
    spoken.append(PAUSE)
    durations = rng.integers(4, 11, len(spoken))
    tracks = np.concatenate(
        [_track(one, frames) for one, frames in zip(spoken, durations, strict=True)]
    )
    features = _spectrum(_smoothed(tracks), rng.uniform(0.88, 1.12), rng.uniform(0.8, 1.2))
    features += noise * rng.standard_normal(features.shape)
    return Utterance(
        features.astype(np.float32), labels.astype(np.intp), np.repeat(spoken, durations)
    )


def corpus(utterances: int, seed: int, noise: float) -> list[Utterance]:
    """Make utterances.

    Parameters
    ----------
    utterances : int
        How many.
    seed : int
        Of all that is drawn.
    noise : float
        As of `utter`.

    Returns
    -------
    list of Utterance
        Each of a speaker of its own.
    """
    rng = np.random.default_rng(seed)
    return [utter(rng, noise) for _ in range(utterances)]


def _track(one: int, frames: int) -> NDArray[Any]:
    """Return formants, loudness and width of each frame, (frames, 4)."""
    ends = _ENDS[NAMES[one]]
    return np.asarray(np.maximum(np.linspace(ends[0], ends[-1], frames), 0))


def _smoothed(tracks: NDArray[Any]) -> NDArray[Any]:
    """Return the mean over three frames: a tongue has a mass."""
    padded = np.pad(tracks, ((1, 1), (0, 0)), mode="edge")
    return np.asarray(np.mean([padded[k : k + len(tracks)] for k in range(3)], axis=0))


def _spectrum(tracks: NDArray[Any], higher: float, louder: float) -> NDArray[Any]:
    """Return what formants sound like, (T, 16)."""
    *formants, loudness, width = tracks.T[..., None]
    channels = np.arange(CHANNELS)
    peaks = [np.exp(-(((channels - higher * one) / width) ** 2) / 2) for one in formants]
    return np.asarray(louder * loudness * sum(peaks))
