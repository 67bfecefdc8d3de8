"""A recurrent layer in both directions of time."""

from __future__ import annotations

import copy

import numpy as np

from minidl.buffers import batch_empty
from minidl.containers.chain import chains_of
from minidl.errors import ArgumentTypeError
from minidl.layers.base import Layer
from minidl.layers.planning import checked_output_shape
from minidl.layers.recurrent import Recurrent
from minidl.typing import Array, Shape


class Bidirectional(Layer):
    r"""Two recurrent layers, one that reads forwards and one that reads backwards.

    $y = [f(x), R\,b(R x)]$ on the last axis, where R turns the order of steps round: with
    `return_sequences` both halves of $y_t$ belong to step t. Backward: $dx$ is the sum of what the
    two return, each in its own direction. The backward layer b is a copy of f with initial values
    of its own.

    For tasks in which the whole sequence is known before the answer is due: each step sees what
    comes before it and what comes after. Padding, marked by a mask, may be on either side.

    Shapes:
        x `(N, T, D)`, mask `(N, T)`, y `(N, 2 M)`, or `(N, T, 2 M)` with `return_sequences`.

    Args:
        layer: The layer f: `LSTM`, `GRU` or `SimpleRNN`.

    Attributes:
        layer: f.
        backward_layer: b.

    Raises:
        ArgumentTypeError: If `layer` is not a recurrent layer.

    Example:
        >>> import numpy as np, minidl as dl
        >>> model = dl.Bidirectional(dl.LSTM(4)).build((None, 3), rng=0)
        >>> model.predict(np.zeros((2, 5, 3))).shape
        (2, 8)

    References:
        M. Schuster, K. Paliwal, Bidirectional recurrent neural networks, IEEE Transactions on
        Signal Processing 45, 1997.
    """

    accepts_mask = True

    def __init__(self, layer: Recurrent) -> None:
        if not isinstance(layer, Recurrent):
            raise ArgumentTypeError(
                "Bidirectional: layer must be a recurrent layer, such as LSTM(units), got "
                f"{layer!r}."
            )
        self.layer = layer
        self.backward_layer = copy.deepcopy(layer)
        self.children = [self.layer, self.backward_layer]

    def output_shape(self, input_shape: Shape) -> Shape:
        *steps, m = checked_output_shape(self.layer, input_shape)
        return (*steps, 2 * m)

    def forward(
        self,
        x: Array,
        *,
        training: bool = False,
        out: Array | None = None,
        mask: Array | None = None,
    ) -> Array:
        if training:
            self.save_for_backward()
        if out is None:
            out = batch_empty(len(x), self.output_shape_of(x), self.dtype)
        inputs = (x, mask), (x[:, ::-1], None if mask is None else mask[:, ::-1])
        for chain, (steps, counted), part in zip(
            chains_of(self), inputs, self._parts(out), strict=True
        ):
            run = chain.forward if training else chain.infer
            run(steps, part, counted)  # recurrent layers fill the buffer that they are given
        return out

    def backward(
        self, dy: Array, *, input_grad: bool = True, out: Array | None = None
    ) -> Array | None:
        self.saved()
        ahead, back = (
            chain.backward(part, input_grad)
            for chain, part in zip(chains_of(self), self._parts(dy), strict=True)
        )
        if ahead is None or back is None:
            return None
        return np.add(ahead, back[:, ::-1], out=out)

    def _parts(self, y: Array) -> tuple[Array, Array]:
        """The halves of the output that belong to the two layers, each in its own direction."""
        m = self.layer.units
        ahead, back = y[..., :m], y[..., m:]
        return ahead, back[:, ::-1] if self.layer.return_sequences else back
