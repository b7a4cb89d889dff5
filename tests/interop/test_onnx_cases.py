"""Cases that others have written: onnx's of its backends, ONNX Runtime's of its operators."""

import numpy as np
import pytest
from onnx.backend.test.case import node
from onnx.backend.test.case.node import gru, lstm, rnn

from interop.onnx_models import assert_alike, model_of, run_by_host, run_by_kernels
from interop.onnxruntime_cases import CASES, GRU_OF_32_UNITS

OF_BACKENDS = {case.name: case for case in node._NodeTestCases}


def test_cases_of_backends_are_all_there():
    assert all(module.__name__.startswith(node.__name__) for module in (gru, lstm, rnn))
    assert len(OF_BACKENDS) >= 18


@pytest.mark.parametrize("name", OF_BACKENDS)
def test_cases_of_backends(name):
    case = OF_BACKENDS[name]
    names = [one.name for one in case.model.graph.input]
    for inputs, outputs in case.data_sets:
        found = run_by_kernels(case.model, dict(zip(names, inputs, strict=True)))
        assert_alike(found, outputs, 1e-5)


@pytest.mark.parametrize("wanted", [(0, 1, 2), (1, 2), (0,)], ids=["all", "no Y", "Y"])
@pytest.mark.parametrize("name", CASES)
def test_cases_of_the_host(name, wanted):
    """As there, with Y and without, which takes another way."""
    case = CASES[name]
    there = [i for i, one in enumerate(case.outputs) if one is not None and i in wanted]
    outputs = [called if i in there else "" for i, called in enumerate(("Y", "Y_h", "Y_c"))]
    model, feeds = model_of(
        case.op_type, case.inputs, outputs=outputs[: len(case.outputs)], **case.attributes
    )
    found = run_by_kernels(model, feeds)
    assert_alike(found, [case.outputs[i] for i in there], 1e-4)  # as far as theirs are written out
    assert_alike(found, run_by_host(model, feeds))


def test_numbers_of_activations_are_taken_in_order():
    attributes, inputs, first_units = GRU_OF_32_UNITS
    model, feeds = model_of("GRU", inputs, **attributes)
    y, y_h = run_by_kernels(model, feeds)
    np.testing.assert_allclose(y_h[:, 0, :4], first_units, rtol=1e-5)
    np.testing.assert_array_equal(y[0], y_h)
