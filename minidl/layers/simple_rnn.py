"""The simple recurrent layer."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from minidl.initializers import Zeros
from minidl.layers.recurrent import Recurrent
from minidl.parameters import ParameterSpec
from minidl.typing import Array, Shape


class SimpleRNN(Recurrent):
    r"""Recurrent layer with one tanh, $h_t = \tanh(x_t W + h_{t-1} U + b)$, from $h_0 = 0$.

    Backward walks back in time. With $dh_t$ the gradient at $h_t$ from the output and from the
    steps behind,

    $$da_t = dh_t \odot (1 - h_t^2), \quad dh_{t-1} \mathrel{+}= da_t U^T, \quad dx_t = da_t W^T,$$

    $$dW = \sum_t x_t^T da_t, \qquad dU = \sum_t h_{t-1}^T da_t, \qquad db = \sum_t \sum_n da_t .$$

    The gradient is multiplied by U at every step and so fades, or grows, with the distance: for
    sequences of more than some ten steps take `LSTM` or `GRU`.

    A step with `mask` False leaves the state as it was, and its input gets no gradient.

    Shapes:
        x `(N, T, D)`, mask `(N, T)`, y `(N, M)` with M = `units`, or `(N, T, M)`; T may be left
        open: `build((None, D))`.

    Args:
        units: Length M of the state.
        return_sequences: Whether y is the state after every step; otherwise that after the last.
        weight_penalty: What is added to the loss for W and U, such as `L2(1e-4)`.
        weight_constraint: What holds W and U after every step, such as `MaxNorm(2.0)`.

    Attributes:
        weight: W `(D, M)`, Glorot's uniform values at first.
        recurrent_weight: U `(M, M)`, orthogonal at first.
        bias: b `(M,)`, zeros at first.

    Raises:
        ArgumentError: If `units` is not a whole number above 0.
        ShapeError: At `build`, if samples are not sequences of vectors.

    Example:
        >>> import numpy as np, minidl as dl
        >>> layer = dl.SimpleRNN(1).build((None, 1), rng=0)
        >>> layer.weight, layer.recurrent_weight = [[1.0]], [[0.5]]
        >>> h = np.tanh(0.5 * np.tanh(1.0) + 2.0)
        >>> bool(np.isclose(layer(np.array([[[1.0], [2.0]]])), h).all())
        True

    References:
        J. Elman, Finding structure in time, Cognitive Science 14, 1990.
    """

    def parameter_specs(self, input_shape: Shape) -> Sequence[ParameterSpec]:
        return self.gate_specs(input_shape[1], 1, Zeros())

    def step(self, a: Array, old: Array, new: Array) -> None:
        np.tanh(a, out=new)

    def step_back(self, a: Array, old: Array, new: Array, ds: Array) -> None:
        np.multiply(ds, 1.0 - new * new, out=a)
        ds[...] = 0.0  # the old state acts through the sums alone
