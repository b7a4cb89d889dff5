"""Small helpers with Keras's names: reproducibility, label encoding, pictures."""

from rnnfast.utils.categorical import to_categorical
from rnnfast.utils.history_plot import plot_history
from rnnfast.utils.random_seed import set_random_seed

__all__ = ["plot_history", "set_random_seed", "to_categorical"]
