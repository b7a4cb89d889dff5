"""A call runs on the stream of its x, and whoever is elsewhere waits there."""

import numpy as np
import pytest

import rnnfast
from gpu_arrays import CupyArray, DLPackArray, InterfaceArray, JaxArray, Tensor, numbers

pytestmark = [pytest.mark.compiles, pytest.mark.usefixtures("streams")]

STEPS, ROWS, INPUTS, UNITS = 3, 2, 3, 4
RNG = np.random.default_rng(3)
X, W_IH, W_HH = (
    RNG.standard_normal(shape).astype(np.float32)
    for shape in ((STEPS, ROWS, INPUTS), (4 * UNITS, INPUTS), (4 * UNITS, UNITS))
)


@pytest.fixture(autouse=True)
def asked(monkeypatch):
    """The streams that libraries have been asked to be ready on."""
    streams = []
    monkeypatch.setattr(DLPackArray, "streams", streams)
    return streams


def arguments(library):
    return [library.of(one) for one in (X, W_IH, W_HH)]


@pytest.mark.parametrize(
    ("library", "its"), [(Tensor, 4096), (CupyArray, 8192), (Tensor, 0), (CupyArray, 2)]
)
def test_the_current_stream_of_the_library(library, its, streams, asked, gpu):
    streams.torch = streams.cupy = its
    out = rnnfast.lstm(*arguments(library))
    assert asked == [its or 1] * 3
    assert not gpu.waits()  # all of it is in the order of one stream
    assert type(out.y) is library


def test_the_stream_of_the_interface(gpu):
    given = arguments(InterfaceArray)
    for one in given:
        one.stream = 512
    out = rnnfast.lstm(*given)
    assert out.y.stream == out.y.__cuda_array_interface__["stream"] == 512
    assert not gpu.waits()


def test_what_is_ready_on_another_stream_is_waited_for(gpu):
    x, w_ih, w_hh = arguments(InterfaceArray)
    x.stream, w_ih.stream, w_hh.stream = 512, 640, 640
    _, pull = rnnfast.lstm_vjp(x, w_ih, w_hh)
    assert gpu.waits() == [(512, 640)]
    above = InterfaceArray.of(np.ones((STEPS, ROWS, UNITS), np.float32))
    above.stream = 768
    gradients = pull(above)
    assert gpu.waits() == [(512, 768)]
    assert gradients.x.stream == 512


def test_a_library_without_a_stream_is_waited_for_by_the_host(asked, gpu):
    out = rnnfast.lstm(*arguments(JaxArray))
    assert asked == [1, 1, 1]
    assert (77, 1) in gpu.waits()  # its own, on which it takes results
    assert type(out.y) is JaxArray


def test_who_takes_a_result_names_a_stream(gpu):
    given = arguments(InterfaceArray)
    given[0].stream = given[1].stream = given[2].stream = 512
    y = rnnfast.lstm(*given).y
    for stream, waits in [(512, []), (-1, []), (640, [(640, 512)]), (None, [(1, 512)])]:
        y.__dlpack__(stream=stream)
        assert gpu.waits() == waits


def test_packed_weights_serve_every_stream(streams, gpu):
    streams.torch = 4096
    packed = rnnfast.prepack("lstm", Tensor.of(W_IH), Tensor.of(W_HH))
    streams.torch = 8192
    y = packed(Tensor.of(X)).y
    assert not gpu.waits()  # the host has waited until they were packed
    np.testing.assert_allclose(numbers(y), rnnfast.lstm(X, W_IH, W_HH).y, rtol=1e-5, atol=1e-6)


def test_a_pullback_on_another_stream(streams, gpu):
    streams.torch = 4096
    _, pull = rnnfast.lstm_vjp(*arguments(Tensor))
    streams.torch = 8192
    gradients = pull(Tensor.of(np.ones((STEPS, ROWS, UNITS), np.float32)))
    # It runs where the forward pass ran, after what is there now, and who takes it waits.
    of_results = [(8192, 4096)] * sum(one is not None for one in gradients)
    assert gpu.waits() == [(4096, 8192), *of_results]
