"""The convolution of images."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from minidl.arguments import flag, whole_number
from minidl.buffers import batch_empty
from minidl.initializers import HeNormal, Initializer, Zeros
from minidl.layers.convolution import Convolution, Length
from minidl.layers.correlation import correlate, spread, weight_gradient
from minidl.layers.window_options import Padding
from minidl.parameters import ParameterSpec
from minidl.regularization import Constraint, Penalty
from minidl.typing import Array, Shape


class Conv2D(Convolution):
    r"""Convolution of images: every output pixel is a dense layer of the window under it.

    With kernels W that slide over the image in steps of $s$, their pixels $d$ apart,

    $$y_{nhwf} = b_f + \sum_{i, j, c} x_{n,\; s h + d i,\; s w + d j,\; c} \, W_{ijcf},$$

    where x is 0 in the padding. As in all frameworks this is a cross-correlation: the kernel is
    not flipped. Backward, each $dy_{nhwf}$ goes back through its window:

    $$dW_{ijcf} = \sum_{n, h, w} x_{n,\; s h + d i,\; s w + d j,\; c} \, dy_{nhwf}, \qquad
    db_f = \sum_{n, h, w} dy_{nhwf},$$

    and dx adds up $W_{ijcf}\, dy_{nhwf}$ at the pixels $(s h + d i, s w + d j, c)$.

    The layer for images: the same few weights look at every place, so that what is learned in one
    corner is known in all. Stacks of 3 x 3 kernels with a growing number of filters are usual, and
    a pooling layer or `stride=2` where the image is to become smaller. `groups` equal to the number
    of channels is a depthwise convolution.

    Cost: $2 N H' W' K F$ operations forward with K = KH KW C / groups, twice that backward.
    Windows are written out a few rows at a time, some MiB whatever the batch. Images that do not
    lie batch-innermost in memory are copied once.

    Shapes:
        x `(N, H, W, C)`, y `(N, H', W', F)` with F = `filters` and
        H' = (H + padding - dilation (KH - 1) - 1) // stride + 1, W' likewise.

    Args:
        filters: Number of kernels F.
        kernel_size: Height and width of the kernels, one number where they are equal.
        stride: Steps between windows, downwards and to the right.
        padding: "valid" for none; "same" for as many zeros as make H' = H / stride, rounded up, an
            odd one at the bottom and right; or zeros in pairs ((top, bottom), (left, right)), one
            number where all are equal.
        dilation: Steps between the pixels of a window.
        groups: Parts that channels and filters are cut into; a filter sees those of its own part.
        use_bias: Whether to add the bias b.
        weight_initializer: Initial values of W, with `fan_in` = KH KW C / groups; He's suit a ReLU.
        bias_initializer: Initial values of b.
        weight_penalty: What is added to the loss for W, such as `L2(1e-4)`.
        weight_constraint: What holds W after every step, such as `MaxNorm(2.0)`.

    Attributes:
        weight: W `(KH, KW, C / groups, F)`.
        bias: b `(F,)`.

    Raises:
        ArgumentError: If an argument is not of the form above, or groups do not divide the filters.
        ShapeError: At `build`, if samples are not images, groups do not divide the channels, or the
            window does not fit.

    Example:
        >>> import numpy as np, minidl as dl
        >>> layer = dl.Conv2D(1, (1, 2)).build((1, 4, 1), rng=0)
        >>> layer.weight = np.reshape([-1, 1], (1, 2, 1, 1))  # differences of neighbours
        >>> layer(np.reshape([1.0, 2.0, 4.0, 8.0], (1, 1, 4, 1))).ravel()
        array([1., 2., 4.], dtype=float32)

    References:
        Y. LeCun and others, Backpropagation applied to handwritten zip code recognition, Neural
        Computation 1, 1989. V. Dumoulin, F. Visin, A guide to convolution arithmetic for deep
        learning, arXiv:1603.07285. M. Cho, D. Brand, MEC: memory-efficient convolution for deep
        neural networks, ICML 2017, from which the way windows are written out is taken.
    """

    def __init__(
        self,
        filters: int,
        kernel_size: Length,
        *,
        stride: Length = 1,
        padding: Padding = "valid",
        dilation: Length = 1,
        groups: int = 1,
        use_bias: bool = True,
        weight_initializer: Initializer = HeNormal(),  # noqa: B008 (frozen, so it can be shared)
        bias_initializer: Initializer = Zeros(),  # noqa: B008
        weight_penalty: Penalty | None = None,
        weight_constraint: Constraint | None = None,
    ) -> None:
        self.filters = whole_number("Conv2D", "filters", filters)
        self.use_bias = flag("Conv2D", "use_bias", use_bias)
        self.weight_initializer = weight_initializer
        self.bias_initializer = bias_initializer
        self.weight_penalty, self.weight_constraint = weight_penalty, weight_constraint
        self._keep_windows(kernel_size, stride, padding, dilation, groups)

    def output_shape(self, input_shape: Shape) -> Shape:
        self._check_images(input_shape)
        h, w, _ = input_shape
        at = self.geometry
        return (at.count(self.where, 0, h), at.count(self.where, 1, w), self.filters)

    def parameter_specs(self, input_shape: Shape) -> Sequence[ParameterSpec]:
        kh, kw = self.geometry.kernel
        c, f = input_shape[2] // self.groups, self.filters
        return self._specs((kh, kw, c, f), kh * kw * c, kh * kw * f // self.groups)

    def forward(self, x: Array, *, training: bool = False, out: Array | None = None) -> Array:
        y = batch_empty(len(x), self.bound.output_shape, x.dtype) if out is None else out
        block = np.ascontiguousarray(x.transpose(3, 1, 2, 0))  # (N, H, W, C) -> (C, H, W, N)
        bias = self.bias if self.use_bias else None
        correlate(block, self.weight, bias, y.transpose(3, 1, 2, 0), self.geometry)
        if training:
            self.save_for_backward(block)
        return y

    def backward(
        self, dy: Array, *, input_grad: bool = True, out: Array | None = None
    ) -> Array | None:
        (x,) = self.saved()
        dz = np.ascontiguousarray(dy.transpose(3, 1, 2, 0))  # (N, H', W', F) -> (F, H', W', N)
        weight_gradient(x, dz, self.gradients["weight"], self.geometry)
        if self.use_bias:
            dz.sum(axis=(1, 2, 3), out=self.gradients["bias"])
        if not input_grad:
            return None
        dx = batch_empty(len(dy), self.bound.input_shape, dy.dtype) if out is None else out
        spread(dz, self.weight, dx.transpose(3, 1, 2, 0), self.geometry)
        return dx
