"""What is wrong with a call is said before anything is launched, and the next call is right."""

import pickle
import sys

import numpy as np
import pytest

import rnnfast
from gpu_arrays import InterfaceArray, JaxArray, Tensor, numbers
from rnnfast._devices import extension

pytestmark = [pytest.mark.compiles, pytest.mark.usefixtures("streams")]

STEPS, ROWS, INPUTS, UNITS = 4, 2, 3, 5
RNG = np.random.default_rng(2)
X, W_IH, W_HH = (
    RNG.standard_normal(shape).astype(np.float32)
    for shape in ((STEPS, ROWS, INPUTS), (4 * UNITS, INPUTS), (4 * UNITS, UNITS))
)
STATE = np.zeros((ROWS, UNITS), np.float32)
OUT = rnnfast.lstm(X, W_IH, W_HH)


def there(array, **where):
    return Tensor.of(array, **where)


def on_gpu():
    return there(X), there(W_IH), there(W_HH)


@pytest.fixture(autouse=True)
def the_next_call_is_right(streams):
    yield
    np.testing.assert_allclose(numbers(rnnfast.lstm(*on_gpu()).y), OUT.y, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda x, w, u: rnnfast.lstm(x, W_IH, u),
            "w_ih must be on cuda:0 like x, got an array on the host; move one of them",
        ),
        (
            lambda x, w, u: rnnfast.lstm(X, W_IH, u),
            "w_hh must be on the host like x, got an array on cuda:0; move one of them",
        ),
        (
            lambda x, w, u: rnnfast.lstm(x, w, there(W_HH, device=1)),
            "w_hh must be on cuda:0 like x, got an array on cuda:1; move one of them",
        ),
        (
            lambda x, w, u: rnnfast.lstm(x, w, u, h0=STATE),
            "h0 must be on cuda:0 like x, got an array on the host; move one of them",
        ),
        (
            lambda x, w, u: rnnfast.lstm(x, w, u, c0=there(STATE, device=1)),
            "c0 must be on cuda:0 like x, got an array on cuda:1; move one of them",
        ),
        (
            lambda x, w, u: rnnfast.lstm(x, w, u, resets=np.zeros((STEPS, ROWS), bool)),
            "resets must be on cuda:0 like x, got an array on the host; move one of them",
        ),
        (
            lambda x, w, u: rnnfast.lstm(
                X, W_IH, W_HH, resets=there(np.zeros((STEPS, ROWS), bool))
            ),
            "resets must be on the host like x, got an array on cuda:0; move one of them",
        ),
        (
            lambda x, w, u: rnnfast.lstm_vjp(x, w, u)[1](OUT.y),
            "dy must be on cuda:0 like x, got an array on the host; move one of them",
        ),
        (
            lambda x, w, u: rnnfast.lstm(x, [w, w], [u, W_HH]),
            "w_hh[1] must be on cuda:0 like x, got an array on the host; move one of them",
        ),
        (
            lambda x, w, u: rnnfast.prepack("lstm", w, W_HH),
            "w_hh must be on cuda:0 like w_ih, got an array on the host; move one of them",
        ),
        (
            lambda x, w, u: rnnfast.prepack("lstm", w, u)(X),
            "x must be on cuda:0 like the packed weights, got an array on the host; "
            "move one of them",
        ),
        (
            lambda x, w, u: rnnfast.prepack("lstm", W_IH, W_HH).step(there(X[0])),
            "x_t must be on the host like the packed weights, got an array on cuda:0; "
            "move one of them",
        ),
    ],
)
def test_arrays_in_two_places(change, message):
    with pytest.raises(TypeError) as raised:
        change(*on_gpu())
    assert str(raised.value) == message


def test_lengths_are_the_hosts():
    with pytest.raises(TypeError, match=r"^lengths must be on the host, since .*\.cpu\(\)"):
        rnnfast.lstm(*on_gpu(), lengths=there(np.full(ROWS, STEPS)))


