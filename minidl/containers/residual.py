"""A shortcut around layers."""

from __future__ import annotations

import numpy as np

from minidl.arguments import instance
from minidl.containers.chain import chains_of
from minidl.containers.masks import mask_of_branches
from minidl.errors import ShapeError
from minidl.layers.base import Layer
from minidl.layers.checks import batch_shape
from minidl.layers.planning import checked_output_shape
from minidl.typing import Array, Shape


class Residual(Layer):
    r"""Layers with a way around them, $y = f(x) + s(x)$; without a shortcut $s(x) = x$.

    Backward: $dx = \mathrm{backward}_f(dy) + \mathrm{backward}_s(dy)$; without a shortcut the
    second term is dy itself, so that a gradient reaches the layers in front undiminished however
    many such blocks stand in between. That is what makes very deep networks trainable. Where the
    body changes the shape, the shortcut has to change it alike: a `Conv2D(filters, 1, stride=2)`
    for images, a `Dense(units)` for vectors.

    Shapes:
        x `(N, ...)`, y of the body's output shape.

    Args:
        body: The layer f, usually a `Sequential`.
        shortcut: The layer s; None for the identity.

    Raises:
        ShapeError: At `build`, if the outputs of body and shortcut differ in shape.

    Example:
        >>> import numpy as np, minidl as dl
        >>> block = dl.Residual(dl.Sequential([dl.Dense(4), dl.ReLU(), dl.Dense(4)]))
        >>> block.build((4,), rng=0).predict(np.zeros((2, 4))).shape
        (2, 4)

    References:
        K. He, X. Zhang, S. Ren, J. Sun, Deep residual learning for image recognition, CVPR 2016.
    """

    def __init__(self, body: Layer, shortcut: Layer | None = None) -> None:
        self.body = instance("Residual", "body", body, Layer)
        self.shortcut = shortcut
        self.children = [body]
        if shortcut is not None:
            self.children.append(instance("Residual", "shortcut", shortcut, Layer))
            self.accepts_sparse = all(child.accepts_sparse for child in self.children)
        self.couples_rows = any(child.couples_rows for child in self.children)
        self.accepts_mask = any(child.accepts_mask for child in self.children)

    def output_shape(self, input_shape: Shape) -> Shape:
        body = checked_output_shape(self.body, input_shape)
        around = input_shape
        if self.shortcut is not None:
            around = checked_output_shape(self.shortcut, input_shape)
        if around != body:
            fix = ""
            if len(body) == len(around) == 3 and body[:2] != around[:2]:
                fix = ' In the body, padding="same" keeps height and width.'
            raise ShapeError(
                f"{self.where}: the body's output has the shape {batch_shape(body)}, the "
                f"shortcut's {batch_shape(around)}. Give a shortcut that changes shapes as the "
                f"body does, such as Dense(units) or Conv2D(filters, 1, stride=2).{fix}"
            )
        return body

    def compute_mask(self, x: Array) -> Array | None:
        return mask_of_branches([self.body], x)

    @property
    def makes_mask(self) -> bool:
        return self.body.makes_mask

    def forward(
        self,
        x: Array,
        *,
        training: bool = False,
        out: Array | None = None,
        mask: Array | None = None,
    ) -> Array:
        self.output_shape_of(x)  # where the time axis is open, whether the two agree shows only now
        body, *shortcut = chains_of(self)
        if training:
            self.save_for_backward()
            y = body.forward(x, mask=mask)
            around = shortcut[0].forward(x, mask=mask) if shortcut else x
        else:
            y = body.infer(x, mask=mask)
            around = shortcut[0].infer(x, mask=mask) if shortcut else x
        return np.add(y, around, out=out)  # not into y, in which the body may have saved its output

    def backward(
        self, dy: Array, *, input_grad: bool = True, out: Array | None = None
    ) -> Array | None:
        self.saved()
        body, *shortcut = chains_of(self)
        dx = body.backward(dy, input_grad)
        around = shortcut[0].backward(dy, input_grad) if shortcut else dy
        return None if dx is None or around is None else np.add(dx, around, out=out)
