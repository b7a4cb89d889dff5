"""Polyphonic music, drawn: chords that follow each other, a bass below, an arpeggio above.

A song is a piano roll (T, KEYS) of zeros and ones, KEYS = 24 keys of two octaves. Each chord lasts
four steps: the bass sounds at its first and third, the triad is held, and one of its keys walks
through the upper octave, always in the same order. Only which chord comes next is drawn, from the
few that may follow, so that a model that remembers where it is can know three steps of four.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Roll = NDArray[np.float32]

KEYS = 24
STEPS_OF_A_CHORD = 4
_TRIADS = {"C": (0, 4, 7), "F": (5, 9, 0), "G": (7, 11, 2), "a": (9, 0, 4), "d": (2, 5, 9)}
_FOLLOWING = {"C": "FGa", "F": "CGd", "G": "CaC", "a": "FdF", "d": "GGa"}


def songs(rng: np.random.Generator, count: int, shortest: int = 6, longest: int = 20) -> list[Roll]:
    """Draw songs of different lengths.

    Parameters
    ----------
    rng : numpy.random.Generator
        Draws.
    count : int
        How many.
    shortest, longest : int
        Chords of a song.

    Returns
    -------
    list of ndarray, shape (steps, 24)
        The piano rolls.
    """
    return [_song(rng, int(rng.integers(shortest, longest + 1))) for _ in range(count)]


def _song(rng: np.random.Generator, chords: int) -> Roll:
    roll = np.zeros((chords * STEPS_OF_A_CHORD, KEYS), np.float32)
    name = "C"
    for chord in range(chords):
        triad = _TRIADS[name]
        for beat in range(STEPS_OF_A_CHORD):
            step = roll[chord * STEPS_OF_A_CHORD + beat]
            step[list(triad[1:])] = 1
            step[triad[0]] = beat % 2 == 0
            step[12 + triad[beat % 3]] = 1
        name = rng.choice(list(_FOLLOWING[name]))
    return roll
