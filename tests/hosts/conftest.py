"""What tests beside Keras need of it: one thread, float64, and no warning for its variables."""

import pytest


@pytest.fixture(scope="module")
def one_torch_thread():
    # Two teams of threads that wait for each other's cores would take minutes over these sizes.
    import torch

    torch.set_num_threads(1)


@pytest.fixture
def keras_in_float64():
    import keras

    before = keras.config.floatx(), keras.config.dtype_policy()  # made from the first, once
    keras.config.set_floatx("float64")
    keras.config.set_dtype_policy("float64")
    yield
    keras.config.set_floatx(before[0])
    keras.config.set_dtype_policy(before[1])
