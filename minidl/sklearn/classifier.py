"""The classifier."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from sklearn.base import ClassifierMixin
from sklearn.metrics import accuracy_score
from sklearn.utils.metaestimators import available_if
from sklearn.utils.multiclass import _check_partial_fit_first_call, type_of_target
from sklearn.utils.validation import check_is_fitted

from minidl.losses import BinaryCrossEntropy, Loss
from minidl.sklearn import parameters
from minidl.sklearn.base import MultilayerPerceptron
from minidl.sklearn.labels import ACTIVATION_NAMES, Labels, threshold
from minidl.sklearn.samples import Samples
from minidl.typing import Array


class MLPClassifier(ClassifierMixin, MultilayerPerceptron):  # type: ignore[misc]
    r"""A classifier in the place of scikit-learn's own, trained by minidl.

    The parameters of scikit-learn's `MLPClassifier` have their names, order, defaults and meaning,
    fitted attributes too, and the same `random_state` gives the same network: initial weights,
    order of samples and samples held out are drawn as there, and results agree to rounding. What
    it lacks is behind `max_fun`: dropout, batch normalization, activations by layer, any layers and
    loss, weights of classes, callbacks; with `fit(..., validation_data=...)`, curves in `history_`
    and `transform`.

    Where it differs: with `sample_weight` the loss of an epoch is the mean over all samples by
    weight, in scikit-learn a mean of the batches' means, whatever weight they have; and the loss of
    a wrong answer that is certain is not limited. So `tol` may end training in another epoch.

    The network computes in float32 for samples of float32, and in float64 for all others; sparse
    samples stay sparse. One class is to be told from another by a single output behind a sigmoid,
    several by a softmax, and of several labels each has a sigmoid of its own. Glorot's initial
    values are for `hidden_layer_sizes`; `layers` have their own.

    Args:
        hidden_layer_sizes: Units of each hidden layer.
        activation: That of the hidden layers: `"identity"`, `"logistic"`, `"tanh"`, `"relu"`,
            `"elu"`, `"gelu"`, `"leaky_relu"`, `"selu"`, `"silu"` or `"softplus"`, or a layer such
            as `dl.LeakyReLU(0.1)`; or a list with one of these for each hidden layer.
        solver: `"adam"`, `"sgd"`, or `"lbfgs"` on all samples at once.
        alpha: Strength of the penalty $\frac{\alpha}{2n} \lVert W \rVert^2$ for a batch of n
            samples.
        batch_size: Samples of a batch; `"auto"` is 200, or all where there are fewer.
        learning_rate: For sgd: `"constant"`; `"invscaling"`, divided after every epoch by the
            number of samples seen, to the power of `power_t`; or `"adaptive"`, divided by 5 where
            training would end otherwise, down to 1e-6.
        learning_rate_init: The learning rate at first.
        power_t: Exponent of `"invscaling"`.
        max_iter: The most epochs; of lbfgs, iterations.
        shuffle: Whether to shuffle the samples in every epoch.
        random_state: Seed, `numpy.random.RandomState` or None, for initial weights, order of the
            samples, and those held out.
        tol: Improvement of the loss, or of the validation score, below which an epoch counts as
            none; for lbfgs the largest element of the gradient at the end.
        verbose: Whether to print loss and validation score of every epoch.
        warm_start: Whether `fit` goes on from the last one.
        momentum: Momentum of sgd.
        nesterovs_momentum: Whether it is Nesterov's.
        early_stopping: Whether to hold samples out, stop by their score, and go back to its best.
        validation_fraction: The fraction of samples that is held out.
        beta_1: Adam's decay of the mean of gradients.
        beta_2: Adam's decay of the mean of their squares.
        epsilon: Adam's smallest root.
        n_iter_no_change: Epochs without improvement that are allowed; the next one ends training.
        max_fun: The most evaluations of lbfgs.
        dropout: Rate of a `Dropout` behind each hidden layer, or a list of rates.
        batch_norm: Whether to put `BatchNorm` in front of each activation.
        layers: The hidden layers instead: a list of minidl's layers, which is copied, or a function
            that returns one. The output layer is added to them.
        loss: `"log_loss"`, or one of minidl's losses, such as
            `dl.CrossEntropy(label_smoothing=0.1)`. With those that know no probabilities, such as
            `dl.Hinge()`, there is `decision_function` alone.
        class_weight: Weights of classes as a dict, 1 where not named, or `"balanced"`.
        callbacks: A list of minidl's callbacks; each fit uses copies of them.

    Attributes:
        classes_: The classes, in the order of the outputs.
        model_: The network, built and trained; a minidl model.
        history_: Curves by name: `loss`, `seconds`; with samples held out `val_loss`, `val_score`.
        coefs_: Weights of the dense layers; `intercepts_` their biases.
        callbacks_: The copies of the callbacks that the last fit has used.

    Example:
        >>> from sklearn.datasets import load_digits
        >>> from sklearn.model_selection import train_test_split
        >>> from minidl.sklearn import MLPClassifier
        >>> X, y = load_digits(return_X_y=True)
        >>> X, X_test, y, y_test = train_test_split(X / 16, y, random_state=0)
        >>> mlp = MLPClassifier((64, 32), ["relu", "tanh"], dropout=0.1, random_state=0)
        >>> mlp = mlp.fit(X, y, validation_data=(X_test, y_test))
        >>> mlp.score(X_test, y_test) > 0.95, "val_loss" in mlp.history_
        (True, True)
        >>> mlp.transform(X_test).shape, mlp.transform(X_test, layer="1.relu").shape
        ((450, 32), (450, 64))
    """

    _parameter_constraints = parameters.OF_CLASSIFIER
    _numeric_targets = False

    def __init__(
        self,
        hidden_layer_sizes: Any = (100,),
        activation: Any = "relu",
        *,
        solver: str = "adam",
        alpha: float = 0.0001,
        batch_size: int | str = "auto",
        learning_rate: str = "constant",
        learning_rate_init: float = 0.001,
        power_t: float = 0.5,
        max_iter: int = 200,
        shuffle: bool = True,
        random_state: Any = None,
        tol: float = 1e-4,
        verbose: bool | int = False,
        warm_start: bool = False,
        momentum: float = 0.9,
        nesterovs_momentum: bool = True,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-8,
        n_iter_no_change: float = 10,
        max_fun: int = 15000,
        dropout: Any = 0.0,
        batch_norm: bool = False,
        layers: Any = None,
        loss: str | Loss = "log_loss",
        class_weight: Any = None,
        callbacks: Any = None,
    ) -> None:
        self.hidden_layer_sizes = hidden_layer_sizes
        self.activation = activation
        self.solver = solver
        self.alpha = alpha
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.learning_rate_init = learning_rate_init
        self.power_t = power_t
        self.max_iter = max_iter
        self.shuffle = shuffle
        self.random_state = random_state
        self.tol = tol
        self.verbose = verbose
        self.warm_start = warm_start
        self.momentum = momentum
        self.nesterovs_momentum = nesterovs_momentum
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.beta_1 = beta_1
        self.beta_2 = beta_2
        self.epsilon = epsilon
        self.n_iter_no_change = n_iter_no_change
        self.max_fun = max_fun
        self.dropout = dropout
        self.batch_norm = batch_norm
        self.layers = layers
        self.loss = loss
        self.class_weight = class_weight
        self.callbacks = callbacks

    def fit(
        self, X: Any, y: Any, sample_weight: Any = None, *, validation_data: Any = None
    ) -> Self:
        """Train until the loss, or the validation score, stops improving.

        Args:
            X: Samples (N, n_features), dense or sparse.
            y: Labels (N,), or rows of 0 and 1 for several labels (N, n_labels).
            sample_weight: A weight for each sample (N,).
            validation_data: `(X, y)` or `(X, y, sample_weight)`, evaluated after every epoch; with
                `early_stopping` in the place of samples that are held out. A pipeline passes it on
                as it is: give X as the steps before would leave it.

        Returns:
            The estimator itself.
        """
        return self._fit(X, y, sample_weight, validation_data)

    @available_if(lambda estimator: estimator._is_stochastic())  # type: ignore[untyped-decorator]
    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None, classes: Any = None) -> Self:
        """Train for one epoch on these samples, going on from what has been learned.

        Args:
            X: Samples (N, n_features), dense or sparse.
            y: Labels, as for `fit`; not every class need be there.
            sample_weight: A weight for each sample (N,).
            classes: All classes, needed in the first call.

        Returns:
            The estimator itself.
        """
        if isinstance(self.class_weight, str):
            raise ValueError(
                f"class_weight={self.class_weight!r} needs all labels at once. For partial_fit "
                "give a dict from classes to weights."
            )
        if _check_partial_fit_first_call(self, classes):
            self._learn_classes(y if type_of_target(y).startswith("multilabel") else classes)
        return self._fit(X, y, sample_weight, once=True)

    def predict(self, X: Any) -> Array:
        """Return the most probable class of each sample (N,), or its labels (N, n_labels)."""
        check_is_fitted(self)
        return self._labels.decode(self._outputs(self._check_rows(X)), self._loss)

    @available_if(lambda estimator: estimator._has_probabilities())  # type: ignore[untyped-decorator]
    def predict_proba(self, X: Any) -> Array:
        """Return the probability of each class (N, n_classes), in the order of `classes_`."""
        check_is_fitted(self)
        p = self._outputs(self._check_rows(X))
        if p.shape[1] == 1:
            return np.concatenate([1 - p, p], axis=1)
        if isinstance(self._loss, BinaryCrossEntropy) and not self._labels.several:
            p /= p.sum(axis=1, keepdims=True)  # each class was asked for by itself
        return p

    @available_if(lambda estimator: estimator._has_probabilities())  # type: ignore[untyped-decorator]
    def predict_log_proba(self, X: Any) -> Array:
        """Return the logarithms of the probabilities (N, n_classes)."""
        with np.errstate(divide="ignore"):
            logarithms: Array = np.log(self.predict_proba(X))
        return logarithms

    @available_if(lambda estimator: estimator._has_scores())  # type: ignore[untyped-decorator]
    def decision_function(self, X: Any) -> Array:
        """Return scores (N, n_classes), of two classes one score (N,) for the second.

        A score above 0 says the second class, or of several labels that one. Where the loss knows
        probabilities there are no scores, as in scikit-learn, whose tools would ask for the scores
        first: `CalibratedClassifierCV` would come to another result.
        """
        check_is_fitted(self)
        scores: Array = self._outputs(self._check_rows(X)) - threshold(self._loss)
        return scores.ravel() if scores.shape[1] == 1 else scores

    def _learn_classes(self, y: Any) -> None:
        self._labels = Labels(y)
        self.classes_ = self._labels.classes

    def _head(self, y: Array) -> tuple[Loss, int, str]:
        loss, n_outputs = self._labels.loss_and_outputs(self.loss)
        return loss, n_outputs, ACTIVATION_NAMES[loss.activation]

    def _encode(self, y: Array, dtype: Any) -> Array:
        return self._labels.encode(y, self._loss, self.n_outputs_, dtype)

    def _weigh(self, y: Array, sample_weight: Array | None) -> Array | None:
        return self._labels.weigh(y, self.class_weight, sample_weight)

    def _score_of(self, samples: Samples) -> float:
        predicted = self._labels.decode(self._outputs(samples.x), self._loss)
        return float(accuracy_score(samples.y, predicted, sample_weight=samples.weight))

    def _has_scores(self) -> bool:
        loss = getattr(self, "_loss", self.loss)  # that of the network there is
        return isinstance(loss, Loss) and loss.activation is None

    def _has_probabilities(self) -> bool:
        if self._has_scores():
            loss = getattr(self, "_loss", self.loss)
            raise AttributeError(f"{loss} is no loss of probabilities: there are none.")
        return True

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        return tags
