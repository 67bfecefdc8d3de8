"""The loss: how wrong a batch of predictions is, and in which direction."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from typing import ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike

from minidl.arguments import call_text
from minidl.errors import ArgumentError, ContractError, DataError, ShapeError
from minidl.finiteness import raise_for_non_finite
from minidl.layers.base import Layer
from minidl.losses.checks import checked_per_sample, shape_fix
from minidl.losses.sample_weight import check_weight
from minidl.sparse import dense_array
from minidl.typing import Array, Shape


class Loss(ABC):
    r"""A function of predictions and targets, averaged over a batch.

    A loss's author writes `per_sample`. The mean is here and nowhere else:

    $$L = \frac{\sum_i w_i\, l_i}{\sum_i w_i}, \qquad
      \frac{\partial L}{\partial \hat y_i} =
      \frac{w_i}{\sum_j w_j} \frac{\partial l_i}{\partial \hat y_i},$$

    with weights $w_i = 1$ unless given; zero total weight gives 0. The value $l_i$ of a sample is
    the mean over its outputs. Outputs (N, T, M) are sequences, of which every step is a sample: a
    weight of a sequence is that of all its steps.

    Attributes:
        activation: The output layer that this loss is computed together with, from its input (the
            logits), or None.
        from_logits: Whether predictions are logits.
        vector_a_sample: Whether `per_sample` takes vectors (N, C) only. Pixels (N, H, W, C) are
            then samples like steps.

    Example:
        >>> import numpy as np, minidl as dl
        >>> class AbsoluteError(dl.Loss):
        ...     def per_sample(self, prediction, target):
        ...         error = prediction - target  # (N, M)
        ...         return np.abs(error).mean(axis=1), np.sign(error) / error.shape[1]
        >>> AbsoluteError()(np.array([[1.0], [4.0]]), np.array([[2.0], [2.0]]))
        1.5
    """

    activation: ClassVar[type[Layer] | None] = None
    vector_a_sample: ClassVar[bool] = False
    from_logits: bool = False
    _checked: bool = False  # its own behaviour was looked at in the first call

    @abstractmethod
    def per_sample(self, prediction: Array, target: Array) -> tuple[Array, Array]:
        """Return each sample's loss (N,) and its gradient at the prediction, not averaged.

        Args:
            prediction: The model's output (N, ...); of sequences (N, T, M) the steps, (N T, M).
            target: What `check_target` returned, in the same way.
        """

    def check_target(self, target: ArrayLike, shape: Shape) -> Array:
        """Check targets once and return them as an array for `per_sample`.

        Args:
            target: As the user gave them.
            shape: Shape of the predictions (N, ...).

        Raises:
            ShapeError: If the shapes differ.
            DataError: If the targets are not finite real numbers.
        """
        array = dense_array(target, f"{self}: targets", "y")
        expected = self.target_shape(shape)
        if array.shape != expected:
            same = expected == shape
            why = "that of the predictions" if same else f"one value for all {shape[-1]} outputs"
            fix = shape_fix(array, expected, same_as_outputs=same)
            raise ShapeError(
                f"{self}: expected targets of shape {expected}, {why}, got {array.shape}.{fix}"
            )
        if array.dtype.kind not in "fiub":
            raise DataError(f"{self}: targets must be real numbers, got dtype {array.dtype}.")
        if array.dtype.kind == "f":
            raise_for_non_finite(array, f"{self}: target")
        return array

    def target_shape(self, shape: Shape) -> Shape:
        """The shape that targets must have for predictions of a shape; by default the same."""
        return shape

    def check_prediction_shape(self, shape: Shape, who: str) -> None:  # noqa: B027 (a hook)
        """Raise unless this loss takes predictions of this shape.

        Args:
            shape: Shape of a prediction, without the batch axis.
            who: Whose predictions they are, for the message.
        """

    def check_prediction(self, prediction: Array) -> None:  # noqa: B027 (a hook)
        """Raise unless this loss takes predictions (N, ...) with these values; by default any."""

    def with_logits(self) -> Loss:
        """The same loss for logits, for `Objective`; only where `activation` is not None."""
        raise ContractError(f"{self}: has an activation and so must define with_logits().")

    def from_logits_to_predictions(self, logits: Array) -> Array:
        """What the activation makes of logits (N, ...); only where `activation` is not None."""
        raise ContractError(
            f"{self}: has an activation and so must define from_logits_to_predictions()."
        )

    def predicted_labels(self, prediction: Array) -> Array:
        """What predictions (N, ...) say, for metrics: labels for classifiers, else themselves."""
        return prediction

    def true_labels(self, target: Array) -> Array:
        """What targets (N, ...) say, for metrics."""
        return target

    def value_and_grad(
        self,
        prediction: Array,
        target: ArrayLike,
        *,
        sample_weight: ArrayLike | None = None,
        out: Array | None = None,
    ) -> tuple[float, Array]:
        """Return the mean loss of a batch and its gradient at the predictions.

        Args:
            prediction: The model's output (N, ...).
            target: Targets; see the loss for what it takes.
            sample_weight: A weight for each sample (N,), for each step of sequences (N, T), or for
                each pixel of images (N, H, W), at least 0; a mask is such weights.
            out: A buffer of the predictions' shape for the gradient.

        Raises:
            ShapeError: If shapes do not match exactly; nothing is broadcast.
            DataError: If targets or predictions are not of the right kind.
        """
        prediction = np.asarray(prediction)
        if prediction.dtype.kind != "f" or prediction.ndim < 2:
            raise ShapeError(
                f"{self}: expected floating predictions of shape (N, ...), got "
                f"{prediction.dtype} {prediction.shape}."
            )
        if not len(prediction):
            raise ShapeError(f"{self}: a batch needs at least one row, got {prediction.shape}.")
        self.check_prediction_shape(prediction.shape[1:], f"{self}")
        if out is not None and (out.shape, out.dtype) != (prediction.shape, prediction.dtype):
            raise ShapeError(
                f"{self}: expected out of shape {prediction.shape} and dtype {prediction.dtype}, "
                f"got {out.shape} {out.dtype}."
            )
        checked = self.check_target(target, prediction.shape)
        self.check_prediction(prediction)
        weight, total = check_weight(sample_weight, prediction.shape)
        return self.weighted(prediction, checked, weight, total, out)

    def weighted(
        self,
        prediction: Array,
        target: Array,
        weight: Array | None,
        total: float,
        out: Array | None = None,
    ) -> tuple[float, Array]:
        """The part of a batch's loss and gradient that these rows make up; checks nothing.

        Args:
            prediction: Rows of the model's output (n, ...).
            target: The same rows of the checked targets.
            weight: Their weights (n,), (n, T) or (n, H, W), or None for ones.
            total: Sum of the weights of the whole batch.
            out: A buffer for the gradient.
        """
        shape = prediction.shape
        if self.sample_axes(shape, weight) == 1:
            return self._mean(prediction, target, weight, total, out)
        samples = self.as_samples(prediction, target, weight)
        value, gradient = self._mean(*samples, self.total_weight(shape, weight, total), None)
        gradient = gradient.reshape(shape)
        return value, gradient if out is None else np.positive(gradient, out=out)

    def _mean(
        self,
        prediction: Array,
        target: Array,
        weight: Array | None,
        total: float,
        out: Array | None,
    ) -> tuple[float, Array]:
        """The sum of w l over samples, divided by `total`, and its gradient."""
        values, gradient = checked_per_sample(self, prediction, target)  # (n,), (n, ...)
        if weight is None:
            return float(values.sum()) / total, np.divide(gradient, total, out=out)
        share = (weight / total if total else weight).astype(gradient.dtype)  # (n,)
        rows = share.reshape(-1, *[1] * (gradient.ndim - 1))  # (n, 1, ...)
        weighted = np.multiply(gradient, rows, out=out)
        counts = share > 0
        if not counts.all():  # 0 times infinity would be NaN
            weighted[~counts] = 0
            values, share = values[counts], share[counts]
        return float(values @ share), weighted

    def sample_axes(self, shape: Shape, weight: Array | None) -> int:
        """How many axes of predictions number the samples: more than one where steps count singly.

        Args:
            shape: Shape of the predictions (N, ...).
            weight: Weights (N,), (N, T) or (N, H, W), or None.
        """
        if self.vector_a_sample or len(shape) == 3:
            return len(shape) - 1
        return 1 if weight is None else weight.ndim

    def total_weight(self, shape: Shape, weight: Array | None, total: float) -> float:
        """The sum of the samples' weights.

        Args:
            shape: Shape of the predictions (N, ...).
            weight: Weights (N,), (N, T) or (N, H, W), or None.
            total: The sum of `weight`, or the number of rows.
        """
        first = 1 if weight is None else weight.ndim
        return total * math.prod(shape[first : self.sample_axes(shape, weight)])

    def as_samples(
        self, prediction: Array, target: Array, weight: Array | None
    ) -> tuple[Array, Array, Array | None]:
        """Sequences (N, T, ...) as N T samples, with their targets and weights.

        Args:
            prediction: Predictions (N, T, ...), or pixels (N, H, W, ...).
            target: Checked targets.
            weight: Weights (N,), (N, T) or (N, H, W), or None.
        """
        axes = self.sample_axes(prediction.shape, weight)
        steps = prediction.shape[:axes]
        if weight is not None:
            weight = weight.reshape(weight.shape + (1,) * (axes - weight.ndim))
            weight = np.broadcast_to(weight, steps).ravel()
        p = prediction.reshape(-1, *prediction.shape[axes:])
        return p, target.reshape(-1, *target.shape[axes:]), weight

    def class_labels(self, target: Array, shape: Shape) -> Array:
        """The class of each sample (N,), step (N, T) or pixel (N, H, W), for weights of classes.

        Args:
            target: Checked targets.
            shape: Shape of the predictions (N, ...).

        Raises:
            ArgumentError: If samples have no class, or several.
        """
        samples = shape[:-1]
        labels = self.true_labels(target.reshape(-1, *target.shape[len(samples) :]))
        if labels.ndim != 1 or labels.dtype.kind not in "iu":
            raise ArgumentError(
                f"class_weight: needs one class a sample, and targets of shape {target.shape} for "
                f"{self} have none or several. Give sample_weight instead, a number for each "
                "sample."
            )
        return labels.reshape(samples)

    def __repr__(self) -> str:
        return call_text(self)

    def __call__(self, prediction: Array, target: ArrayLike) -> float:
        """The mean loss alone."""
        return self.value_and_grad(prediction, target)[0]

    def _copy(self, **changes: object) -> Self:
        twin = object.__new__(type(self))
        vars(twin).update(vars(self) | changes)
        return twin
