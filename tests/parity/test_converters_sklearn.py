"""scikit-learn's multi-layer perceptrons as minidl's models and back."""

import subprocess
import sys
import warnings

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.dummy import DummyClassifier
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import MinMaxScaler, StandardScaler

import minidl as dl
import minidl.sklearn

RNG = np.random.default_rng(0)
X = RNG.normal(3.0, 2.0, size=(80, 5))
TARGETS = {
    "two classes": X[:, 0] > 3,
    "names of classes": np.array(["ash", "elm", "oak"])[np.digitize(X[:, 1], [2, 4])],
    "four classes": np.digitize(X[:, 1], [1, 3, 5]),
    "labels": np.column_stack([X[:, 0] > 3, X[:, 1] > 2, X[:, 2] > 4]).astype(int),
    "a number": X[:, 0] * X[:, 1],
    "two numbers": np.column_stack([X.sum(axis=1), X[:, 0] ** 2]),
}


def fitted(name, activation="relu", hidden=(7, 6), dtype=np.float64, scaled=False, **options):
    """scikit-learn's estimator after some iterations."""
    kind = MLPRegressor if "number" in name else MLPClassifier
    mlp = kind(
        hidden_layer_sizes=hidden, activation=activation, max_iter=5, random_state=0, **options
    )
    estimator = make_pipeline(StandardScaler(), mlp) if scaled else mlp
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that it has not converged
        return estimator.fit(X.astype(dtype), TARGETS[name])


def outputs(estimator, x):
    """What the model is to compute, (N, M)."""
    if hasattr(estimator, "predict_proba"):
        p = estimator.predict_proba(x)
        return p[:, 1:] if p.shape[1] == 2 else p
    return estimator.predict(x).reshape(len(x), -1)


def difference(mine, theirs):
    """The largest difference, relative to the largest element."""
    assert mine.shape == theirs.shape
    return np.abs(mine - theirs).max() / np.abs(theirs).max()


@pytest.mark.parametrize("scaled", [False, True])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("activation", ["identity", "logistic", "tanh", "relu"])
@pytest.mark.parametrize("name", TARGETS)
def test_there_and_back(name, activation, dtype, scaled):
    estimator, x = fitted(name, activation, dtype=dtype, scaled=scaled), X.astype(dtype)
    tolerance = 1e-6 if dtype == np.float32 else 1e-12
    model = dl.from_sklearn(estimator)
    assert model.dtype == dtype
    assert difference(model(x), outputs(estimator, x)) < tolerance
    classes = getattr(estimator, "classes_", None) if name != "labels" else None
    again = dl.to_sklearn(model, classes)
    assert repr(again)[:8] == repr(estimator)[:8]
    assert difference(outputs(again, x), outputs(estimator, x)) < tolerance
    if "number" in name:
        assert again.score(x, TARGETS[name]) == pytest.approx(estimator.score(x, TARGETS[name]))
    else:
        np.testing.assert_array_equal(again.predict(x), estimator.predict(x))
        assert again.score(x, TARGETS[name]) == estimator.score(x, TARGETS[name])


@pytest.mark.parametrize("hidden", [(), (4,), (3, 4, 5)])
def test_numbers_of_layers(hidden):
    estimator = fitted("four classes", hidden=hidden)
    model = dl.from_sklearn(estimator)
    assert len(model.layers) == 2 * len(hidden) + 2
    assert difference(model(X), estimator.predict_proba(X)) < 1e-12
    assert dl.to_sklearn(model).hidden_layer_sizes == hidden
    assert difference(dl.to_sklearn(model).predict_proba(X), model(X)) < 1e-12


