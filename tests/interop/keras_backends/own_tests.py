"""Run Keras's own tests of its recurrent layers, with every one that is called hooked.

Those that fail are run without us as well. Prints as JSON how many passed, which of them pass only
without us, and how often the kernels ran. KERAS_BACKEND says under which backend.
"""

import json
import sys
import warnings
from contextlib import contextmanager

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


@contextmanager
def every_layer_hooked():
    """Hook each where its `call` comes by: a layer's constructor is looked at by Keras."""
    before_the_loop = keras.layers.RNN._maybe_config_dropout_masks

    def hook_first(layer, *arguments):
        _hook.hook(layer)
        before_the_loop(layer, *arguments)

    keras.layers.RNN._maybe_config_dropout_masks = hook_first
    yield
    keras.layers.RNN._maybe_config_dropout_masks = before_the_loop


if __name__ == "__main__":
    output, sys.stdout = sys.stdout, sys.stderr
    warnings.simplefilter("ignore")
    with every_layer_hooked():
        with_us = run()
    calls = kernel_calls()
    failed = {test for test, outcome in with_us.items() if outcome == "failed"}
    without = run() if failed else {}
    broken = sorted(test for test in failed if without[test] == "passed")
    passed = [*with_us.values()].count("passed")
    json.dump({"passed": passed, "broken": broken, "calls": calls}, output)
