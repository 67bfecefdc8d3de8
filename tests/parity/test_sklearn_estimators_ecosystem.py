"""The estimators among scikit-learn's tools: pipelines, searches, copies, data frames, routing."""

import copy
import io
import pickle

import joblib
import numpy as np
import pandas as pd
import polars as pl
import pytest
from sklearn import config_context, neural_network
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.datasets import load_digits
from sklearn.ensemble import StackingClassifier, VotingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, cross_val_score, cross_validate
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import minidl as dl
import minidl.sklearn
from minidl.sklearn import MLPClassifier, MLPRegressor

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

X, Y = load_digits(n_class=4, return_X_y=True)
SETTINGS = {
    "hidden_layer_sizes": (12,), "max_iter": 12, "learning_rate_init": 0.02, "random_state": 0,
}  # fmt: skip


def rich():
    """A classifier with parameters of every kind."""
    return MLPClassifier(
        layers=[dl.Dense(12), dl.BatchNorm(), dl.GELU(), dl.Dropout(0.2)],
        loss=dl.CrossEntropy(label_smoothing=0.1),
        class_weight={0: 2.0},
        callbacks=[dl.EarlyStopping("loss", patience=3)],
        max_iter=12,
        learning_rate_init=0.02,
        random_state=0,
    )


def test_pipeline_search_and_cross_validation():
    pipeline = make_pipeline(StandardScaler(), MLPClassifier(**SETTINGS))
    assert cross_val_score(pipeline, X, Y, cv=3).min() > 0.9
    assert pipeline[:-1].fit(X).transform(X).shape == X.shape
    grid = {
        "mlpclassifier__dropout": [0.0, 0.2],
        "mlpclassifier__activation": ["relu", ["tanh"]],
    }
    search = GridSearchCV(pipeline, grid, cv=2, error_score="raise").fit(X, Y)
    assert search.best_score_ > 0.9
    assert set(search.best_params_) == set(grid)


def test_search_over_layers():
    grid = {"layers": [[dl.Dense(4), dl.ReLU()], [dl.Dense(16), dl.SiLU()]]}
    search = GridSearchCV(MLPClassifier(**SETTINGS), grid, cv=2, error_score="raise").fit(X / 16, Y)
    assert search.best_params_["layers"] is grid["layers"][1]
    assert len(search.best_estimator_.coefs_[0][0]) == 16
    assert not any(layer.built for layers in grid["layers"] for layer in layers)


def test_hidden_activations_as_features():
    features = MLPClassifier(**SETTINGS)
    pipeline = make_pipeline(StandardScaler(), features, LogisticRegression()).fit(X, Y)
    assert pipeline[-1].coef_.shape == (4, 12)
    assert pipeline.score(X, Y) > 0.9


def test_ensembles():
    members = [("a", MLPClassifier(**SETTINGS)), ("b", rich())]
    assert VotingClassifier(members, voting="soft").fit(X / 16, Y).score(X / 16, Y) > 0.9
    assert StackingClassifier(members, cv=2).fit(X / 16, Y).score(X / 16, Y) > 0.9


def test_calibration_asks_both_for_the_same():
    mine, theirs = (
        CalibratedClassifierCV(room.MLPClassifier(**SETTINGS), cv=2).fit(X / 16, Y)
        for room in (dl.sklearn, neural_network)
    )
    np.testing.assert_allclose(mine.predict_proba(X), theirs.predict_proba(X), atol=1e-6)


def test_clone_learns_the_same():
    first = rich().fit(X / 16, Y)
    twin = clone(first)
    assert not hasattr(twin, "model_")
    assert twin.layers is not first.layers
    assert repr(twin.layers) == repr(first.layers)
    np.testing.assert_array_equal(twin.fit(X / 16, Y).model_.params, first.model_.params)


@pytest.mark.parametrize("way", ["pickle", "joblib", "deepcopy"])
@pytest.mark.parametrize("make", [lambda: MLPClassifier(**SETTINGS), rich], ids=["plain", "rich"])
def test_copies_go_on_like_the_original(way, make):
    mlp = make().partial_fit(X / 16, Y, classes=range(4))
    if way == "pickle":
        twin = pickle.loads(pickle.dumps(mlp))
    elif way == "deepcopy":
        twin = copy.deepcopy(mlp)
    else:
        file = io.BytesIO()
        joblib.dump(mlp, file)
        file.seek(0)
        twin = joblib.load(file)
    np.testing.assert_array_equal(twin.predict_proba(X / 16), mlp.predict_proba(X / 16))
    before = mlp.model_.params.copy()
    for estimator in (mlp, twin):
        estimator.partial_fit(X / 16, Y)
    assert not np.array_equal(before, mlp.model_.params)
    np.testing.assert_array_equal(twin.model_.params, mlp.model_.params)
    assert twin.loss_curve_ == mlp.loss_curve_


@pytest.mark.parametrize(
    ("name", "kind"), [("pandas", pd.DataFrame), ("polars", pl.DataFrame)]
)  # fmt: skip
def test_set_output(name, kind):
    frame = kind({f"pixel{i}": column for i, column in enumerate(X.T)})
    mlp = MLPClassifier(**SETTINGS).set_output(transform=name).fit(frame, Y)
    assert mlp.feature_names_in_.tolist() == list(frame.columns)
    for layer, width in ((None, 12), (0, 12), ("2.dense", 4), (-1, 4)):
        made = mlp.transform(frame, layer=layer)
        assert isinstance(made, kind)
        assert list(made.columns) == [f"mlpclassifier{i}" for i in range(width)]
    np.testing.assert_array_equal(
        np.asarray(mlp.transform(frame)), np.asarray(mlp.fit_transform(frame, Y))
    )
    if name == "pandas":
        frame.index = np.arange(len(X)) + 5
        assert mlp.transform(frame).index.equals(frame.index)
        with pytest.raises(ValueError, match="The feature names should match"):
            mlp.predict(frame.rename(columns={"pixel3": "other"}))


def test_sample_weight_is_routed():
    weight = np.where(Y == 0, 5.0, 1.0)
    with config_context(enable_metadata_routing=True):
        mlp = MLPClassifier(**SETTINGS).set_fit_request(sample_weight=True)
        mlp.set_score_request(sample_weight=True)
        scaler = StandardScaler().set_fit_request(sample_weight=False)
        pipeline = make_pipeline(scaler, mlp).fit(X, Y, sample_weight=weight)
        alone = MLPClassifier(**SETTINGS).fit(StandardScaler().fit_transform(X), Y, weight)
        np.testing.assert_array_equal(pipeline[-1].model_.params, alone.model_.params)
        found = cross_validate(pipeline, X, Y, cv=2, params={"sample_weight": weight})
        unweighted = cross_validate(make_pipeline(StandardScaler(), clone(alone)), X, Y, cv=2)
        assert not np.array_equal(found["test_score"], unweighted["test_score"])


def test_validation_data_through_a_pipeline():
    pipeline = make_pipeline(MLPClassifier(**SETTINGS))
    pipeline.fit(X, Y, mlpclassifier__validation_data=(X[:50], Y[:50]))
    assert len(pipeline[-1].history_["val_score"]) == 12
    search = GridSearchCV(MLPRegressor(**SETTINGS), {"alpha": [0.1]}, cv=2, error_score="raise")
    search.fit(X, Y, validation_data=(X[:50], Y[:50]))
    assert len(search.best_estimator_.validation_scores_) == 12
