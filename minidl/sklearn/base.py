"""What both estimators share: from parameters and data to a trained network."""

from __future__ import annotations

import copy
import math
import warnings
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, Self

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin, is_classifier
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import check_random_state
from sklearn.utils.validation import _check_sample_weight, column_or_1d, validate_data

from minidl.errors import DivergenceError
from minidl.layers import Dense, Layer
from minidl.losses.base import Loss
from minidl.sklearn.convergence import Progress
from minidl.sklearn.dense_arrays import DenseArrays
from minidl.sklearn.features import Features
from minidl.sklearn.fitting import solve, train
from minidl.sklearn.network import build_network
from minidl.sklearn.optimizers import optimizer_of
from minidl.sklearn.samples import Samples
from minidl.training import History
from minidl.typing import Array


class MultilayerPerceptron(Features, TransformerMixin, BaseEstimator, ABC):  # type: ignore[misc]
    """A network that is an estimator, with scikit-learn's parameters."""

    _numeric_targets: bool
    _loss: Loss

    @abstractmethod
    def _head(self, y: Array) -> tuple[Loss, int, str]:
        """The loss, the number of outputs and the name of their activation."""

    @abstractmethod
    def _encode(self, y: Array, dtype: Any) -> Array:
        """Targets as the loss takes them."""

    @abstractmethod
    def _score_of(self, samples: Samples) -> float:
        """Accuracy or R2 of the model as it is."""

    def _learn_classes(self, y: Array) -> None:
        """See what classes there are; a classifier does."""

    def _weigh(self, y: Array, sample_weight: Array | None) -> Array | None:
        """The samples' weights; a classifier multiplies them with those of their classes."""
        return sample_weight

    def _fit(
        self, x: Any, y: Any, sample_weight: Any, validation_data: Any = None, *, once: bool = False
    ) -> Self:
        """Train until convergence, or `once` through the data; go on where that is asked for."""
        fitted = hasattr(self, "model_")
        if not (once and fitted):  # of a step on some samples the checks would be a good part
            self._validate_params()
        if once and self.early_stopping:
            raise ValueError("partial_fit does not support early_stopping=True")
        fresh = not fitted or not (self.warm_start or once)
        x, y = self._check(x, y, reset=fresh)
        if fresh:
            if not once:  # partial_fit has been told all classes
                self._learn_classes(y)
            loss, self.n_outputs_, self.out_activation_ = self._head(y)
            self._loss = copy.deepcopy(loss)  # it notes what it has checked
        samples, held_out = self._samples(x, y, sample_weight), None
        random = check_random_state(self.random_state)
        if fresh:
            self._build(samples, random)
        if validation_data is not None:
            held_out = self._held_out(validation_data)
        try:
            if self.solver == "lbfgs":
                self._solve(samples, held_out)
            else:
                self._train(samples, held_out, random, once)
        except DivergenceError as error:  # a ValueError in scikit-learn
            raise ValueError(f"Solver produced non-finite parameter weights. {error}") from error
        return self

    def _check(self, x: Any, y: Any, *, reset: bool = False) -> tuple[Any, Array]:
        """Return data as arrays; with `reset` note the names and the number of the features."""
        x, y = validate_data(
            self,
            x,
            y,
            accept_sparse="csr",
            multi_output=True,
            y_numeric=self._numeric_targets,
            dtype=(np.float64, np.float32),
            reset=reset,
        )
        several = y.ndim == 2 and y.shape[1] > 1
        return x, y if several else column_or_1d(y, warn=True)

    def _samples(self, x: Any, y: Array, sample_weight: Any = None) -> Samples:
        """Rows with their targets as the loss takes them, and their weights."""
        if sample_weight is not None:
            sample_weight = _check_sample_weight(sample_weight, x, ensure_non_negative=True)
        weight = self._weigh(y, sample_weight)
        if weight is not None and not weight.any():
            raise ValueError("Sample weights must contain at least one non-zero number.")
        return Samples(x, y, self._encode(y, x.dtype), weight)

    def _held_out(self, validation_data: Any) -> Samples:
        """The user's validation data, checked."""
        if not isinstance(validation_data, tuple | list) or len(validation_data) not in (2, 3):
            raise ValueError(
                "validation_data must be (X, y) or (X, y, sample_weight), got "
                f"{type(validation_data).__name__}."
            )
        x, y, *weight = validation_data
        return self._samples(*self._check(x, y), *weight)

    def _build(self, samples: Samples, random: np.random.RandomState) -> None:
        """Make the network, and forget what was known of an earlier one."""
        output: list[Layer] = [Dense(self.n_outputs_)]
        if self._loss.activation is not None and not self._loss.from_logits:
            output.append(self._loss.activation())
        self._n_output_layers = len(output)
        x = samples.x
        self.model_ = build_network(self, output, x.shape[1], x.dtype, random)
        self.n_layers_ = len(self.coefs_) + 1
        self.history_, self._progress, self._optimizer = History(), Progress(), optimizer_of(self)

    def _train(self, samples: Samples, held_out: Samples | None, random: Any, once: bool) -> None:
        if self.early_stopping and held_out is None:
            two_classes = is_classifier(self) and self.n_outputs_ == 1
            samples, held_out = samples.split(
                self.validation_fraction, random, stratify=two_classes
            )
        if not once:
            self._optimizer = optimizer_of(self)
        before = self.history_.epochs
        trainer = train(self, samples, held_out, random, 1 if once else self.max_iter)
        history, best = trainer.history, self._progress.best
        self._describe(history, trainer.epoch - before, held_out)
        self.t_ = self._progress.samples
        self.best_loss_ = None if self.early_stopping else best
        self.best_validation_score_ = -best if self.early_stopping else None
        if not (once or history.stopped):
            warnings.warn(
                f"Stochastic Optimizer: Maximum iterations ({self.max_iter}) reached and the "
                "optimization hasn't converged yet.",
                ConvergenceWarning,
                stacklevel=4,
            )

    def _solve(self, samples: Samples, held_out: Samples | None) -> None:
        result = solve(self, samples, held_out)
        self._describe(result.history, result.iterations, held_out)
        self.loss_ = result.loss
        if result.message.startswith(("STOP", "ABNORMAL")):
            warnings.warn(
                f"lbfgs failed to converge after {result.iterations} iteration(s): "
                f"{result.message}",
                ConvergenceWarning,
                stacklevel=4,
            )

    def _describe(self, history: History, n_epochs: int, held_out: Samples | None) -> None:
        """Set the attributes that tell how training went."""
        self.history_, self.n_iter_ = history, n_epochs
        ended = history.epochs > 0  # unless Ctrl-C came before
        self.loss_curve_ = history["loss"].tolist() if ended else []
        self.loss_ = self.loss_curve_[-1] if ended else math.nan
        scores = history["val_score"].tolist() if held_out is not None and ended else []
        self.validation_scores_ = None if held_out is None else scores
        if history.stopped.startswith("interrupted"):
            warnings.warn("Training interrupted by user.", stacklevel=5)

    def _outputs(self, x: Any) -> Array:
        """What the model says of checked samples: probabilities where the loss knows them."""
        outputs = self.model_.predict(x, batch_size=self._rows_at_a_time(x))
        if self._loss.activation is not None and self._loss.from_logits:
            return self._loss.from_logits_to_predictions(outputs)
        return outputs

    @property
    def coefs_(self) -> list[Array]:
        """Weights of the dense layers, (n_inputs, n_units) each: the model's own, not copies."""
        return DenseArrays(self._dense, "weight")

    @coefs_.setter
    def coefs_(self, weights: Sequence[Array]) -> None:
        self.coefs_[:] = weights

    @property
    def intercepts_(self) -> list[Array]:
        """Biases of the dense layers, (n_units,) each: the model's own, not copies."""
        return DenseArrays([layer for layer in self._dense if layer.use_bias], "bias")

    @intercepts_.setter
    def intercepts_(self, biases: Sequence[Array]) -> None:
        self.intercepts_[:] = biases

    @property
    def _dense(self) -> list[Dense]:
        return [layer for layer in self.model_.walk() if isinstance(layer, Dense)]

    def _is_stochastic(self) -> bool:
        if self.solver == "lbfgs":
            raise AttributeError("partial_fit goes with the solvers adam and sgd, not with lbfgs.")
        return True

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags
