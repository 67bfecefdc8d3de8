"""Estimators for scikit-learn, in the place of its own `MLPClassifier` and `MLPRegressor`."""

try:
    import sklearn  # noqa: F401
except ImportError as error:
    raise ImportError("minidl.sklearn needs scikit-learn: pip install minidl[sklearn]") from error

from minidl.sklearn.classifier import MLPClassifier
from minidl.sklearn.regressor import MLPRegressor

__all__ = ["MLPClassifier", "MLPRegressor"]
