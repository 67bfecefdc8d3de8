"""The convolution of sequences."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np

from minidl.arguments import flag, whole_number
from minidl.initializers import HeNormal, Initializer, Zeros
from minidl.layers.convolution import Convolution, Length
from minidl.layers.step_windows import add_columns, by_groups, columns, stretches
from minidl.layers.window_options import Padding
from minidl.parameters import ParameterSpec
from minidl.regularization import Constraint, Penalty
from minidl.typing import Array, Shape


class Conv1D(Convolution):
    r"""Convolution of sequences: every output step is a dense layer of the window around it.

    With kernels W that slide along time in steps of $s$, their own steps $d$ apart,

    $$y_{ntf} = b_f + \sum_{k, c} x_{n,\; s t + d k,\; c} \, W_{kcf},$$

    where x is 0 in the padding. As in all frameworks this is a cross-correlation: the kernel is
    not flipped. Backward:

    $$dW_{kcf} = \sum_{n, t} x_{n,\; s t + d k,\; c} \, dy_{ntf}, \qquad
    db_f = \sum_{n, t} dy_{ntf},$$

    and dx adds up $W_{kcf}\, dy_{ntf}$ at the steps $s t + d k$.

    For signals and short patterns in text. With "causal" padding no output sees a later step;
    layers of dilation 1, 2, 4, ... then look far back at little cost.

    Cost: $2 N T' K F C / \text{groups}$ operations forward, twice that backward.
    Windows are written out for some samples or steps at a time, some MiB whatever the batch.

    Shapes:
        x `(N, T, C)`, y `(N, T', F)` with F = `filters` and
        T' = (T + padding - dilation (K - 1) - 1) // stride + 1. T may be open.

    Args:
        filters: Number of kernels F.
        kernel_size: Steps of a kernel.
        stride: Steps between windows.
        padding: "valid" for none; "same" for as many zeros as make T' = T / stride, rounded up, an
            odd one at the end; "causal" for dilation (K - 1) zeros in front; or how many zeros, as
            a number for both ends or as ((front, end),).
        dilation: Steps between the elements of a window.
        groups: Parts that channels and filters are cut into; a filter sees those of its own part.
        use_bias: Whether to add the bias b.
        weight_initializer: Initial values of W, with `fan_in` = K C / groups; He's suit a ReLU.
        bias_initializer: Initial values of b.
        weight_penalty: What is added to the loss for W, such as `L2(1e-4)`.
        weight_constraint: What holds W after every step, such as `MaxNorm(2.0)`.

    Attributes:
        weight: W `(K, C / groups, F)`.
        bias: b `(F,)`.

    Raises:
        ArgumentError: If an argument is not of the form above, or groups do not divide the filters.
        ShapeError: If samples are not sequences, groups do not divide the channels, or the window
            does not fit.

    Example:
        >>> import numpy as np, minidl as dl
        >>> layer = dl.Conv1D(1, 2, padding="causal").build((None, 1), rng=0)
        >>> layer.weight = [[[-1]], [[1]]]  # what has changed since the last step
        >>> layer(np.reshape([1.0, 2.0, 4.0, 8.0], (1, 4, 1))).ravel()
        array([1., 1., 2., 4.], dtype=float32)

    References:
        A. Waibel and others, Phoneme recognition using time-delay neural networks, IEEE
        Transactions on Acoustics, Speech, and Signal Processing 37, 1989. A. van den Oord and
        others, WaveNet: a generative model for raw audio, arXiv:1609.03499.
    """

    _axes = 1

    def __init__(
        self,
        filters: int,
        kernel_size: Length,
        *,
        stride: Length = 1,
        padding: Padding | Literal["causal"] = "valid",
        dilation: Length = 1,
        groups: int = 1,
        use_bias: bool = True,
        weight_initializer: Initializer = HeNormal(),  # noqa: B008 (frozen, so it can be shared)
        bias_initializer: Initializer = Zeros(),  # noqa: B008
        weight_penalty: Penalty | None = None,
        weight_constraint: Constraint | None = None,
    ) -> None:
        self.filters = whole_number("Conv1D", "filters", filters)
        self.use_bias = flag("Conv1D", "use_bias", use_bias)
        self.weight_initializer = weight_initializer
        self.bias_initializer = bias_initializer
        self.weight_penalty, self.weight_constraint = weight_penalty, weight_constraint
        self._keep_windows(kernel_size, stride, padding, dilation, groups)

    def output_shape(self, input_shape: Shape) -> Shape:
        fix = "Add Reshape((-1, 1)) before it." if len(input_shape) == 1 else "See Reshape."
        self._check_channels(input_shape, ("T", "C"), fix)
        t = input_shape[0]
        return (None if t is None else self.geometry.count(self.where, 0, t), self.filters)

    def parameter_specs(self, input_shape: Shape) -> Sequence[ParameterSpec]:
        (k,), c, f = self.geometry.kernel, input_shape[1] // self.groups, self.filters
        return self._specs((k, c, f), k * c, k * f // self.groups)

    def forward(self, x: Array, *, training: bool = False, out: Array | None = None) -> Array:
        at, matrices = self.geometry, by_groups(self.weight, self.groups)
        steps, _ = self.output_shape_of(x)
        y = np.empty((len(x), steps, self.filters), x.dtype) if out is None else out
        for samples, times in stretches(x, steps, at):
            target = y[samples, times]
            z = columns(x[samples], times, at) @ matrices  # (G, M, K) @ (G, K, F / G)
            target[...] = z.swapaxes(0, 1).reshape(target.shape)
            if self.use_bias:
                target += self.bias
        if training:
            self.save_for_backward(x)
        return y

    def backward(
        self, dy: Array, *, input_grad: bool = True, out: Array | None = None
    ) -> Array | None:
        (x,) = self.saved()
        at, matrices = self.geometry, by_groups(self.weight, self.groups)
        gradient = by_groups(self.gradients["weight"], self.groups)
        gradient[...] = 0
        if self.use_bias:
            dy.sum(axis=(0, 1), out=self.gradients["bias"])
        dx = None
        if input_grad:
            dx = np.empty_like(x) if out is None else out
            dx[...] = 0
        for samples, times in stretches(x, dy.shape[1], at):
            dz = by_groups(dy[samples, times], self.groups)  # (G, M, F / G)
            gradient += columns(x[samples], times, at).mT @ dz  # (G, K, M) @ (G, M, F / G)
            if dx is not None:
                windows = dz @ matrices.mT  # (G, M, F / G) @ (G, F / G, K) -> (G, M, K)
                add_columns(windows, dx[samples], times, at)
        return dx
