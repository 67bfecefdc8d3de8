"""Import of what skl2onnx writes of scikit-learn's networks, against their own predictions."""

import numpy as np
import pytest
from parity.onnx_importing import can_train, compared
from skl2onnx import to_onnx
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler, StandardScaler
from sklearn.utils._testing import ignore_warnings

import minidl as dl

RNG = np.random.default_rng(0)
X = RNG.normal(3, 2, (60, 4)).astype(np.float32)
Y = np.arange(60) % 3


def classifier(activation="relu"):
    return MLPClassifier((5, 4), activation=activation, max_iter=5, random_state=0)


def regressor():
    return MLPRegressor(hidden_layer_sizes=(5, 4), max_iter=5, random_state=0)


@ignore_warnings(category=ConvergenceWarning)
def written(estimator, y, path, **options):
    estimator.fit(X, y)
    path.write_bytes(to_onnx(estimator, X[:1], **options).SerializeToString())
    return estimator


@pytest.mark.parametrize(
    ("estimator", "y", "layers"),
    [
        (classifier(), Y, "Dense(5), ReLU(), Dense(4), ReLU(), Dense(3), Softmax()"),
        (classifier("tanh"), Y == 1, "Dense(5), Tanh(), Dense(4), Tanh(), Dense(1), Sigmoid()"),
        (classifier("identity"), np.array(["a", "b", "c"])[Y], None),
        (
            classifier("logistic"),
            np.eye(3, dtype=int)[Y],
            "Dense(5), Sigmoid(), Dense(4), Sigmoid(), Dense(3), Sigmoid()",
        ),
        (
            make_pipeline(StandardScaler(), classifier()),
            Y,
            "Standardize(), Dense(5), ReLU(), Dense(4), ReLU(), Dense(3), Softmax()",
        ),
        (regressor(), X[:, 0], "Dense(5), ReLU(), Dense(4), ReLU(), Dense(1)"),
        (
            make_pipeline(MinMaxScaler(), regressor()),
            X[:, 0],
            "Standardize(), Dense(5), ReLU(), Dense(4), ReLU(), Dense(1)",
        ),
    ],
    ids=lambda value: str(value)[:30] if hasattr(value, "fit") else "",
)
def test_exported_by_skl2onnx(estimator, y, layers, tmp_path):
    path = tmp_path / "model.onnx"
    written(estimator, y, path)
    model = dl.import_onnx(path)
    is_classifier = hasattr(estimator, "predict_proba")
    theirs = estimator.predict_proba(X) if is_classifier else estimator.predict(X).reshape(60, -1)
    if theirs.shape[1] == 2 and is_classifier:
        theirs = theirs[:, 1:]
    np.testing.assert_allclose(model.predict(X), theirs, atol=1e-6 * np.abs(theirs).max())
    if layers is not None:
        assert ", ".join(map(repr, model.layers)) == layers
    assert can_train(model, X)


def test_probabilities_as_an_array(tmp_path):
    path = tmp_path / "model.onnx"
    estimator = classifier()
    written(estimator, Y, path, options={id(estimator): {"zipmap": False}})
    _, difference = compared(path)
    assert difference < 1e-5


def test_double_precision(tmp_path):
    path = tmp_path / "model.onnx"
    estimator = written(regressor(), X[:, 0], path)
    path.write_bytes(to_onnx(estimator, X[:1].astype(np.float64)).SerializeToString())
    model, difference = compared(path)
    assert model.dtype == np.float64
    assert difference < 1e-12
