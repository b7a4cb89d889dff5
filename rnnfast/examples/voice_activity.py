"""Find speech in a recording, without torch: python -m rnnfast.examples.voice_activity.

A frame is 512 samples, 32 ms at 16 kHz, after the last 64 of the frame before. Of a frame x (576,),
mirrored at its end to 640:

    s = |STFT(x)|                    windows of 256 samples, 128 apart: (129, 4)
    s = relu(conv(s))                four times, with strides 1, 2, 2, 1: (128, 1) in the end
    h, c = lstm(s, (h, c))           rnnfast.prepack
    p = sigmoid(w relu(h) + b)       the probability that somebody speaks

The weights are a file of the package silero-vad, which is written for torch; neither is loaded. A
recording is taken as a whole, or frame by frame as it comes in, with the same numbers. Without one,
a voice is made up that says "a", twice.
"""

from __future__ import annotations

import argparse
import time
import wave
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

import rnnfast
from rnnfast.examples.command_line import Option, add_options, needs_host, number

Array = NDArray[np.float32]

RATE = 16_000
FRAME = 512
_CONTEXT, _MIRRORED, _HOP = 64, 64, 128
_STRIDES = {"conv1": 1, "conv2": 2, "conv3": 2, "conv4": 1}


class Detector:
    """Whether somebody speaks, frame by frame.

    Parameters
    ----------
    weights : mapping of str to array
        As in silero-vad's safetensors file.
    """

    def __init__(self, weights: Mapping[str, Array]) -> None:
        self._weights = weights
        names = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
        self._lstm = rnnfast.prepack("lstm", *(weights[f"lstm_cell.{name}"] for name in names))
        self.reset()

    def reset(self) -> None:
        """Forget what `step` has heard."""
        self._context = np.zeros(_CONTEXT, np.float32)
        self._state: tuple[Array, Array] | None = None

    def probabilities(self, samples: Array) -> Array:
        """Look at a whole recording.

        Parameters
        ----------
        samples : array, shape (S,)
            In [-1, 1], at 16 kHz; filled up to full frames with zeros.

        Returns
        -------
        array, shape (frames,)
            The probability of speech in each.
        """
        frames = -(-len(samples) // FRAME)
        padded = np.zeros(_CONTEXT + frames * FRAME, np.float32)
        padded[_CONTEXT : _CONTEXT + len(samples)] = samples
        features = self._features(sliding_window_view(padded, _CONTEXT + FRAME)[::FRAME])
        h, *_ = self._lstm(features[:, None])
        return self._probability(h[:, 0])

    def step(self, frame: Array) -> float:
        """Look at the next frame.

        Parameters
        ----------
        frame : array, shape (512,)
            What has come in.

        Returns
        -------
        float
            The probability of speech.
        """
        x = np.concatenate([self._context, frame])
        self._context = x[-_CONTEXT:]
        self._state = self._lstm.step(self._features(x[None]), self._state)
        return float(self._probability(self._state[0])[0])

    def _features(self, x: Array) -> Array:
        """Return (N, 128) of frames (N, 576)."""
        mirrored = np.pad(x, ((0, 0), (0, _MIRRORED)), "reflect")
        basis = self._weights["stft_conv.weight"][:, 0]
        windows = sliding_window_view(mirrored, basis.shape[1], axis=1)[:, ::_HOP]
        real, imaginary = np.split(np.swapaxes(windows @ basis.T, 1, 2), 2, axis=1)
        s = np.sqrt(real**2 + imaginary**2)
        for name, stride in _STRIDES.items():
            s = _convolved(s, self._weights[f"{name}.weight"], stride)
            s = np.maximum(s + self._weights[f"{name}.bias"][:, None], 0)
        return np.ascontiguousarray(s[:, :, 0])

    def _probability(self, h: Array) -> Array:
        """Return (N,) of h (N, 128)."""
        w, b = self._weights["final_conv.weight"][0, :, 0], self._weights["final_conv.bias"]
        p: Array = 1 / (1 + np.exp(-(np.maximum(h, 0) @ w + b)))
        return p


def _convolved(x: Array, weight: Array, stride: int) -> Array:
    """Return (N, O, L') of x (N, C, L) and weights (O, C, 3), with a zero at either end."""
    padded = np.pad(x, ((0, 0), (0, 0), (1, 1)))
    windows = sliding_window_view(padded, weight.shape[2], axis=2)[:, :, ::stride]
    return np.swapaxes(np.tensordot(windows, weight, ((1, 3), (1, 2))), 1, 2)


@needs_host()
def load_weights() -> dict[str, Array]:
    """Read the weights that the package silero-vad brings; the package itself is not loaded.

    Returns
    -------
    dict of str to array
    """
    from safetensors.numpy import load_file

    found = find_spec("silero_vad")
    if found is None or found.submodule_search_locations is None:
        raise ModuleNotFoundError("no silero_vad", name="silero_vad")
    (folder, *_) = found.submodule_search_locations
    weights: dict[str, Array] = load_file(Path(folder) / "data" / "silero_vad_16k.safetensors")
    return weights


def read_recording(path: Path) -> Array:
    """Read a WAV file of 16 bits, 16 kHz and one channel.

    Parameters
    ----------
    path : Path
        The file.

    Returns
    -------
    array, shape (S,)
        In [-1, 1].

    Raises
    ------
    ValueError
        If it is of another kind.
    """
    with wave.open(str(path)) as file:
        kind = file.getsampwidth(), file.getframerate(), file.getnchannels()
        if kind != (2, RATE, 1):
            raise ValueError(
                f"{path} must have 2 bytes a sample, {RATE} Hz and 1 channel, got {kind}"
            )
        samples = np.frombuffer(file.readframes(file.getnframes()), "<i2")
    return (samples / 32768).astype(np.float32)


def made_up_voice(seconds: float, seed: int = 0) -> Array:
    """Make up a voice: pulses of some 120 Hz through the formants of an "a", in two of four parts.

    Parameters
    ----------
    seconds : float
        How long it is.
    seed : int, default 0
        Of the noise.

    Returns
    -------
    array, shape (S,)
    """
    t = np.arange(int(seconds * RATE)) / RATE
    phase = np.cumsum(120 * (1 + 0.08 * np.sin(2 * np.pi * 3 * t))) / RATE
    harmonics = np.arange(1, 30)
    formants = ((700, 110, 1.0), (1200, 120, 0.6), (2600, 160, 0.3))
    loud = sum(a / (1 + ((120 * harmonics - f) / width) ** 2) for f, width, a in formants)
    voice = np.sin(2 * np.pi * phase[:, None] * harmonics) @ loud
    speaks = (4 * t / seconds).astype(int) % 2 == 1
    syllables = np.clip(np.sin(2 * np.pi * 4 * t) + 0.6, 0, 1)
    noise = np.random.default_rng(seed).standard_normal(len(t))
    return np.asarray(0.1 * voice * speaks * syllables + 0.001 * noise, np.float32)


def main(argv: Sequence[str] | None = None) -> None:
    """Run the program.

    Parameters
    ----------
    argv : sequence of str, optional
        Arguments of the command line, by default those of the process.
    """
    parser = _parser()
    options = parser.parse_args(argv)
    try:
        made_up = options.file is None
        samples = made_up_voice(options.seconds) if made_up else read_recording(options.file)
    except (OSError, EOFError, ValueError, wave.Error) as error:
        parser.error(str(error))
    detector = Detector(load_weights())
    p = detector.probabilities(samples)
    edges = np.flatnonzero(np.diff(p > options.threshold, prepend=False, append=False))
    for begin, end in edges.reshape(-1, 2) * FRAME / RATE:
        print(f"speech from {begin:6.2f} s to {end:6.2f} s")
    print(f"{np.mean(p > options.threshold):.0%} of {len(samples) / RATE:.1f} s are speech")

    frames = np.resize(samples, (max(1, len(samples) // FRAME), FRAME))
    began = time.perf_counter()
    for frame in frames:
        detector.step(frame)
    each = (time.perf_counter() - began) / len(frames)
    print(f"frame by frame: {1e6 * each:.0f} us for each {1e3 * FRAME / RATE:.0f} ms")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="voice_activity", description="Find speech in a recording, by silero-vad's weights."
    )
    options: tuple[Option, ...] = (
        ("--file", Path, None, "a WAV file, 16 bits, 16 kHz, one channel; else a made-up voice"),
        ("--seconds", number(float, 0.1), 8.0, "of the made-up voice"),
        ("--threshold", number(float, 0, 1), 0.5, "the probability from which on it is speech"),
    )
    add_options(parser, options)
    return parser


if __name__ == "__main__":
    main()
