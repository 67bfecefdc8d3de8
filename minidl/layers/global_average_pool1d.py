"""The mean of a sequence, over the steps that count."""

from __future__ import annotations

import numpy as np

from minidl.layers.base import Layer
from minidl.layers.pooling import check_sequences
from minidl.typing import Array, Shape


class GlobalAveragePool1D(Layer):
    r"""Mean over the steps of a sequence, channel by channel.

    With the mask $m_{nt}$, 1 where a step counts and 0 elsewhere (1 everywhere without a mask),

    $$y_{nc} = \sum_t v_{nt}\, x_{ntc}, \qquad v_{nt} = \frac{m_{nt}}{\sum_s m_{ns}}, \qquad
    dx_{ntc} = v_{nt}\, dy_{nc}$$

    A sequence of which no step counts gives 0. In front of a dense layer it turns a sequence of any
    length into one vector, the simplest reader of a text there is.

    Shapes:
        x `(N, T, C)`, mask `(N, T)`, y `(N, C)`; T may be open.

    Raises:
        ShapeError: At `build`, if samples are not sequences.

    Example:
        >>> import numpy as np, minidl as dl
        >>> x = np.array([[[1.0], [2.0], [9.0]]], np.float32)
        >>> layer = dl.GlobalAveragePool1D().build((None, 1))
        >>> layer.forward(x, mask=np.array([[True, True, False]]))
        array([[1.5]], dtype=float32)

    References:
        M. Iyyer, V. Manjunatha, J. Boyd-Graber, H. Daumé III, Deep unordered composition rivals
        syntactic methods for text classification, ACL 2015.
    """

    accepts_mask = True

    def output_shape(self, input_shape: Shape) -> Shape:
        check_sequences(self.where, input_shape)
        return input_shape[1:]

    def forward(
        self,
        x: Array,
        *,
        training: bool = False,
        out: Array | None = None,
        mask: Array | None = None,
    ) -> Array:
        counted = np.ones(x.shape[:2], x.dtype) if mask is None else mask.astype(x.dtype)
        steps = counted.sum(axis=1, keepdims=True)
        weights = counted / np.maximum(steps, 1)  # (N, T) / (N, 1); no step gives 0 / 1
        y = np.einsum("nt,ntc->nc", weights, x, out=out)
        if training:
            self.save_for_backward(weights)
        return y

    def backward(
        self, dy: Array, *, input_grad: bool = True, out: Array | None = None
    ) -> Array | None:
        (weights,) = self.saved()
        if not input_grad:
            return None
        dx: Array = np.multiply(weights[:, :, np.newaxis], dy[:, np.newaxis], out=out)
        return dx  # (N, T, 1) * (N, 1, C) -> (N, T, C)
