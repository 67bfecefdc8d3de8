"""The estimators beside scikit-learn's: the same settings give the same numbers."""

import inspect

import numpy as np
import pytest
from scipy import sparse
from sklearn import neural_network
from sklearn.datasets import load_diabetes, load_digits, make_multilabel_classification

from minidl import sklearn as ours

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def data(kind):
    """Samples and targets of one kind."""
    x, y = load_digits(return_X_y=True)
    x, y = x[:450] / 16, y[:450]
    if kind == "two classes":
        return x, np.where(y < 5, "few", "many")
    if kind == "several labels":
        return make_multilabel_classification(300, random_state=0)
    if kind == "float32":
        return x.astype(np.float32), y
    if kind == "sparse":
        return sparse.csr_array(x), y
    if kind == "numbers":
        x, y = load_diabetes(return_X_y=True)
        return x * 20, y / 50
    if kind == "two numbers":
        x, y = load_diabetes(return_X_y=True)
        return x * 20, np.stack([y / 50, x[:, 0]], axis=1)
    return x, y


def both(kind, **settings):
    """Our estimator and scikit-learn's with the same settings, not fitted."""
    name = "MLPRegressor" if "numbers" in kind else "MLPClassifier"
    settings = {"random_state": 3, "max_iter": 6, "hidden_layer_sizes": (20,)} | settings
    return [getattr(room, name)(**settings) for room in (ours, neural_network)]


def assert_same(mine, theirs, x, tolerance=1e-10):
    pairs = zip(mine.coefs_ + mine.intercepts_, theirs.coefs_ + theirs.intercepts_, strict=True)
    for a, b in pairs:
        assert a.dtype == b.dtype
        np.testing.assert_allclose(a, b, rtol=0, atol=tolerance)
    answers = (
        "predict" if hasattr(mine, "loss") and not hasattr(mine, "classes_") else "predict_proba"
    )
    a, b = getattr(mine, answers)(x), getattr(theirs, answers)(x)
    assert (a.dtype, a.shape) == (b.dtype, b.shape)
    np.testing.assert_allclose(a, b, rtol=0, atol=100 * tolerance)
    for name in ("n_iter_", "n_layers_", "n_outputs_", "out_activation_", "n_features_in_"):
        assert getattr(mine, name) == getattr(theirs, name)


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"activation": "logistic", "alpha": 2.0},
        {"activation": "tanh", "hidden_layer_sizes": (12, 7)},
        {"activation": "identity", "hidden_layer_sizes": 9},
        {"hidden_layer_sizes": ()},
        {"shuffle": False, "batch_size": 70},
        {"beta_1": 0.5, "beta_2": 0.9, "epsilon": 1e-3},
        {"solver": "sgd"},
        {"solver": "sgd", "nesterovs_momentum": False, "learning_rate_init": 0.1},
        {"solver": "sgd", "momentum": 0.0},
        {"solver": "sgd", "learning_rate": "invscaling", "power_t": 0.2},
        {"solver": "sgd", "learning_rate": "adaptive", "tol": 0.1, "n_iter_no_change": 1,
         "max_iter": 40},
        {"tol": 0.2, "n_iter_no_change": 2, "max_iter": 100},
        {"early_stopping": True},
        {"early_stopping": True, "tol": 0.1, "n_iter_no_change": 1, "max_iter": 100},
        {"learning_rate_init": 0.1, "tol": 0.01, "n_iter_no_change": 3, "max_iter": 100},
    ],
    ids=str,
)  # fmt: skip
@pytest.mark.parametrize("kind", ["classes", "two classes", "numbers"])
def test_minibatches(kind, settings):
    x, y = data(kind)
    mine, theirs = both(kind, **settings)
    mine.fit(x, y)
    theirs.fit(x, y)
    assert_same(mine, theirs, x)
    np.testing.assert_allclose(mine.loss_curve_, theirs.loss_curve_, rtol=1e-10)
    assert mine.t_ == theirs.t_
    for name in ("validation_scores_", "best_validation_score_", "best_loss_", "loss_"):
        expected = getattr(theirs, name)
        if expected is None:
            assert getattr(mine, name) is None
        else:
            np.testing.assert_allclose(getattr(mine, name), expected, rtol=1e-10)
    assert mine.score(x, y) == pytest.approx(theirs.score(x, y), rel=1e-12)


@pytest.mark.parametrize("kind", ["float32", "sparse", "several labels", "two numbers"])
@pytest.mark.parametrize("solver", ["adam", "sgd"])
def test_other_data(kind, solver):
    x, y = data(kind)
    mine, theirs = both(kind, solver=solver)
    assert_same(mine.fit(x, y), theirs.fit(x, y), x, 1e-5 if kind == "float32" else 1e-10)
    if kind == "several labels":
        np.testing.assert_array_equal(mine.predict(x), theirs.predict(x))
        assert mine.predict(x).sum() > 0