@pytest.mark.parametrize("name", ["two classes", "names of classes", "a number"])
def test_one_step_of_training_is_the_same(name):
    """Without its penalty scikit-learn's SGD is minidl's; its squared error is half of minidl's."""
    options = {"solver": "sgd", "alpha": 0.0, "momentum": 0.0, "shuffle": False, "batch_size": 80}
    estimator = fitted(name, learning_rate_init=0.01, **options)
    model = dl.from_sklearn(estimator)
    labels = np.unique(TARGETS[name], return_inverse=True)[1]
    loss, y, rate = {
        "two classes": (dl.BinaryCrossEntropy(), labels[:, np.newaxis].astype(float), 0.01),
        "names of classes": (dl.CrossEntropy(), labels, 0.01),
        "a number": (dl.MeanSquaredError(), TARGETS[name][:, np.newaxis], 0.005),
    }[name]
    _, gradient = dl.Objective(model, loss).value_and_grad(X, y)
    dl.SGD(rate).update(model.params, gradient)
    before = dl.from_sklearn(estimator).params
    estimator.partial_fit(X, TARGETS[name])
    stepped = dl.from_sklearn(estimator).params
    assert np.abs(stepped - before).max() > 1e-5
    assert difference(model.params, stepped) < 1e-9


MODELS = {
    "softmax of two": ([dl.Dense(6), dl.Tanh(), dl.Dense(2), dl.Softmax()], "two classes"),
    "no biases": ([dl.Dense(6, use_bias=False), dl.Dense(4), dl.Softmax()], "four classes"),
    "dropout": ([dl.Dense(6), dl.ReLU(), dl.Dropout(0.5), dl.Dense(1)], "a number"),
    "noise and a Sequential": (
        [
            dl.GaussianNoise(0.1),
            dl.Sequential([dl.Dense(6), dl.Sigmoid()]),
            dl.Dense(3),
            dl.Sigmoid(),
        ],
        "labels",
    ),
}


@pytest.mark.parametrize("name", MODELS)
def test_models_of_other_forms(name):
    layers, _ = MODELS[name]
    model = dl.Sequential([layer.detached_copy() for layer in layers]).build(
        (5,), rng=0, dtype=float
    )
    model.params += 0.1
    estimator = dl.to_sklearn(model)
    p = model(X)
    assert difference(outputs(estimator, X), p[:, 1:] if name == "softmax of two" else p) < 1e-12


@pytest.mark.parametrize("name", TARGETS)
def test_training_goes_on_in_scikit_learn(name):
    model = dl.from_sklearn(fitted(name, "tanh"))
    classes = np.unique(TARGETS[name]) if "class" in name else None
    start = dl.to_sklearn(model, classes)
    step = dl.to_sklearn(model, classes).set_params(learning_rate_init=1e-9)
    step.partial_fit(X, TARGETS[name])
    assert 0 < difference(outputs(step, X), outputs(start, X)) < 1e-6  # from these weights
    assert (step.t_, len(step.loss_curve_), step.n_iter_) == (80, 1, 1)
    warm = dl.to_sklearn(model, classes).set_params(
        warm_start=True, max_iter=200, tol=0, learning_rate_init=0.01, n_iter_no_change=200
    )
    with pytest.warns(UserWarning, match=r"Maximum iterations \(200\) reached"):
        warm.fit(X, TARGETS[name])
    assert warm.loss_curve_[0] == pytest.approx(step.loss_curve_[0], rel=0.2)
    assert warm.loss_ < 0.8 * warm.loss_curve_[0]
    assert not hasattr(clone(warm), "coefs_")
    assert difference(outputs(dl.to_sklearn(model, classes), X), outputs(start, X)) == 0


def test_the_estimator_has_arrays_of_its_own():
    model = dl.from_sklearn(fitted("four classes", scaled=True))
    before = model.params.copy()
    pipeline = dl.to_sklearn(model)
    for a in (*pipeline[-1].coefs_, *pipeline[-1].intercepts_, pipeline[0].mean_):
        a += 1.0
    np.testing.assert_array_equal(model.params, before)
    assert difference(pipeline[0].var_, pipeline[0].scale_ ** 2) < 1e-12


@pytest.mark.parametrize("options", [{"with_mean": False}, {"with_std": False}], ids=str)
def test_half_a_scaler(options):
    mlp = MLPRegressor(hidden_layer_sizes=(3,), solver="lbfgs", random_state=0, tol=1e9)
    estimator = make_pipeline("passthrough", StandardScaler(**options), mlp).fit(
        X, TARGETS["a number"]
    )
    assert difference(dl.from_sklearn(estimator)(X), outputs(estimator, X)) < 1e-12


