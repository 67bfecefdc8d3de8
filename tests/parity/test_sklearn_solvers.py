"""SciPy's solvers beside scikit-learn's: the same minima, and the same steps of L-BFGS."""

import warnings

import numpy as np
import pytest
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import ElasticNet, LogisticRegression, Ridge
from sklearn.neural_network import MLPClassifier

import minidl as dl

X, Y = dl.synthetic_digits(200, rng=0)
X = X.reshape(200, 28, 28)[:, 4:24:2, 4:24:2].reshape(200, 100).astype(float)
X -= X.mean(axis=0)  # or intercepts and weights would hardly be told apart


@pytest.mark.parametrize("method", ["L-BFGS-B", "CG", "trust-ncg"])
@pytest.mark.parametrize("c", [0.1, 1.0])
@pytest.mark.parametrize("weighted", [False, True])
def test_logistic_regression_has_the_same_minimum(method, c, weighted):
    weight = np.random.default_rng(0).random(200) if weighted else None
    total = 200 if weight is None else weight.sum()
    theirs = LogisticRegression(C=c, tol=1e-10, max_iter=10_000, solver="newton-cg")
    theirs.fit(X, Y, sample_weight=weight)
    layers = [dl.Dense(10, weight_penalty=dl.L2(1 / (2 * c * total))), dl.Softmax()]
    model = dl.Sequential(layers).build((100,), rng=0, dtype=float)
    result = dl.minimize(
        model,
        dl.CrossEntropy(),
        X,
        Y,
        method=method,
        iterations=2000,
        tolerance=4e-9,
        sample_weight=weight,
        options={"ftol": 0.0} if method == "L-BFGS-B" else None,
    )
    assert result.converged
    layer = model.layers[0]
    np.testing.assert_allclose(layer.weight, theirs.coef_.T, atol=1e-6)
    bias = layer.bias - layer.bias.mean()
    np.testing.assert_allclose(bias, theirs.intercept_ - theirs.intercept_.mean(), atol=1e-6)
    np.testing.assert_allclose(model.predict(X), theirs.predict_proba(X), atol=1e-6)


def test_ridge_regression_has_the_same_minimum():
    y = X @ np.random.default_rng(1).normal(size=100)
    theirs = Ridge(alpha=3.0, tol=1e-12).fit(X, y)
    model = dl.Dense(1, weight_penalty=dl.L2(3.0 / 200)).build((100,), rng=0, dtype=float)
    dl.minimize(model, dl.MeanSquaredError(), X, y[:, np.newaxis], tolerance=1e-9, iterations=5000)
    np.testing.assert_allclose(model.weight[:, 0], theirs.coef_, atol=1e-6)
    np.testing.assert_allclose(model.bias[0], theirs.intercept_, atol=1e-6)


def test_the_elastic_net_has_the_same_penalty():
    y = X @ np.random.default_rng(1).normal(size=100)
    theirs = ElasticNet(alpha=0.1, l1_ratio=0.3, tol=1e-12, max_iter=100_000).fit(X, y)
    # twice the penalty beside twice the half of a mean squared error
    penalty = dl.L1L2(2 * 0.1 * 0.3, 2 * 0.1 * 0.7 / 2)
    model = dl.Dense(1, weight_penalty=penalty).build((100,), rng=0, dtype=float)
    model.weight, model.bias = theirs.coef_[:, np.newaxis], [theirs.intercept_]
    _, grads = dl.Objective(model, dl.MeanSquaredError()).value_and_grad(X, y[:, np.newaxis])
    kept = np.flatnonzero(theirs.coef_)
    assert 5 < len(kept) < 95
    np.testing.assert_allclose(grads[kept], 0.0, atol=1e-8)
    assert (np.abs(np.delete(grads[:100], kept)) <= 2 * 0.1 * 0.3 + 1e-8).all()


@pytest.mark.parametrize("iterations", [1, 5, 15])
def test_mlp_classifier_makes_the_same_steps(iterations):
    alpha = 0.5
    theirs = MLPClassifier(
        (8,),
        solver="lbfgs",
        alpha=alpha,
        max_iter=iterations,
        tol=0.0,
        random_state=0,
        warm_start=True,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        theirs.set_params(max_iter=1).fit(X, Y)
        penalty = dl.L2(alpha / (2 * len(X)))
        first = dl.Dense(8, weight_penalty=penalty)
        second = dl.Dense(10, weight_penalty=penalty)
        model = dl.Sequential([first, dl.ReLU(), second, dl.Softmax()])
        model.build((100,), rng=0, dtype=float)
        for i, layer in enumerate((first, second)):
            layer.weight, layer.bias = theirs.coefs_[i], theirs.intercepts_[i]
        theirs.set_params(max_iter=iterations).fit(X, Y)
    result = dl.minimize(model, dl.CrossEntropy(), X, Y, iterations=iterations, tolerance=0.0)
    assert result.iterations == theirs.n_iter_ == iterations
    assert result.loss == pytest.approx(theirs.loss_, rel=1e-10)
    for i, layer in enumerate((first, second)):
        np.testing.assert_allclose(layer.weight, theirs.coefs_[i], atol=1e-7)
        np.testing.assert_allclose(layer.bias, theirs.intercepts_[i], atol=1e-7)
