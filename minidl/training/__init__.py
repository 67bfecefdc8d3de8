"""Training: the loop, what is recorded of it, and what may happen in between."""

from minidl.training.callbacks import Callback
from minidl.training.early_stopping import EarlyStopping
from minidl.training.history import History
from minidl.training.progress_bar import ProgressBar
from minidl.training.trainer import Trainer

__all__ = ["Callback", "EarlyStopping", "History", "ProgressBar", "Trainer"]
