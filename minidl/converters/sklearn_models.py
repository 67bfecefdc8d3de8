"""scikit-learn's multi-layer perceptrons as minidl's models."""

from __future__ import annotations

from typing import Any

import numpy as np

from minidl import layers as kinds
from minidl.containers import Sequential
from minidl.errors import ArgumentError, ArgumentTypeError, StateError
from minidl.layers.base import Layer

HIDDEN: dict[str, type[Layer] | None] = {
    "identity": None,
    "logistic": kinds.Sigmoid,
    "tanh": kinds.Tanh,
    "relu": kinds.ReLU,
}
OUTPUT: dict[str, type[Layer] | None] = {
    "identity": None,
    "logistic": kinds.Sigmoid,
    "softmax": kinds.Softmax,
}


def from_sklearn(estimator: Any) -> Sequential:
    """Make a built model of scikit-learn's fitted `MLPClassifier` or `MLPRegressor`.

    The estimator may be the end of a `Pipeline` whose other steps are `StandardScaler`s; these
    become `Standardize` layers.

    | estimator | the model ends in | its output |
    |---|---|---|
    | `MLPClassifier`, three classes or more | `Softmax` | `predict_proba(X)` |
    | `MLPClassifier`, two classes | `Sigmoid` | `predict_proba(X)[:, 1:]` |
    | `MLPClassifier`, multi-label | `Sigmoid` | `predict_proba(X)` |
    | `MLPRegressor` | `Dense` | `predict(X)`, as `(N, M)` |

    Column k of the output is class `estimator.classes_[k]`. The dtype is that of `coefs_`. What is
    about training, such as `alpha` and the optimizer's state, stays behind.

    Args:
        estimator: The fitted estimator, or a fitted pipeline.

    Raises:
        ArgumentTypeError: If it is another kind of estimator.
        StateError: If it is not fitted.
        ArgumentError: If it computes what minidl has no layer for.

    Example:
        >>> import numpy as np, minidl as dl
        >>> from sklearn.neural_network import MLPClassifier
        >>> X = np.random.default_rng(0).normal(size=(60, 4))
        >>> mlp = MLPClassifier((8,), solver="lbfgs", random_state=0).fit(X, X[:, 0] > 0)
        >>> model = dl.from_sklearn(mlp)
        >>> model
        Sequential([Dense(8), ReLU(), Dense(1), Sigmoid()])
        >>> np.allclose(model(X), mlp.predict_proba(X)[:, 1:])
        True
    """
    steps = [step for _, step in getattr(estimator, "steps", [("", estimator)])]
    steps = [step for step in steps if step not in (None, "passthrough")] or [None]
    *scalers, mlp = steps
    if not {"MLPClassifier", "MLPRegressor"} & _kinds(mlp):
        got = f"{type(mlp).__module__}.{type(mlp).__name__}"
        fix = " Its network is its attribute model_." if hasattr(mlp, "model_") else ""
        raise ArgumentTypeError(
            "from_sklearn: expected an MLPClassifier or MLPRegressor of scikit-learn, or a "
            f"Pipeline that ends in one, got {got.removeprefix('builtins.')}.{fix}"
        )
    if not hasattr(mlp, "coefs_"):
        raise StateError(f"from_sklearn: {type(mlp).__name__} is not fitted. Call fit(X, y) first.")
    if mlp.out_activation_ not in OUTPUT:
        raise ArgumentError(
            f"from_sklearn: the output goes through {mlp.out_activation_!r}, for which minidl has "
            f"no layer. Only {', '.join(OUTPUT)} can be converted."
        )
    standardizations = [_standardize(scaler) for scaler in scalers]
    hidden, output = HIDDEN[mlp.activation], OUTPUT[mlp.out_activation_]
    denses = [kinds.Dense(len(b)) for b in mlp.intercepts_]
    layers: list[Layer] = [*standardizations]
    for dense in denses:
        kind = output if dense is denses[-1] else hidden
        layers += [dense, kind()] if kind else [dense]
    first = mlp.coefs_[0]
    model = Sequential(layers).build(first.shape[:1], rng=0, dtype=first.dtype)
    for layer, scaler in zip(standardizations, scalers, strict=True):
        layer.mean = scaler.mean_ if scaler.with_mean else np.zeros(len(first))
        layer.std = scaler.scale_ if scaler.with_std else np.ones(len(first))
    for dense, W, b in zip(denses, mlp.coefs_, mlp.intercepts_, strict=True):
        dense.weight, dense.bias = W, b
    return model


def _kinds(step: Any) -> set[str]:
    """Names of the estimator's class and of its bases in scikit-learn."""
    return {k.__name__ for k in type(step).__mro__ if k.__module__.startswith("sklearn.")}


def _standardize(scaler: Any) -> kinds.Standardize:
    if "StandardScaler" not in _kinds(scaler):
        raise ArgumentError(
            f"from_sklearn: the pipeline's step {type(scaler).__name__} has no counterpart in "
            "minidl, only StandardScaler has. Convert its last step, and transform the data before."
        )
    if not hasattr(scaler, "scale_"):
        raise StateError("from_sklearn: StandardScaler is not fitted. Call fit(X, y) first.")
    return kinds.Standardize()
