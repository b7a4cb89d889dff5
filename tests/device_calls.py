"""Calls on arrays of an emulated GPU beside the same ones on the host."""

import numpy as np

import rnnfast
from gpu_arrays import Tensor, bits_of_bfloat16, numbers, widened

STEPS, ROWS, INPUTS, UNITS = 5, 3, 4, 6
# The cells that are emulated: their function, options and rows of weights.
CELLS = {
    "rnn": ("rnn", {}, 1),
    "lstm": ("lstm", {}, 4),
    "gru_reset_before": ("gru", {"reset_after": False}, 3),
    "gru_norm": ("gru", {"layer_norm": (6 * UNITS,)}, 3),
    "peephole": ("lstm", {"peephole": (3 * UNITS,)}, 4),
    "projected": ("lstm", {"w_hr": (2, UNITS)}, 4),
}


# Of results, and of gradients: some of the last places of what is stored.
TOLERANCES = {
    "float64": (1e-13, 1e-13),
    "float32": (2e-5, 1e-4),
    "float16": (4 * 2**-11, 16 * 2**-11),
    "bfloat16": (4 * 2**-8, 16 * 2**-8),
}


def close(got, wanted, places=2e-5):
    wanted = numbers(wanted)
    assert got.shape == wanted.shape
    np.testing.assert_allclose(got, wanted, rtol=places, atol=places)


class Problem:
    """A call's arrays on the host, and the same on the GPU.

    Where those of the GPU have 16 bits, the host's hold the same numbers in float32.
    """

    def __init__(self, cell, library=Tensor, dtype="float32", directions=1, layers=1):
        self.name, options, gates = CELLS[cell]
        self.library, self.dtype, self.rng = library, dtype, np.random.default_rng(1)
        self.options = {
            name: self.draw(one) if isinstance(one, tuple) else one for name, one in options.items()
        }
        width = self.options["w_hr"].shape[0] if "w_hr" in self.options else UNITS
        self.x, self.states = self.draw((STEPS, ROWS, INPUTS)), {"h0": self.draw((ROWS, width))}
        if self.name == "lstm":
            self.states["c0"] = self.draw((ROWS, UNITS))
        inputs = [INPUTS, *[directions * UNITS] * (layers - 1)]
        stacked = [
            [
                self.draw(shape)
                for shape in ((gates * UNITS, i), (gates * UNITS, width), *[(gates * UNITS,)] * 2)
            ]
            for i in inputs
            for _ in range(directions)
        ]
        self.weights = (
            stacked[0] if len(stacked) == 1 else [list(of) for of in zip(*stacked, strict=True)]
        )
        if len(stacked) > 1:
            self.states = {
                name: self.draw((len(stacked), *one.shape)) for name, one in self.states.items()
            }

    def draw(self, shape):
        drawn = 0.5 * self.rng.standard_normal(shape)
        if self.dtype == "bfloat16":
            return widened(bits_of_bfloat16(drawn))
        rounded = drawn.astype(self.dtype)
        return rounded.astype(np.float32) if self.dtype == "float16" else rounded

    def there(self, value):
        """What of a call lies on the GPU."""
        if isinstance(value, list):
            return [self.there(one) for one in value]
        if not isinstance(value, np.ndarray) or value.dtype.kind not in "fb":
            return value
        if value.dtype.kind == "b":
            return self.library.of(value)
        if self.dtype == "bfloat16":
            return self.library.of(value, bfloat16=True)
        return self.library.of(value.astype(self.dtype))

    def arguments(self, on):
        place = self.there if on == "gpu" else lambda value: value
        given = {**self.options, **self.states}
        return [place(one) for one in (self.x, *self.weights)], {
            name: place(one) for name, one in given.items()
        }

    def call(self, on, suffix="", **more):
        arrays, options = self.arguments(on)
        place = self.there if on == "gpu" else lambda value: value
        more = {name: place(one) for name, one in more.items()}
        return getattr(rnnfast, self.name + suffix)(*arrays, **options, **more)


def agree(problem, **options):
    """Forward and backward as on the host."""
    of_results, of_gradients = TOLERANCES[problem.dtype]
    wanted, pull_wanted = problem.call("host", "_vjp", **options)
    got, pull = problem.call("gpu", "_vjp", **options)
    above = [problem.draw(one.shape) for one in wanted]
    for one, of_host in zip(got, wanted, strict=True):
        close(numbers(one), of_host, of_results)
    gradients, of_host = pull(*map(problem.there, above)), pull_wanted(*above)
    for name, one in of_host._asdict().items():
        found = getattr(gradients, name)
        if one is None:
            assert found is None, name
        elif isinstance(one, list):
            for mine, its in zip(found, one, strict=True):
                close(numbers(mine), its, of_gradients)
        else:
            close(numbers(found), one, of_gradients)
    for one, of_host in zip(problem.call("gpu", **forward_of(options)), wanted, strict=True):
        close(numbers(one), of_host, of_results)


def forward_of(options):
    """Those that a forward pass knows too."""
    of_gradients = ("truncate", "checkpoint", "wrt", "per_sample")
    return {name: one for name, one in options.items() if name not in of_gradients}
