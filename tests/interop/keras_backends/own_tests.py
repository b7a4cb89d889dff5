"""Run Keras's own tests of its recurrent layers without us and with us; print both as JSON.

With us every recurrent layer is hooked that is called. KERAS_BACKEND says under which backend.
"""

import json
import sys
import warnings

import keras
import pytest

from rnnfast.interop.keras import _hook, kernel_calls

MODULES = [
    f"keras.src.layers.rnn.{name}_test"
    for name in (
        "bidirectional",
        "dropout_rnn_cell",
        "gru",
        "lstm",
        "rnn",
        "simple_rnn",
        "stacked_rnn_cells",
        "time_distributed",
    )
]


class Outcomes:
    """What became of each test, by its name."""

    def __init__(self):
        self.found = {}

    def pytest_runtest_logreport(self, report):
        if report.when == "call" or report.outcome != "passed":
            self.found[report.nodeid] = report.outcome


def run():
    outcomes = Outcomes()
    options = ["-q", "-p", "no:cacheprovider", "-p", "no:randomly", "--pyargs", "--tb=short"]
    pytest.main([*options, "--rootdir=/", "-c", "/dev/null", *MODULES], plugins=[outcomes])
    return outcomes.found


def hook_every_layer():
    """Hook each where its `call` comes by: a layer's constructor is looked at by Keras."""
    before_the_loop = keras.layers.RNN._maybe_config_dropout_masks

    def hook_first(layer, *arguments):
        _hook.hook(layer)
        before_the_loop(layer, *arguments)

    keras.layers.RNN._maybe_config_dropout_masks = hook_first


if __name__ == "__main__":
    output, sys.stdout = sys.stdout, sys.stderr
    warnings.simplefilter("ignore")
    without = run()
    hook_every_layer()
    before = kernel_calls()
    with_us = run()
    json.dump({"without": without, "with": with_us, "calls": kernel_calls() - before}, output)
