"""The hinge loss, for classes separated by a margin."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from minidl.errors import DataError, ShapeError
from minidl.losses.base import Loss
from minidl.losses.labels import check_class_labels
from minidl.sparse import dense_array
from minidl.typing import Array, Shape


class Hinge(Loss):
    r"""The hinge loss of support vector machines: nothing to improve beyond a margin of 1.

    For a yes-or-no answer the model has one output z, and with targets $y = \pm 1$

    $$l = \max(0,\; 1 - y z), \qquad
      \frac{\partial l}{\partial z} = \begin{cases} -y & y z < 1 \\ 0 & y z \ge 1 . \end{cases}$$

    For one class k out of C it has C outputs, and the best of the other classes counts:

    $$l = \max(0,\; 1 + z_r - z_k), \quad r = \arg\max_{c \ne k} z_c, \qquad
      \frac{\partial l}{\partial z_r} = 1, \quad \frac{\partial l}{\partial z_k} = -1
      \quad \text{where } l > 0 .$$

    Outputs are scores, not probabilities: the model ends in `Dense`. With an L2 penalty on the
    weights of a single `Dense` this is a linear support vector machine.

    Both forms are scikit-learn's `hinge_loss`. Keras's `Hinge` is the first; its
    `CategoricalHinge` counts a rival's score below 0 as 0. PyTorch's `MultiMarginLoss` is another
    loss: the sum over all classes within the margin, divided by C.

    Shapes:
        prediction `(N, 1)` and target `(N, 1)`, of -1 and 1 or of 0 and 1; or prediction `(N, C)`
        and target `(N,)`, integer labels 0..C-1. For steps and pixels, `(N, ..., 1)` twice, or
        `(N, ..., C)` and `(N, ...)`. For metrics and class weights, -1 is class 0.

    Raises:
        DataError: For targets that are not two classes, and labels out of range.
        ShapeError: For rows, such as one-hot rows, in place of labels.

    Example:
        >>> import numpy as np, minidl as dl
        >>> dl.Hinge().value_and_grad(np.array([[0.5], [2.0]]), [[-1], [1]])
        (0.75, array([[0.5],
               [0. ]]))
        >>> dl.Hinge()(np.array([[3.0, 2.5, 0.0]]), [0])
        0.5

    References:
        K. Crammer, Y. Singer, On the algorithmic implementation of multiclass kernel-based vector
        machines, Journal of Machine Learning Research 2, 2001.
    """

    vector_a_sample = True

    def per_sample(self, prediction: Array, target: Array) -> tuple[Array, Array]:
        if prediction.shape[1] == 1:
            y = target.astype(prediction.dtype, copy=False)
            margin = y * prediction  # (N, 1)
            return np.maximum(0, 1 - margin)[:, 0], np.where(margin < 1, -y, 0)
        rows = np.arange(len(target))
        others = prediction.copy()
        others[rows, target] = -np.inf
        rival = others.argmax(axis=1)
        values = np.maximum(0, 1 + prediction[rows, rival] - prediction[rows, target])
        gradient = np.zeros_like(prediction)
        gradient[rows, rival] = values > 0
        gradient[rows, target] = -gradient[rows, rival]
        return values, gradient

    def check_target(self, target: ArrayLike, shape: Shape) -> Array:
        """Return -1 and 1 for one output, integer labels for several; raise otherwise."""
        if shape[-1] > 1:
            labels = dense_array(target, f"{self}: targets", "y")
            if labels.shape == shape:
                raise ShapeError(
                    f"{self}: expected integer labels of shape {shape[:-1]}, got rows {shape}. Of "
                    "one-hot rows take target.argmax(axis=-1); for several yes-or-no answers use "
                    "BinaryCrossEntropy."
                )
            return check_class_labels(labels, shape, f"{self}", or_rows=False)
        array = super().check_target(target, shape)
        found = set(np.unique(array).tolist())
        if not (found <= {-1, 1} or found <= {0, 1}):
            raise DataError(
                f"{self}: targets for one output must be -1 and 1, or 0 and 1, got values from "
                f"{array.min()} to {array.max()}. For more classes the last layer needs one output "
                "for each, and targets are labels of shape (N,)."
            )
        return np.where(array > 0, 1, -1)

    def predicted_labels(self, prediction: Array) -> Array:
        if prediction.shape[-1] == 1:
            return (prediction[..., 0] > 0).astype(np.int64)
        labels: Array = prediction.argmax(axis=-1)
        return labels

    def true_labels(self, target: Array) -> Array:
        return target if target.ndim == 1 else (target[..., 0] > 0).astype(np.int64)