@pytest.mark.parametrize("dtype", [np.uint16, np.int32, np.complex64, bool, "V2"])
def test_another_type_of_numbers(dtype):
    _, *weights = on_gpu()
    got = np.dtype(dtype).name
    wanted = rf"^x must be float32, float64, float16 or bfloat16, got {got}; convert it, "
    for library in (Tensor, InterfaceArray):
        if library is Tensor and dtype is not bool:
            continue  # the fakes make capsules of what the kernels take
        with pytest.raises(TypeError, match=wanted):
            rnnfast.lstm(library.of(X.astype(dtype)), *weights)


def test_resets_that_are_no_bools():
    with pytest.raises(TypeError, match=r"^resets must be bool, got float32; compare first"):
        rnnfast.lstm(*on_gpu(), resets=there(np.zeros((STEPS, ROWS), np.float32)))


def test_weights_of_another_type_than_x():
    x, w_ih, _ = on_gpu()
    with pytest.raises(TypeError, match=r"^w_hh must be float32 like x, got float64; convert one"):
        rnnfast.lstm(x, w_ih, there(W_HH.astype(np.float64)))


def test_shapes_are_checked_as_on_the_host():
    x, _, w_hh = on_gpu()
    with pytest.raises(ValueError) as of_host:
        rnnfast.lstm(X, W_IH.T, W_HH)
    with pytest.raises(ValueError) as of_gpu:
        rnnfast.lstm(x, there(W_IH.T.copy()), w_hh)
    assert str(of_gpu.value) == str(of_host.value)


def test_a_tensor_that_requires_a_gradient():
    x, *weights = on_gpu()
    x.requires_grad = True
    with pytest.raises(TypeError, match=r"^x must be an array .* this Tensor .* tensor\.detach"):
        rnnfast.lstm(x, *weights)


def test_an_interface_with_a_mask_or_the_stream_0():
    _, *weights = on_gpu()
    masked, ambiguous = InterfaceArray.of(X), InterfaceArray.of(X)
    masked.mask, ambiguous.stream = masked, 0
    with pytest.raises(TypeError, match=r"^x must be an array .* it has a mask$"):
        rnnfast.lstm(masked, *weights)
    with pytest.raises(TypeError, match=r"^x must be an array .* stream 0 of its interface"):
        rnnfast.lstm(ambiguous, *weights)


def test_a_capsule_that_is_none():
    class Broken(JaxArray):
        def __dlpack__(self, *, stream=None):
            return object()

    _, *weights = on_gpu()
    with pytest.raises(TypeError, match=r"^x must be an array .* must return a capsule"):
        rnnfast.lstm(Broken.of(X), *weights)


@pytest.mark.parametrize(
    ("refused", "message"),
    [
        (
            lambda: rnnfast.lstm_vjp(*on_gpu())[1](out=rnnfast.functional.LSTMGrads(x=there(X))),
            "out must be None where x is on a device",
        ),
        (
            lambda: rnnfast.prepack("lstm", *on_gpu()[1:])(there(X), out=OUT),
            "out must be None where arrays are on a device",
        ),
        (
            lambda: rnnfast.prepack("lstm", *on_gpu()[1:]).step(there(X[0]), out=(STATE, STATE)),
            "out must be None where arrays are on a device",
        ),
        (
            lambda: rnnfast.lstm_vjp(*on_gpu(), precision="bfloat16"),
            "precision must be None where arrays are on a device, .* arrays of float32; convert",
        ),
        (
            lambda: rnnfast.prepack("lstm", *on_gpu()[1:], precision="int8"),
            "precision must be None where arrays are on a device, .* arrays of float32; convert",
        ),
    ],
)
def test_what_a_device_has_not(refused, message):
    with pytest.raises(NotImplementedError, match=rf"^{message}"):
        refused()


