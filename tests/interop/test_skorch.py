"""The callback for skorch: the same training and predictions by other kernels."""

import io
import pickle

import numpy as np
import pytest
import torch

skorch = pytest.importorskip("skorch", reason="no package skorch of the extra hosts")

from rnnfast.interop import torch as by_torch  # noqa: E402  # needs torch
from rnnfast.interop.skorch import Swap  # noqa: E402  # needs skorch


class Net(torch.nn.Module):
    def __init__(self, kind=torch.nn.GRU):
        super().__init__()
        self.rnn = kind(3, 4, batch_first=True)
        self.last = torch.nn.Linear(4, 2)

    def forward(self, x):
        return self.last(self.rnn(x)[0][:, -1])


class Own(torch.nn.GRU):
    def forward(self, x):
        return super().forward(2 * x)


def net_of(*callbacks, **options):
    torch.manual_seed(0)
    return skorch.NeuralNetClassifier(
        Net,
        criterion=torch.nn.CrossEntropyLoss,
        max_epochs=2,
        batch_size=8,
        train_split=None,
        verbose=0,
        callbacks=list(callbacks),
        **options,
    )


def data():
    rng = np.random.default_rng(0)
    return rng.standard_normal((20, 5, 3)).astype(np.float32), rng.integers(0, 2, 20)


@pytest.mark.usefixtures("by_our_kernels")
def test_a_fit_with_it_is_the_fit_without():
    x, y = data()
    want, callback = net_of().fit(x, y), Swap()
    got = net_of(("swap", callback)).fit(x, y)
    assert dict(got.callbacks_)["swap"].report_ == ({"module_.rnn": "GRU"}, {})
    np.testing.assert_allclose(got.history[:, "train_loss"], want.history[:, "train_loss"], 1e-5)
    calls = by_torch.kernel_calls()
    np.testing.assert_allclose(got.predict_proba(x), want.predict_proba(x), 1e-4)
    assert by_torch.kernel_calls() == calls + 3
    got.fit(x, y)  # which makes another module
    assert type(got.module_.rnn) is by_torch.GRU


@pytest.mark.usefixtures("by_our_kernels")
def test_files_and_pickles():
    x, y = data()
    net = net_of(Swap()).fit(x, y)
    want = net.predict_proba(x)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(net)).predict_proba(x), want)
    file = io.BytesIO()
    net.save_params(f_params=file)
    file.seek(0)
    plain = net_of().initialize()
    plain.load_params(f_params=file)
    assert type(plain.module_.rnn) is torch.nn.GRU
    np.testing.assert_allclose(plain.predict_proba(x), want, 1e-4)


def test_a_net_without_anything_to_swap_is_told():
    with pytest.warns(UserWarning, match=r"no module of this net: module_.rnn: left, Own has"):
        net_of(Swap(), module__kind=Own).fit(*data())


def test_the_callback_may_be_a_class():
    assert type(net_of(Swap).fit(*data()).module_.rnn) is by_torch.GRU
