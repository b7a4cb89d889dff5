"""Small helpers with Keras's names: reproducibility and label encoding."""

from rnnfast.utils.categorical import to_categorical
from rnnfast.utils.random_seed import set_random_seed

__all__ = ["set_random_seed", "to_categorical"]