def test_what_cannot_be_converted_from_scikit_learn():
    with pytest.raises(
        dl.ArgumentTypeError, match=r"expected an MLPClassifier or MLPRegressor.*Dummy"
    ):
        dl.from_sklearn(DummyClassifier())
    for nothing in (None, Pipeline([("none", "passthrough")])):
        with pytest.raises(dl.ArgumentTypeError, match="that ends in one, got NoneType"):
            dl.from_sklearn(nothing)
    own = minidl.sklearn.MLPClassifier((2,))
    own.partial_fit([[0.0], [1.0]], [0, 1], classes=[0, 1])
    message = r"got minidl\.sklearn\.\S*MLPClassifier\. Its network is its attribute model_"
    with pytest.raises(dl.ArgumentTypeError, match=message):
        dl.from_sklearn(own)
    with pytest.raises(dl.StateError, match=r"MLPRegressor is not fitted. Call fit\(X, y\) first"):
        dl.from_sklearn(MLPRegressor())
    with pytest.raises(
        dl.ArgumentError, match="the pipeline's step MinMaxScaler has no counterpart"
    ):
        dl.from_sklearn(make_pipeline(MinMaxScaler(), fitted("a number")))
    with pytest.raises(dl.StateError, match="StandardScaler is not fitted"):
        dl.from_sklearn(make_pipeline(StandardScaler(), fitted("a number")))
    counts = MLPRegressor(hidden_layer_sizes=(3,), loss="poisson", solver="lbfgs", tol=1e9).fit(
        X, np.ones(80)
    )
    with pytest.raises(
        dl.ArgumentError, match="the output goes through 'exp', for which minidl has"
    ):
        dl.from_sklearn(counts)


D, SOFTMAX = dl.Dense, dl.Softmax
REFUSED = {
    "two activations": (
        [D(3), dl.ReLU(), D(3), dl.Tanh(), D(1)],
        None,
        "got Dense, ReLU, Dense, Tanh",
    ),
    "an activation unknown there": ([D(3), dl.GELU(), D(1)], None, "got Dense, GELU, Dense"),
    "nothing to learn": ([dl.Dropout(0.1)], None, r"ReLU, Tanh, Sigmoid or none"),
    "another end": ([D(3), dl.LogSoftmax()], None, "got Dense, LogSoftmax"),
    "too few": ([D(3), SOFTMAX()], [0, 1], r"3 different ones in ascending order, got \[0, 1\]"),
    "another order": (
        [D(3), SOFTMAX()],
        ["b", "a", "c"],
        r"ascending order, got \['b', 'a', 'c'\]",
    ),
    "descending": ([D(2), SOFTMAX()], [1, 0], r"2 different ones in ascending order, got \[1, 0\]"),
    "classes of numbers": ([D(2)], [0, 1], "classes are for classifiers, and the model ends in no"),
    "classes of labels": (
        [D(2), dl.Sigmoid()],
        [0, 1],
        "labels that do not exclude each other have",
    ),
}


@pytest.mark.parametrize(("layers", "classes", "message"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_converted_to_scikit_learn(layers, classes, message):
    model = dl.Sequential([layer.detached_copy() for layer in layers]).build((4,), rng=0)
    with pytest.raises(dl.ArgumentError, match=message):
        dl.to_sklearn(model, classes)


def test_other_models():
    with pytest.raises(dl.ArgumentError, match="expected Dense layers of vectors"):
        dl.to_sklearn(dl.Dense(2).build((3, 4), rng=0))
    with pytest.raises(dl.StateError, match="is not built"):
        dl.to_sklearn(dl.Dense(2))
    with pytest.raises(dl.ArgumentTypeError, match="model must be a Layer"):
        dl.to_sklearn(MLPRegressor())


def test_a_missing_scikit_learn_is_explained():
    code = (
        "import sys; sys.modules['sklearn'] = None\nimport minidl as dl\n"
        "try:\n    dl.to_sklearn(dl.Dense(2).build((3,)))\n"
        "except ImportError as error:\n    print(error)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "to_sklearn needs scikit-learn: pip install minidl[sklearn]."
