"""Training: the loop, what is recorded of it, and what may happen in between."""

from minidl.training.callbacks import Callback
from minidl.training.checkpoint import Checkpoint
from minidl.training.csv_log import CSVLog
from minidl.training.diagnosis import find_non_finite
from minidl.training.early_stopping import EarlyStopping
from minidl.training.history import History
from minidl.training.learning_rate_log import LearningRateLog
from minidl.training.learning_rate_range import LearningRateRange, learning_rate_range_test
from minidl.training.moving_average import MovingAverage
from minidl.training.progress_bar import ProgressBar
from minidl.training.reduce_on_plateau import ReduceOnPlateau
from minidl.training.stop_on_nan import StopOnNaN
from minidl.training.time_limit import TimeLimit
from minidl.training.trainer import Trainer

__all__ = [
    "CSVLog",
    "Callback",
    "Checkpoint",
    "EarlyStopping",
    "History",
    "LearningRateLog",
    "LearningRateRange",
    "MovingAverage",
    "ProgressBar",
    "ReduceOnPlateau",
    "StopOnNaN",
    "TimeLimit",
    "Trainer",
    "find_non_finite",
    "learning_rate_range_test",
]
