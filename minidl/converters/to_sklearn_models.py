"""minidl's models as scikit-learn's multi-layer perceptrons."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from minidl import layers as kinds
from minidl.arguments import instance
from minidl.containers.nesting import innermost_layers
from minidl.converters.sklearn_models import HIDDEN
from minidl.errors import ArgumentError
from minidl.layers.base import Layer
from minidl.typing import Array


def to_sklearn(model: Layer, classes: ArrayLike | None = None) -> Any:
    """Make scikit-learn's fitted `MLPClassifier` or `MLPRegressor` of a built model.

    The model is a chain of `Dense` layers with one activation between all of them: `ReLU`, `Tanh`,
    `Sigmoid` or none. What it ends in decides: `Softmax` or `Sigmoid` makes a classifier, `Dense` a
    regressor. One output through `Sigmoid`, or two through `Softmax`, mean two classes; several
    through `Sigmoid` labels that do not exclude each other. A `Standardize` at the beginning makes
    a `Pipeline` with a `StandardScaler`. `Dropout` and `GaussianNoise`, which act in training only,
    are left out.

    `predict`, `predict_proba` and `score` work, and so do `partial_fit` and, with
    `set_params(warm_start=True)`, `fit`, which go on from these weights with scikit-learn's
    optimizer, at its beginning.

    Args:
        model: A built model.
        classes: The classes in the order of the outputs, ascending, as scikit-learn keeps them;
            by default 0, 1, 2, ...

    Raises:
        ImportError: If scikit-learn is not installed.
        ArgumentError: If the model is not of this form, or `classes` does not fit it.

    Example:
        >>> import numpy as np, minidl as dl
        >>> model = dl.Sequential([dl.Dense(8), dl.Tanh(), dl.Dense(3), dl.Softmax()])
        >>> model.build((4,), rng=0, dtype=np.float64)
        Sequential([Dense(8), Tanh(), Dense(3), Softmax()])
        >>> mlp = dl.to_sklearn(model, classes=["ash", "elm", "oak"])
        >>> mlp
        MLPClassifier(activation='tanh', hidden_layer_sizes=(8,))
        >>> X = np.random.default_rng(0).normal(size=(5, 4))
        >>> np.allclose(mlp.predict_proba(X), model(X))
        True
        >>> str(mlp.predict(X)[0]) in ("ash", "elm", "oak")
        True
    """
    instance("to_sklearn", "model", model, Layer)
    neural_network, pipeline, preprocessing = _sklearn()
    chain = [
        layer
        for layer in innermost_layers(model)
        if not isinstance(layer, kinds.Dropout | kinds.GaussianNoise)
    ]
    standardize = next((layer for layer in chain[:1] if isinstance(layer, kinds.Standardize)), None)
    output = next(
        (layer for layer in chain[-1:] if isinstance(layer, kinds.Softmax | kinds.Sigmoid)), None
    )
    chain = [layer for layer in chain if layer not in (standardize, output)]
    denses = [layer for layer in chain if isinstance(layer, kinds.Dense)]
    activation = _activation(chain, denses)
    coefs = [np.array(dense.weight) for dense in denses]
    intercepts = [
        np.array(dense.bias) if dense.use_bias else np.zeros(dense.units, model.dtype)
        for dense in denses
    ]
    if isinstance(output, kinds.Softmax) and denses[-1].units == 2:
        # the second probability is the sigmoid of the difference
        coefs[-1], intercepts[-1] = (np.diff(a, axis=-1) for a in (coefs[-1], intercepts[-1]))
    kind = neural_network.MLPRegressor if output is None else neural_network.MLPClassifier
    hidden = tuple(dense.units for dense in denses[:-1])
    mlp = kind(hidden_layer_sizes=hidden, activation=activation)
    _fit_once(mlp, output, coefs, classes)
    mlp.coefs_, mlp.intercepts_ = coefs, intercepts
    if standardize is None:
        return mlp
    scaler = preprocessing.StandardScaler().fit(np.zeros((1, len(coefs[0])), model.dtype))
    m, s = standardize.mean.astype(np.float64), standardize.std.astype(np.float64)
    scaler.mean_, scaler.scale_, scaler.var_ = m, s, s * s
    return pipeline.make_pipeline(scaler, mlp)


def _activation(chain: Sequence[Layer], denses: Sequence[kinds.Dense]) -> str:
    """The name of the activation between Dense layers; raise if the chain is of another form."""
    for name, kind in HIDDEN.items():
        form = [kinds.Dense, *((kind, kinds.Dense) if kind else (kinds.Dense,)) * (len(denses) - 1)]
        if [type(layer) for layer in chain] == form and len(chain[0].input_shape) == 1:
            return name
    raise ArgumentError(
        "to_sklearn: expected Dense layers of vectors with the same activation between all of "
        "them, one of ReLU, Tanh, Sigmoid or none, and Softmax, Sigmoid or nothing behind; got "
        f"{', '.join(type(layer).__name__ for layer in chain)}."
    )


def _fit_once(mlp: Any, output: Layer | None, coefs: Sequence[Array], classes: Any) -> None:
    """Let scikit-learn make all that a fitted estimator has, and take back its first step."""
    dtype, outputs = coefs[0].dtype, coefs[-1].shape[1]
    options = {}
    if output is None:
        if classes is not None:
            raise ArgumentError(
                "to_sklearn: classes are for classifiers, and the model ends in no Softmax or "
                "Sigmoid. Put the one that its loss stood for behind it."
            )
        y = np.zeros(1 if outputs == 1 else (1, outputs), dtype)
    elif isinstance(output, kinds.Sigmoid) and outputs > 1:
        if classes is not None:
            raise ArgumentError(
                "to_sklearn: labels that do not exclude each other have no classes. Leave them out."
            )
        y, options["classes"] = np.array([[0], [1]]) * np.ones(outputs, int), np.arange(outputs)
    else:
        y = options["classes"] = _checked_classes(classes, max(outputs, 2))
    mlp.partial_fit(np.zeros((len(y), len(coefs[0])), dtype), y, **options)
    vars(mlp).pop("_optimizer")
    mlp.loss_curve_, mlp.best_loss_, mlp.loss_ = [], np.inf, np.inf
    mlp.n_iter_ = mlp.t_ = mlp._no_improvement_count = 0


def _checked_classes(classes: Any, n: int) -> Array:
    y = np.arange(n) if classes is None else np.asarray(classes)
    if y.shape != (n,) or not np.array_equal(np.unique(y), y):
        raise ArgumentError(
            f"to_sklearn: classes must be {n} different ones in ascending order, got {y.tolist()}. "
            "For another order bring the last layer's columns into it."
        )
    return y


def _sklearn() -> tuple[Any, Any, Any]:
    try:
        from sklearn import neural_network, pipeline, preprocessing
    except ImportError:
        raise ImportError("to_sklearn needs scikit-learn: pip install minidl[sklearn].") from None
    return neural_network, pipeline, preprocessing