def test_a_cell_that_this_build_has_not():
    with pytest.raises(
        ValueError, match=r"^the cell lstm_coupled is not there for float32 in this"
    ):
        rnnfast.lstm(*map(there, (X, W_IH[: 3 * UNITS], W_HH[: 3 * UNITS])), forget_gate="coupled")


@pytest.mark.parametrize("options", [{}, {"zoneout": (0.3, 0.1), "seed": 1}], ids=str)
@pytest.mark.parametrize("more", [0, 100, 400, 1000, 2000])
def test_refused_memory(gpu, more, options):
    arguments = on_gpu()
    gpu.refuse_beyond(more)
    with pytest.raises(MemoryError):
        rnnfast.lstm_vjp(*arguments, **options)
    gpu.refuse_nothing()


@pytest.mark.parametrize("per_sample", [False, True])
@pytest.mark.parametrize("more", [0, 100, 400])
def test_refused_memory_of_a_pullback(gpu, more, per_sample):
    out, pull = rnnfast.lstm_vjp(*on_gpu(), per_sample=per_sample)
    gpu.refuse_beyond(more)
    with pytest.raises(MemoryError):
        pull(out.y)
    gpu.refuse_nothing()
    pull(out.y)


def test_refused_results_are_named(gpu):
    arguments = on_gpu()
    gpu.refuse_beyond(0)
    with pytest.raises(MemoryError, match=r"^no memory on cuda:0 for y \(4, 2, 5\) of float32$"):
        rnnfast.lstm(*arguments)
    gpu.refuse_nothing()


def test_an_error_of_an_earlier_call_is_told_by_the_next(gpu):
    arguments = on_gpu()
    gpu.fail("cudaErrorIllegalAddress, an illegal memory access was encountered")
    with pytest.raises(RuntimeError, match=r"^CUDA: cudaErrorIllegalAddress"):
        rnnfast.lstm(*arguments)


def test_an_address_of_nobody():
    """The emulation finds what the kernels of a GPU would have read out of bounds."""
    x, w_ih, w_hh = on_gpu()
    outside = w_hh.seen_as(lambda geometry: geometry)
    outside.geometry = W_HH  # memory of the host
    rnnfast.lstm(x, w_ih, outside)
    with pytest.raises(RuntimeError, match=r"^the emulation has found a fault"):
        rnnfast.lstm(x, w_ih, w_hh)


def test_sparse_weights_are_the_hosts():
    with pytest.raises(TypeError, match=r"^sparse=True is for arrays of the host, got w_hh on a"):
        rnnfast.prepack("lstm", there(W_IH), there(W_HH), sparse=True)


def test_results_are_nobody_elses_arrays():
    packed = rnnfast.prepack("lstm", there(W_IH), there(W_HH))
    with pytest.raises(TypeError, match=r"^an array on cuda:0 cannot be pickled"):
        pickle.dumps(packed)
    out = rnnfast.lstm(*map(InterfaceArray.of, (X, W_IH, W_HH)))
    with pytest.raises(
        TypeError, match=r"^this array is on cuda:0, its numbers are not the host's"
    ):
        np.asarray(out.y)
    with pytest.raises(BufferError, match=r"^this array is on cuda:0 and is given without a copy"):
        out.y.__dlpack__(copy=True)
    with pytest.raises(ValueError, match=r"^stream must be None, -1, 1, 2 or a stream's address"):
        out.y.__dlpack__(stream=0)
    assert repr(out.h_n) == "DeviceArray(shape=(2, 5), dtype=float32, device=cuda:0)"


