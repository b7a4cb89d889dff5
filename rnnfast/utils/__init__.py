"""Small helpers with Keras's names: reproducibility, label encoding; and NumPy's threads held."""

from rnnfast.utils.blas import one_blas_thread
from rnnfast.utils.categorical import to_categorical
from rnnfast.utils.random_seed import set_random_seed

__all__ = ["one_blas_thread", "set_random_seed", "to_categorical"]
