"""The callback for Lightning: the same training by other kernels, then torch's classes again."""

import copy
import importlib
import pickle
import sys
from multiprocessing.context import set_spawning_popen

import pytest
import torch

from rnnfast.interop import lightning as ours
from rnnfast.interop.torch import kernel_calls, swap

pytest.importorskip("lightning", reason="no package lightning of the extra hosts")

HOSTS = ["lightning.pytorch", "pytorch_lightning"]
# Of Lightning, about the small size of what is trained here.
pytestmark = [pytest.mark.filterwarnings("ignore"), pytest.mark.usefixtures("one_thread")]


@pytest.fixture
def one_thread():
    torch.set_num_threads(1)


@pytest.fixture(params=HOSTS)
def host(request):
    name = request.param.partition(".")[0]
    return pytest.importorskip(request.param, reason=f"no package {name} of the extra hosts")


class Own(torch.nn.LSTM):
    def forward(self, x):
        return super().forward(2 * x)


def model_of(host, *, late=False, fails=False, rnn=torch.nn.LSTM):
    class Forecast(host.LightningModule):
        def __init__(self):
            super().__init__()
            torch.manual_seed(0)
            self.rnn = None if late else rnn(3, 4, batch_first=True)
            self.last = torch.nn.Linear(4, 1)

        def configure_model(self):
            if self.rnn is None:
                torch.manual_seed(0)
                self.rnn = rnn(3, 4, batch_first=True)
                self.last = torch.nn.Linear(4, 1)

        def forward(self, x):
            return self.last(self.rnn(x)[0][:, -1])

        def training_step(self, batch, number):
            if fails:
                raise RuntimeError("on purpose")
            x, y = batch
            loss = (self(x) - y).square().mean()
            self.log("loss", loss)
            return loss

        def predict_step(self, batch, number):
            return self(batch[0])

        def configure_optimizers(self):
            return torch.optim.Adam(self.parameters(), 0.01)

    return Forecast()


def batches():
    torch.manual_seed(1)
    data = torch.utils.data.TensorDataset(torch.randn(12, 5, 3), torch.randn(12, 1))
    return torch.utils.data.DataLoader(data, batch_size=4)


def trainer_of(host, *callbacks):
    # Told of its surroundings, or Lightning looks for them, and starts MPI where it is installed.
    alone = importlib.import_module(f"{host.__name__}.plugins.environments").LightningEnvironment()
    return host.Trainer(
        plugins=[alone],
        max_epochs=2,
        accelerator="cpu",
        callbacks=list(callbacks),
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
    )


def trained(host, *callbacks, **form):
    model = model_of(host, **form)
    trainer = trainer_of(host, *callbacks)
    trainer.fit(model, batches())
    return model, trainer


@pytest.mark.usefixtures("by_our_kernels")
@pytest.mark.parametrize("late", [False, True], ids=["", "made by configure_model"])
def test_a_fit_with_it_is_the_fit_without(host, late, tmp_path):
    want, plain = trained(host)
    callback = ours.Swap()
    assert isinstance(callback, host.Callback)
    calls = kernel_calls()
    got, trainer = trained(host, callback, late=late)
    assert kernel_calls() == calls + 2 * 2 * 3
    assert callback.report == ({"rnn": "LSTM"}, {})
    torch.testing.assert_close(dict(got.state_dict()), dict(want.state_dict()))
    torch.testing.assert_close(trainer.callback_metrics, plain.callback_metrics)
    assert type(got.rnn) is torch.nn.LSTM
    trainer.save_checkpoint(tmp_path / "model.ckpt")
    assert b"rnnfast" not in pickle.dumps(got.rnn)
    assert b"rnnfast" not in (tmp_path / "model.ckpt").read_bytes()


@pytest.mark.usefixtures("by_our_kernels")
def test_predictions_are_run_by_it_as_well(host):
    model = model_of(host)
    want = trainer_of(host).predict(model, batches())
    calls = kernel_calls()
    got = trainer_of(host, ours.Swap()).predict(model, batches())
    assert kernel_calls() == calls + 3
    torch.testing.assert_close(got, want)
    assert type(model.rnn) is torch.nn.LSTM


def test_what_was_swapped_before_and_what_is_kept_stays(host):
    model = model_of(host)
    swap(model)
    own = type(model.rnn)
    trainer_of(host, ours.Swap()).fit(model, batches())
    assert type(model.rnn) is own
    kept, _ = trained(host, ours.Swap(keep=True))
    assert type(kept.rnn) is own


def test_an_exception_ends_it(host):
    model = model_of(host, fails=True)
    with pytest.raises(RuntimeError, match="on purpose"):
        trainer_of(host, ours.Swap()).fit(model, batches())
    assert type(model.rnn) is torch.nn.LSTM


def test_a_model_without_anything_to_swap_is_told(host):
    with pytest.warns(UserWarning, match="rnnfast runs no module of Forecast: rnn: left, Own has"):
        trained(host, ours.Swap(), rnn=Own)


def sent_to_a_process(callback):
    """As a process that is started, not forked, would have it."""
    set_spawning_popen(object())
    try:
        return pickle.loads(pickle.dumps(callback))
    finally:
        set_spawning_popen(None)


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy, sent_to_a_process])
def test_it_is_copied_and_sent_to_processes(host, copied):
    twin = copied(ours.Swap(keep=True))
    assert isinstance(twin, ours.Swap)
    assert isinstance(twin, host.Callback)
    assert twin.keep


def test_a_file_has_another_callback_without_an_effect(host):
    written = pickle.dumps({"callbacks": [ours.Swap()]})
    assert b"rnnfast" not in written
    model, _ = trained(host, *pickle.loads(written)["callbacks"])
    assert type(model.rnn) is torch.nn.LSTM


def test_neither_package_is_there(monkeypatch):
    monkeypatch.setattr(ours, "_HOSTS", ("no_lightning.pytorch",))
    with pytest.raises(ModuleNotFoundError, match="pip install lightning"):
        ours.Swap()


def test_the_module_loads_neither(monkeypatch):
    for name in HOSTS:
        monkeypatch.delitem(sys.modules, name, raising=False)
    importlib.reload(ours)
    assert not any(name in sys.modules for name in HOSTS)