class TestWithoutWhatIsNeeded:
    """Nothing of it is there when the call begins; all is there again after the test."""

    @pytest.fixture(autouse=True)
    def undone(self, forgotten, gpu):
        yield
        for found in (extension._loaded, extension._ready, extension._product_library):
            found.cache_clear()

    def test_no_extension(self, monkeypatch):
        arguments = on_gpu()
        with monkeypatch.context() as without:
            without.setitem(sys.modules, "rnnfast._cuda", None)
            extension._loaded.cache_clear()
            with pytest.raises(ImportError, match=r'`pip install "rnnfast\[cuda13\]"`, or build'):
                rnnfast.lstm(*arguments)
            assert rnnfast.show_config(mode="dicts")["cuda"]["extension"] is False
        extension._loaded.cache_clear()

    def test_one_of_another_version(self, monkeypatch, emulated):
        arguments = on_gpu()
        other = {**emulated.config(), "version": "0.0.1"}
        with monkeypatch.context() as changed:
            changed.setattr(emulated, "config", lambda: other)
            extension._loaded.cache_clear()
            with pytest.raises(ImportError, match=r"its extension for CUDA 0\.0\.1, install the"):
                rnnfast.lstm(*arguments)
        extension._loaded.cache_clear()

    def test_no_driver(self, monkeypatch, emulated):
        arguments = on_gpu()
        facts = {**emulated.config(), "missing": "no driver of NVIDIA's is installed"}
        with monkeypatch.context() as changed:
            changed.setattr(emulated, "config", lambda: facts)
            extension._ready.cache_clear()
            with pytest.raises(RuntimeError, match=r"^no GPU can be used: no driver of NVIDIA's"):
                rnnfast.lstm(*arguments)
            assert "no driver" in rnnfast.show_config(mode="dicts")["cuda"]["missing"]

    def test_no_cublas(self, monkeypatch, emulated):
        def refuse(libraries):
            raise RuntimeError(f"cuBLAS was not found: {libraries[-1]}")

        arguments = on_gpu()
        with monkeypatch.context() as changed:
            changed.setattr(emulated, "product_library", refuse)
            extension._ready.cache_clear()
            extension._product_library.cache_clear()
            with pytest.raises(
                ImportError, match=r"^cuBLAS was not found: libcublas\.so\.12; inst"
            ):
                rnnfast.lstm(*arguments)
            found = rnnfast.show_config(mode="dicts")["cuda"]
        assert found["cublas"] is None and "cuBLAS was not found" in found["missing"]


def test_what_is_there(gpu):
    found = rnnfast.show_config(mode="dicts")["cuda"]
    assert found["extension"] is True
    assert found["missing"] == ""
    assert found["devices"][0]["compute_capability"] == "9.0"
    assert found["cublas"] == "emulated"


def test_what_is_printed(gpu, capsys):
    rnnfast.show_config()
    printed = dict(line.split(":", 1) for line in capsys.readouterr().out.splitlines())["cuda"]
    assert "extension yes" in printed and "cublas emulated" in printed
    assert "devices an emulated GPU (9.0, 1 GiB), an emulated GPU (9.0, 1 GiB)" in printed
    assert "missing" not in printed


@pytest.mark.parametrize(
    "call",
    [
        lambda x: rnnfast.ctc_loss(x, [[1]] * ROWS),
        lambda x: rnnfast.ctc_loss_vjp(x, [[1]] * ROWS),
        lambda x: rnnfast.ctc_decode(x),
    ],
)
def test_functions_of_the_host_alone(call):
    with pytest.raises(TypeError, match=r"^x must be on the host, got an array on a device; copy"):
        call(there(X))


def test_models_of_the_host_alone(tmp_path):
    _, *weights = on_gpu()
    described = rnnfast.prepack("lstm", *weights).weights()
    for call in (
        lambda: rnnfast.load(described),
        lambda: rnnfast.weights.save_weights(tmp_path / "weights.safetensors", described),
    ):
        with pytest.raises(
            TypeError, match=r"^this array is on cuda:0, .* not the host's; copy it"
        ):
            call()
    assert not list(tmp_path.iterdir())
    with pytest.raises(TypeError, match=r"^x must be on the host like the model, got an array on "):
        model = rnnfast.load(rnnfast.prepack("lstm", W_IH, W_HH).weights())
        model.session().step(there(X[0, 0]))
