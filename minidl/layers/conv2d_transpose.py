"""The transposed convolution of images."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from minidl.arguments import flag, whole_number
from minidl.buffers import batch_empty
from minidl.errors import ShapeError
from minidl.initializers import HeNormal, Initializer, Zeros
from minidl.layers.checks import batch_shape
from minidl.layers.convolution import Convolution, Length
from minidl.layers.correlation import correlate, spread, weight_gradient
from minidl.layers.window_options import Padding
from minidl.parameters import ParameterSpec
from minidl.regularization import Constraint, Penalty
from minidl.typing import Array, Shape


class Conv2DTranspose(Convolution):
    r"""Transposed convolution of images: `Conv2D`'s gradient as a layer, which makes images larger.

    Every input pixel puts its own multiple of the kernel into the output; with stride $s$

    $$y_{n,\; s h + i,\; s w + j,\; f} = b_f + \sum x_{nhwc} \, W_{ijfc},$$

    summed over all $h, w, i, j, c$ that meet there. It is the adjoint of a `Conv2D` with the same
    kernel from y's channels to x's, so that backward is that layer's forward:

    $$dx_{nhwc} = \sum_{i, j, f} dy_{n,\; s h + i,\; s w + j,\; f} \, W_{ijfc}, \qquad
    dW_{ijfc} = \sum_{n, h, w} dy_{n,\; s h + i,\; s w + j,\; f} \, x_{nhwc}.$$

    For the way back from small feature maps to images, in decoders and generators. Kernels whose
    size is a multiple of the stride cover all pixels alike; others leave a checkered pattern.

    Shapes:
        x `(N, H, W, C)`, y `(N, H', W', F)` with F = `filters`; H' = (H - 1) stride + KH for
        "valid", H stride for "same", (H - 1) stride + KH - top - bottom for pairs; W' likewise.

    Args:
        filters: Number of output channels F.
        kernel_size: Height and width of the kernels, one number where they are equal.
        stride: Output pixels between neighbouring input pixels, downwards and to the right.
        padding: "valid", "same", or how many pixels to cut off, ((top, bottom), (left, right)), one
            number where all are equal.
        use_bias: Whether to add the bias b.
        weight_initializer: Initial values of W, with `fan_in` = KH KW C / (stride in both axes
            multiplied), the number of terms of a sum away from the edges, rounded up.
        bias_initializer: Initial values of b.
        weight_penalty: What is added to the loss for W, such as `L2(1e-4)`.
        weight_constraint: What holds W after every step, such as `MaxNorm(2.0)`.

    Attributes:
        weight: W `(KH, KW, F, C)`, as in Keras.
        bias: b `(F,)`.

    Raises:
        ArgumentError: If an argument is not of the form above.
        ShapeError: At `build`, if samples are not images or nothing of the output is left.

    Example:
        >>> import numpy as np, minidl as dl
        >>> layer = dl.Conv2DTranspose(1, (1, 3), stride=(1, 2)).build((1, 3, 1), rng=0)
        >>> layer.weight = np.reshape([0.5, 1, 0.5], (1, 3, 1, 1))  # linear interpolation
        >>> layer(np.reshape([2.0, 4.0, 8.0], (1, 1, 3, 1))).ravel()
        array([1., 2., 3., 4., 6., 8., 4.], dtype=float32)

    References:
        M. Zeiler, D. Krishnan, G. Taylor, R. Fergus, Deconvolutional networks, CVPR 2010.
        A. Odena, V. Dumoulin, C. Olah, Deconvolution and checkerboard artifacts, Distill, 2016.
    """

    def __init__(
        self,
        filters: int,
        kernel_size: Length,
        *,
        stride: Length = 1,
        padding: Padding = "valid",
        use_bias: bool = True,
        weight_initializer: Initializer = HeNormal(),  # noqa: B008 (frozen, so it can be shared)
        bias_initializer: Initializer = Zeros(),  # noqa: B008
        weight_penalty: Penalty | None = None,
        weight_constraint: Constraint | None = None,
    ) -> None:
        self.filters = whole_number("Conv2DTranspose", "filters", filters)
        self.use_bias = flag("Conv2DTranspose", "use_bias", use_bias)
        self.weight_initializer = weight_initializer
        self.bias_initializer = bias_initializer
        self.weight_penalty, self.weight_constraint = weight_penalty, weight_constraint
        self._keep_windows(kernel_size, stride, padding)

    def output_shape(self, input_shape: Shape) -> Shape:
        self._check_images(input_shape)
        h, w = (self._output_length(axis, input_shape[axis]) for axis in (0, 1))
        if min(h, w) < 1:
            raise ShapeError(
                f"{self.where}: padding={self.padding} leaves nothing of the output for input of "
                f"shape {batch_shape(input_shape)}. Use less padding."
            )
        return (h, w, self.filters)

    def _output_length(self, axis: int, length: int) -> int:
        kernel, stride = self.geometry.kernel[axis], self.geometry.stride[axis]
        if self.geometry.padding == "same":
            return length * stride
        return (length - 1) * stride + kernel - sum(self.geometry.pads(axis, length))

    def parameter_specs(self, input_shape: Shape) -> Sequence[ParameterSpec]:
        (kh, kw), (sh, sw) = self.geometry.kernel, self.geometry.stride
        c, f = input_shape[2], self.filters
        return self._specs((kh, kw, f, c), -(-kh * kw * c // (sh * sw)), kh * kw * f, unit_axis=2)

    def forward(self, x: Array, *, training: bool = False, out: Array | None = None) -> Array:
        y = batch_empty(len(x), self.bound.output_shape, x.dtype) if out is None else out
        block = np.ascontiguousarray(x.transpose(3, 1, 2, 0))  # (N, H, W, C) -> (C, H, W, N)
        spread(block, self.weight, y.transpose(3, 1, 2, 0), self.geometry)
        if self.use_bias:
            y += self.bias
        if training:
            self.save_for_backward(block)
        return y

    def backward(
        self, dy: Array, *, input_grad: bool = True, out: Array | None = None
    ) -> Array | None:
        (x,) = self.saved()
        dz = np.ascontiguousarray(dy.transpose(3, 1, 2, 0))  # (N, H', W', F) -> (F, H', W', N)
        weight_gradient(dz, x, self.gradients["weight"], self.geometry)
        if self.use_bias:
            dz.sum(axis=(1, 2, 3), out=self.gradients["bias"])
        if not input_grad:
            return None
        dx = batch_empty(len(dy), self.bound.input_shape, dy.dtype) if out is None else out
        correlate(dz, self.weight, None, dx.transpose(3, 1, 2, 0), self.geometry)
        return dx
