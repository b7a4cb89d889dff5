"""Training without a model or a framework: what `fit` tells callbacks, and whose they may be."""

import numpy as np

from rnnfast import optimizers


class FakeModel:
    """Its one weight is the number of the epoch; what is saved is noted."""

    def __init__(self, optimizer=None, metrics=()):
        self.optimizer = optimizer or optimizers.SGD(1.0)
        self.metrics = list(metrics)
        self.stop_training = False
        self.weights = [np.full(2, -1.0)]
        self.saved = []

    def get_weights(self):
        return [weight.copy() for weight in self.weights]

    def set_weights(self, weights):
        self.weights = [np.array(weight) for weight in weights]

    def save(self, filepath, overwrite=False):
        assert overwrite
        self.saved.append(("model", filepath, int(self.weights[0][0])))

    def save_weights(self, filepath, overwrite=False):
        assert overwrite
        self.saved.append(("weights", filepath, int(self.weights[0][0])))


def fit(callbacks, epochs, model=None, first_epoch=0, steps=0, state=None):
    """Train from `first_epoch` on; `epochs` has the logs of each, or the values of val_loss.

    Returns the logs of the epochs that were run, with what callbacks have added.
    """
    model = model or FakeModel()
    for callback in callbacks:
        callback.set_model(model)
        callback.on_train_begin({})
    if state is not None:
        for callback, own in zip(callbacks, state, strict=True):
            callback.set_state(own)
    model.stop_training = False
    heard = []
    for epoch in range(first_epoch, len(epochs)):
        logs = epochs[epoch]
        logs = dict(logs) if isinstance(logs, dict) else {"val_loss": logs}
        for callback in callbacks:
            callback.on_epoch_begin(epoch, {})
        model.weights = [np.full(2, float(epoch))]
        for step in range(steps):
            for callback in callbacks:
                callback.on_train_batch_end(step, dict(logs))
        for callback in callbacks:
            callback.on_epoch_end(epoch, logs)
        heard.append(logs)
        if model.stop_training:
            break
    for callback in callbacks:
        callback.on_train_end(heard[-1] if heard else {})
    return heard


def class_of(name, module="keras.src.callbacks.x"):
    """A class as a framework has it."""
    return type(name, (), {"__module__": module})
