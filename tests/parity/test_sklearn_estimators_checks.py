"""scikit-learn's own checks of estimators, all of them."""

import pytest
from sklearn.utils import estimator_checks
from sklearn.utils.estimator_checks import parametrize_with_checks

import minidl as dl
from minidl.sklearn import MLPClassifier, MLPRegressor

# The checks' data are small and noisy: not every run converges.
pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


@parametrize_with_checks([MLPClassifier(), MLPRegressor()])
def test_check(estimator, check, monkeypatch):
    monkeypatch.setenv("SCIPY_ARRAY_API", "1")  # without which one check is skipped
    check(estimator)


@pytest.mark.parametrize(
    "name",
    [
        "check_estimators_overwrite_params",
        "check_classifiers_multilabel_output_format_decision_function",
        "check_classifiers_train",
    ],
)
def test_check_with_a_loss_of_scores(name):
    check = getattr(estimator_checks, name)
    check("MLPClassifier", MLPClassifier(loss=dl.MeanSquaredError(), max_iter=100))
