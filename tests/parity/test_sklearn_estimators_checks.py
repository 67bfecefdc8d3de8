"""scikit-learn's own checks of estimators, all of them."""

import pytest
from sklearn.utils.estimator_checks import parametrize_with_checks

from minidl.sklearn import MLPClassifier, MLPRegressor

# The checks' data are small and noisy: not every run converges.
pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


@parametrize_with_checks([MLPClassifier(), MLPRegressor()])
def test_check(estimator, check, monkeypatch):
    monkeypatch.setenv("SCIPY_ARRAY_API", "1")  # without which one check is skipped
    check(estimator)
