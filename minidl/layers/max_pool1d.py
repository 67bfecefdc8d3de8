"""The largest step of each window of a sequence."""

from __future__ import annotations

import numpy as np

from minidl.layers.max_pooling import max_backward, max_forward
from minidl.layers.pooling import WindowPooling, check_sequences, windows_over
from minidl.typing import Array, Shape


class MaxPool1D(WindowPooling):
    r"""Maximum over windows of a sequence, channel by channel.

    With windows of K steps and stride s

    $$y_{nic} = \max_{k < K} x_{n,\ si + k,\ c}$$

    Backward: a window's gradient goes to the step that was its largest, and if several were, to
    the first of them. `MaxPool2D` is the same for images, and says more about paddings and NaN.

    Shortens a sequence between convolutions over time. Masks end here: a window may hold steps that
    count and others that do not.

    Shapes:
        x `(N, T, C)`, y `(N, T', C)`; T may be open. With the default size and stride T' is T // 2.

    Args:
        pool_size: Steps in a window.
        stride: Steps from one window to the next; by default `pool_size`.
        padding: "valid" or "same".

    Raises:
        ArgumentError: If sizes are not whole numbers above 0, or `padding` is another word.
        ShapeError: At `build`, if samples are not sequences; and if a window does not fit them.

    Example:
        >>> import numpy as np, minidl as dl
        >>> dl.MaxPool1D(2).build((4, 1))(np.array([[[1.0], [4.0], [3.0], [2.0]]])).ravel()
        array([4., 3.], dtype=float32)

    References:
        A. Waibel et al., Phoneme recognition using time-delay neural networks, IEEE Transactions
        on Acoustics, Speech, and Signal Processing 37, 1989.
    """

    ends_mask = True
    _axes = 1

    def output_shape(self, input_shape: Shape) -> Shape:
        check_sequences(self.where, input_shape)
        return (*self._pooling.counts(self.where, input_shape[:-1]), input_shape[-1])

    def forward(self, x: Array, *, training: bool = False, out: Array | None = None) -> Array:
        n, t, c = x.shape
        if self.input_shape[0] is None:
            self.output_shape((t, c))  # says so where a sequence is shorter than a window
        windows = windows_over(self._pooling, (t,))
        y = np.empty((n, *windows.shape, c), x.dtype) if out is None else out
        winners = max_forward(x, windows, y, training)
        if training:
            self.save_for_backward(windows, winners, x.shape)
        return y

    def backward(
        self, dy: Array, *, input_grad: bool = True, out: Array | None = None
    ) -> Array | None:
        windows, winners, shape = self.saved()
        if not input_grad:
            return None
        dx = np.empty(shape, dy.dtype) if out is None else out
        return max_backward(dy, windows, winners, dx)
