"""Metrics: numbers that people read. Any callable `(y_true, y_pred) -> float` is one."""

from minidl.metrics.accuracy import accuracy
from minidl.metrics.confusion_matrix import confusion_matrix
from minidl.metrics.f1_score import f1_score
from minidl.metrics.mean_absolute_error import mean_absolute_error
from minidl.metrics.metric import Metric
from minidl.metrics.precision import precision
from minidl.metrics.r2_score import r2_score
from minidl.metrics.recall import recall
from minidl.metrics.roc_auc import roc_auc
from minidl.metrics.top_k_accuracy import top_k_accuracy

__all__ = [
    "Metric",
    "accuracy",
    "confusion_matrix",
    "f1_score",
    "mean_absolute_error",
    "precision",
    "r2_score",
    "recall",
    "roc_auc",
    "top_k_accuracy",
]
