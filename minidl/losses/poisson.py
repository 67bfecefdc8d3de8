"""The Poisson loss, for counts."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from minidl.arguments import flag
from minidl.errors import DataError
from minidl.losses.base import Loss
from minidl.typing import Array, Shape


class Poisson(Loss):
    r"""The Poisson loss: negative log-likelihood of counts y under rates $\lambda$.

    With $l = \frac{1}{M} \sum_m l_m$, from the logarithm of the rate, $z = \ln \lambda$,

    $$l_m = e^{z_m} - y_m z_m, \qquad
      \frac{\partial l}{\partial z_m} = \tfrac{1}{M} (e^{z_m} - y_m),$$

    and from the rate itself

    $$l_m = \lambda_m - y_m \ln \lambda_m, \qquad
      \frac{\partial l}{\partial \lambda_m} = \tfrac{1}{M} (1 - y_m / \lambda_m),$$

    with rates floored at the dtype's epsilon in logarithm and quotient. The term $\ln y!$, which no
    parameter changes, is left out, so that the value may be below 0.

    For events counted in a time or a place: a model that ends in `Dense` goes with `Poisson()`,
    and `np.exp(model.predict(x))` are the rates; metrics get rates. One that ends in `Softplus`
    goes with `Poisson(log_input=False)`. A logarithm above 88 overflows float32, as its rate does.

    PyTorch's `PoissonNLLLoss` is the same, with 1e-8 added to rates in the logarithm; Keras's
    `Poisson` takes rates, and adds 1e-7.

    Shapes:
        prediction and target `(N, ...)`, exactly the same; targets at least 0, whole or not.

    Args:
        log_input: Whether predictions are logarithms of rates instead of rates.

    Raises:
        DataError: For targets or rates below 0.

    Example:
        >>> import numpy as np, minidl as dl
        >>> value, gradient = dl.Poisson().value_and_grad(np.array([[0.0], [0.0]]), [[1], [4]])
        >>> value, gradient.tolist()  # rates of 1
        (1.0, [[0.0], [-1.5]])
    """

    def __init__(self, *, log_input: bool = True) -> None:
        self.log_input = flag("Poisson", "log_input", log_input)

    def per_sample(self, prediction: Array, target: Array) -> tuple[Array, Array]:
        outputs = tuple(range(1, prediction.ndim))
        m = prediction[0].size
        y = target.astype(prediction.dtype, copy=False)
        if self.log_input:
            rate = np.exp(prediction)
            return (rate - y * prediction).mean(axis=outputs), (rate - y) / m
        floored = np.maximum(prediction, np.finfo(prediction.dtype).eps)
        values = prediction - y * np.log(floored)
        return values.mean(axis=outputs), (1 - y / floored) / m

    def check_target(self, target: ArrayLike, shape: Shape) -> Array:
        """Return the targets as an array of numbers of at least 0; raise otherwise."""
        array = super().check_target(target, shape)
        if array.size and array.min() < 0:
            row = int(np.argwhere(array == array.min())[0][0])
            raise DataError(
                f"{self}: targets are counts and must be at least 0, got {array.min()} in row "
                f"{row}. For numbers of both signs use MeanSquaredError()."
            )
        return array

    def check_prediction(self, prediction: Array) -> None:
        if not self.log_input and prediction.min() < 0:
            raise DataError(
                f"{self}: expected rates of at least 0, got {prediction.min():.4g}. Add "
                "Softplus() as the last layer, or use Poisson(), for which predictions are "
                "logarithms of rates."
            )

    def predicted_labels(self, prediction: Array) -> Array:
        """The rates."""
        return np.exp(prediction) if self.log_input else prediction
