"""The regressor."""

from __future__ import annotations

from typing import Any, Self

from sklearn.base import RegressorMixin
from sklearn.metrics import r2_score
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

from minidl.losses import Loss
from minidl.sklearn import parameters
from minidl.sklearn.base import MultilayerPerceptron
from minidl.sklearn.losses import HalfPoissonDeviance, HalfSquaredError
from minidl.sklearn.samples import Samples
from minidl.typing import Array


class MLPRegressor(RegressorMixin, MultilayerPerceptron):  # type: ignore[misc]
    r"""A regressor in the place of scikit-learn's own, trained by minidl.

    What is said of `MLPClassifier` holds here too. The output layer has no activation; for
    `"poisson"` its outputs are logarithms of rates, and predictions are the rates.

    Where it differs besides: of several outputs the squared error is a sum over them. In
    scikit-learn, too, that is what the gradient is of, but `loss_`, `loss_curve_`, and what `tol`
    and the line searches of lbfgs look at, is the mean over them.

    Args:
        loss: `"squared_error"`, half the square; `"poisson"`, half the deviance; or one of minidl's
            losses, such as `dl.Huber()` or `dl.Quantile(0.9)`.
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
        callbacks: A list of minidl's callbacks; each fit uses copies of them.

    Attributes:
        model_: The network, built and trained; a minidl model.
        history_: Curves by name: `loss`, `seconds`; with samples held out `val_loss`, `val_score`.
        coefs_: Weights of the dense layers; `intercepts_` their biases.
        callbacks_: The copies of the callbacks that the last fit has used.

    Example:
        >>> from sklearn.datasets import make_friedman1
        >>> from minidl.sklearn import MLPRegressor
        >>> X, y = make_friedman1(500, random_state=0)
        >>> mlp = MLPRegressor(
        ...     hidden_layer_sizes=20, activation="silu", solver="lbfgs", max_iter=500, tol=0.01
        ... )
        >>> mlp.fit(X[:400], y[:400]).score(X[400:], y[400:]) > 0.9
        True
    """

    _parameter_constraints = parameters.OF_REGRESSOR
    _numeric_targets = True

    def __init__(
        self,
        loss: str | Loss = "squared_error",
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
        callbacks: Any = None,
    ) -> None:
        self.loss = loss
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
        self.callbacks = callbacks

    def fit(
        self, X: Any, y: Any, sample_weight: Any = None, *, validation_data: Any = None
    ) -> Self:
        """Train on all samples until the loss stops improving.

        Args:
            X: Samples (N, n_features), dense or sparse.
            y: Numbers (N,) or (N, n_outputs).
            sample_weight: A weight for each sample (N,).
            validation_data: As for `MLPClassifier`.

        Returns:
            The estimator itself.
        """
        return self._fit(X, y, sample_weight, validation_data)

    @available_if(lambda estimator: estimator._is_stochastic())  # type: ignore[untyped-decorator]
    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Train for one epoch on these samples, and go on from what is known.

        Args:
            X: Samples (N, n_features), dense or sparse.
            y: Numbers (N,) or (N, n_outputs).
            sample_weight: A weight for each sample (N,).

        Returns:
            The estimator itself.
        """
        return self._fit(X, y, sample_weight, once=True)

    def predict(self, X: Any) -> Array:
        """Return a number for each sample (N,), or several (N, n_outputs)."""
        check_is_fitted(self)
        return self._values(self._outputs(self._check_rows(X)))

    def _head(self, y: Array) -> tuple[Loss, int, str]:
        loss, name = self.loss, "identity"
        if isinstance(loss, str):
            loss = HalfPoissonDeviance() if loss == "poisson" else HalfSquaredError()
        if self.loss == "poisson":
            name = "exp"
        elif loss.activation is not None:
            name = loss.activation.__name__.lower()
        return loss, 1 if y.ndim == 1 else y.shape[1], name

    def _encode(self, y: Array, dtype: Any) -> Array:
        rows: Array = y.reshape(len(y), -1).astype(dtype)
        return rows

    def _values(self, outputs: Array) -> Array:
        """What outputs say, in the shape of y."""
        if self._loss.activation is None:
            outputs = self._loss.predicted_labels(outputs)
        return outputs.ravel() if outputs.shape[1] == 1 else outputs

    def _score_of(self, samples: Samples) -> float:
        predicted = self._values(self._outputs(samples.x))
        return float(r2_score(samples.y, predicted, sample_weight=samples.weight))

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags
