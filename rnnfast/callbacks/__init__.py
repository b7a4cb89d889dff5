"""Callbacks with Keras's names: told of every moment of `fit`, `evaluate` and `predict`."""

from rnnfast.callbacks.backup_and_restore import BackupAndRestore
from rnnfast.callbacks.block_pruning import BlockPruning
from rnnfast.callbacks.callback import Callback
from rnnfast.callbacks.csv_logger import CSVLogger
from rnnfast.callbacks.early_stopping import EarlyStopping
from rnnfast.callbacks.history import History
from rnnfast.callbacks.lambda_callback import LambdaCallback
from rnnfast.callbacks.learning_rate_scheduler import LearningRateScheduler
from rnnfast.callbacks.model_checkpoint import ModelCheckpoint
from rnnfast.callbacks.progress import ProgressBar, ProgressLines
from rnnfast.callbacks.reduce_lr_on_plateau import ReduceLROnPlateau
from rnnfast.callbacks.terminate_on_nan import TerminateOnNaN

__all__ = [
    "BackupAndRestore",
    "BlockPruning",
    "CSVLogger",
    "Callback",
    "EarlyStopping",
    "History",
    "LambdaCallback",
    "LearningRateScheduler",
    "ModelCheckpoint",
    "ProgressBar",
    "ProgressLines",
    "ReduceLROnPlateau",
    "TerminateOnNaN",
]
