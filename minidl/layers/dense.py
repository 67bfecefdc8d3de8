"""The dense layer, an affine map of every row."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from minidl.arguments import flag, whole_number
from minidl.errors import ShapeError
from minidl.initializers import HeNormal, Initializer, Zeros
from minidl.layers.base import Layer
from minidl.layers.checks import batch_shape
from minidl.parameters import ParameterSpec
from minidl.products import NARROW, as_rows, matmul, rows_times
from minidl.regularization import Constraint, Penalty
from minidl.typing import Array, Shape


class Dense(Layer):
    r"""Fully connected layer, $y = x W + b$.

    Every output is a weighted sum of all inputs, and a constant. With $dy$ the loss's gradient at
    the output, the chain rule gives

    $$dW = x^T dy, \qquad db = \sum_n dy_n, \qquad dx = dy\, W^T .$$

    Cost: $2 N D M$ floating-point operations forward, twice that backward.

    Shapes:
        x `(N, D)`, y `(N, M)` with M = `units`. Of sequences `(N, T, D)` every step is a row of its
        own, y `(N, T, M)`. Images need `Flatten` before. x may be sparse rows, a CSR array of
        scipy.sparse.

    Args:
        units: Number of outputs M.
        use_bias: Whether to add the bias b.
        weight_initializer: Initial values of W; He's suit a ReLU behind it.
        bias_initializer: Initial values of b.
        weight_penalty: What is added to the loss for W, such as `L2(1e-4)`.
        weight_constraint: What holds W after every step, such as `MaxNorm(2.0)`.

    Attributes:
        weight: W `(D, M)`.
        bias: b `(M,)`.

    Raises:
        ArgumentError: If `units` is not a whole number above 0.
        ShapeError: At `build`, if samples are neither vectors nor sequences of vectors.

    Example:
        >>> import numpy as np, minidl as dl
        >>> layer = dl.Dense(3).build((2,), rng=0)
        >>> layer.weight = [[1, 2, 3], [4, 5, 6]]
        >>> layer(np.array([[1.0, 1.0]]))
        array([[5., 7., 9.]], dtype=float32)

    References:
        D. Rumelhart, G. Hinton, R. Williams, Learning representations by back-propagating errors,
        Nature 323, 1986.
    """

    accepts_sparse = True
    weight: Array
    bias: Array

    def __init__(
        self,
        units: int,
        *,
        use_bias: bool = True,
        weight_initializer: Initializer = HeNormal(),  # noqa: B008 (frozen, so it can be shared)
        bias_initializer: Initializer = Zeros(),  # noqa: B008
        weight_penalty: Penalty | None = None,
        weight_constraint: Constraint | None = None,
    ) -> None:
        self.units = whole_number("Dense", "units", units)
        self.use_bias = flag("Dense", "use_bias", use_bias)
        self.weight_initializer = weight_initializer
        self.bias_initializer = bias_initializer
        self.weight_penalty, self.weight_constraint = weight_penalty, weight_constraint

    def output_shape(self, input_shape: Shape) -> Shape:
        if len(input_shape) not in (1, 2) or input_shape[-1] is None:
            raise ShapeError(
                f"{self.where}: expected input of shape (N, D), or (N, T, D) for sequences, got "
                f"{batch_shape(input_shape)}. Add Flatten() before it."
            )
        return (*input_shape[:-1], self.units)

    def parameter_specs(self, input_shape: Shape) -> Sequence[ParameterSpec]:
        d, m = input_shape[-1], self.units
        w = ParameterSpec(
            "weight",
            (d, m),
            self.weight_initializer,
            fan_in=d,
            fan_out=m,
            order="F" if m < NARROW else "C",  # a third off the products with ten columns
            penalty=self.weight_penalty,
            constraint=self.weight_constraint,
        )
        b = ParameterSpec("bias", (m,), self.bias_initializer, fan_in=d, fan_out=m, decay=False)
        return [w, b] if self.use_bias else [w]

    def forward(self, x: Array, *, training: bool = False, out: Array | None = None) -> Array:
        y = rows_times(x, self.weight, out)  # (N, D) @ (D, M) -> (N, M)
        if self.use_bias:
            y += self.bias  # (N, M) + (M,)
        if training:
            self.save_for_backward(x)
        return y

    def backward(
        self, dy: Array, *, input_grad: bool = True, out: Array | None = None
    ) -> Array | None:
        (x,) = self.saved()
        dy_rows = as_rows(dy)
        matmul(as_rows(x).T, dy_rows, self.gradients["weight"])  # (D, N) @ (N, M) -> (D, M)
        if self.use_bias:
            dy_rows.sum(axis=0, out=self.gradients["bias"])  # (N, M) -> (M,)
        if not input_grad:
            return None
        if isinstance(x, np.ndarray) and x.ndim == 2 and x.strides[0] < x.strides[1]:
            # (D, M) @ (M, N): x lies feature by feature, as Flatten leaves images, and takes its
            # gradient back in that order at half the cost
            dx: Array = np.matmul(self.weight, dy.T).T
            return dx
        return rows_times(dy, self.weight.T, out)  # (N, M) @ (M, D) -> (N, D)