@pytest.mark.parametrize("kind", ["classes", "two classes", "sparse", "several labels", "numbers"])
def test_lbfgs(kind):
    x, y = data(kind)
    mine, theirs = both(kind, solver="lbfgs", max_iter=12, alpha=0.1)
    assert_same(mine.fit(x, y), theirs.fit(x, y), x, 1e-6)
    assert mine.loss_ == pytest.approx(theirs.loss_, rel=1e-8)


def test_lbfgs_ends_where_scikit_learns_ends():
    x, y = data("numbers")
    flat = {"hidden_layer_sizes": (), "tol": 0.0}  # SciPy stops where the loss is
    for settings in ({"tol": 0.05}, {"max_fun": 5}, flat):
        mine, theirs = both("numbers", solver="lbfgs", **{"max_iter": 500} | settings)
        assert mine.fit(x, y).n_iter_ == theirs.fit(x, y).n_iter_ < 500


def test_poisson():
    x, y = data("numbers")
    mine, theirs = both("numbers", loss="poisson")
    assert_same(mine.fit(x, np.floor(y)), theirs.fit(x, np.floor(y)), x)
    np.testing.assert_allclose(mine.loss_curve_, theirs.loss_curve_, rtol=1e-10)
    with pytest.raises(ValueError, match="y holds counts and must be at least 0, got -1"):
        mine.fit(x, y - y.min() - 1)


@pytest.mark.parametrize("kind", ["classes", "two classes", "numbers"])
@pytest.mark.parametrize(
    "settings",
    [{"early_stopping": True}, {"solver": "lbfgs", "alpha": 20.0}, {"alpha": 20.0}],
    ids=str,
)
def test_sample_weight(kind, settings):
    x, y = data(kind)
    weight = np.random.default_rng(0).uniform(0, 3, len(y))
    weight[::7] = 0
    mine, theirs = both(kind, **settings)
    assert_same(mine.fit(x, y, weight), theirs.fit(x, y, weight), x, 1e-6)


@pytest.mark.parametrize("solver", ["adam", "sgd"])
@pytest.mark.parametrize("kind", ["classes", "two classes", "numbers"])
def test_partial_fit(kind, solver):
    x, y = data(kind)
    mine, theirs = both(kind, solver=solver, learning_rate="invscaling")
    classes = {} if kind == "numbers" else {"classes": np.unique(y)}
    for rows in (slice(0, 250), slice(250, 400), slice(400, None)):
        for estimator in (mine, theirs):
            estimator.partial_fit(x[rows], y[rows], **classes)
        assert_same(mine, theirs, x)
        assert mine.t_ == theirs.t_
    np.testing.assert_allclose(mine.loss_curve_, theirs.loss_curve_, rtol=1e-10)
    assert len(mine.loss_curve_) == 3


@pytest.mark.parametrize("settings", [{"early_stopping": True}, {"solver": "lbfgs"}, {}], ids=str)
def test_warm_start(settings):
    x, y = data("classes")
    mine, theirs = both("classes", warm_start=True, **settings)
    for _ in range(2):
        assert_same(mine.fit(x, y), theirs.fit(x, y), x, 1e-6)
    if "solver" not in settings:
        np.testing.assert_allclose(mine.loss_curve_, theirs.loss_curve_, rtol=1e-8)
        assert len(mine.loss_curve_) == 12


def test_a_random_state_goes_on_from_fit_to_fit():
    x, y = data("classes")
    for fits in (1, 2):
        mine, theirs = (
            estimator.set_params(random_state=np.random.RandomState(5))
            for estimator in both("classes")
        )
        for _ in range(fits):
            mine.fit(x, y)
            theirs.fit(x, y)
        assert_same(mine, theirs, x)


@pytest.mark.parametrize("name", ["MLPClassifier", "MLPRegressor"])
def test_known_parameters_come_first_with_their_defaults(name):
    def parameters(room):
        found = inspect.signature(getattr(room, name)).parameters.values()
        return [(each.name, each.default, each.kind) for each in found]

    theirs, mine = parameters(neural_network), parameters(ours)
    assert mine[: len(theirs)] == theirs
    new = {each[0] for each in mine[len(theirs) :]}
    shared = {"dropout", "batch_norm", "layers", "callbacks"}
    assert new == shared | ({"loss", "class_weight"} if name == "MLPClassifier" else set())


@pytest.mark.parametrize("method", ["fit", "partial_fit"])
@pytest.mark.parametrize("name", ["MLPClassifier", "MLPRegressor"])
def test_methods_take_what_scikit_learns_take(name, method):
    mine, theirs = (
        list(inspect.signature(getattr(getattr(room, name), method)).parameters)
        for room in (ours, neural_network)
    )
    assert mine[: len(theirs)] == theirs


def test_report(capsys):
    x, y = data("classes")
    texts = []
    for estimator in both("classes", verbose=True, early_stopping=True, tol=0.5, max_iter=50):
        estimator.fit(x, y)
        texts.append(capsys.readouterr().out)
    assert texts[0] == texts[1]
    assert "Stopping." in texts[0]
