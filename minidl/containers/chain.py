"""Layers one after the other, each called with nothing in between."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from minidl.buffers import Block
from minidl.containers.masks import mask_behind
from minidl.containers.nesting import innermost_layers
from minidl.errors import StateError
from minidl.layers.base import Layer
from minidl.layers.calls import call_backward, call_forward, check_result, masked, note_place
from minidl.typing import Array

Call = Callable[..., Any]


class Chain:
    """Layers of a model, and the buffers between them.

    In the first pass layers are called through `calls`, which checks how each behaves. From then
    on a pass is a loop over bound methods.

    Args:
        model: A built layer.
        layers: Those that follow each other from its input on.
    """

    def __init__(self, model: Layer, layers: Sequence[Layer]) -> None:
        self.model, self.layers = model, list(layers)
        self._lists = [
            (plan.layer, [child.layer for child in plan.children])
            for plan in model.bound.plan.walk()
            if plan.children
        ]
        self.check_lists()
        self._n_idle = 0  # layers in front that have nothing to learn
        while self._n_idle < len(layers) - 1 and not layers[self._n_idle].params.size:
            self._n_idle += 1
        self._outputs = [Block(layer.bound.output_shape, model.dtype) for layer in layers]
        self._input_grads = [Block(layer.bound.input_shape, model.dtype) for layer in layers]
        self._checked_from = len(layers) + 1  # the backward passes of layers from here on
        self._forwards: list[Call] = [partial(call_forward, layer) for layer in layers]
        self._backwards: list[Call] = [partial(call_backward, layer) for layer in layers]
        self._inferences: list[Call] = []
        self._makes_mask = any(layer.makes_mask for layer in layers)

    def forward(self, x: Array, out: Array | None = None, mask: Array | None = None) -> Array:
        """Run a training pass; the output belongs to the chain unless `out` is given."""
        self.check_lists()
        n, last = x.shape[0], len(self.layers) - 1
        with_masks = self._makes_mask or mask is not None
        options: dict[str, Array] = {}
        for i, forward in enumerate(self._forwards):
            buffer = out if i == last and out is not None else self._outputs[i].rows(n)
            try:
                if with_masks:
                    options = masked(mask if self.layers[i].accepts_mask else None)
                y = forward(x, training=True, out=buffer, **options)
                if y is not buffer:
                    check_result(self.layers[i], "forward", y, n)
                if with_masks:
                    mask = mask_behind(self.layers[i], x, y, mask)
            except Exception as error:
                note_place(self.layers[i], error)
                raise
            x = y
        return x

    def backward(
        self, dy: Array, input_grad: bool = False, out: Array | None = None
    ) -> Array | None:
        """Compute the gradients of all parameters from that at the output."""
        n, first = len(dy), 0 if input_grad else self._n_idle
        for i in range(len(self.layers) - 1, first - 1, -1):
            wanted = input_grad or i > first
            buffer = None
            if wanted:
                buffer = out if i == 0 and out is not None else self._input_grads[i].rows(n)
            try:
                dx = self._backwards[i](dy, input_grad=wanted, out=buffer)
            except Exception as error:
                note_place(self.layers[i], error)
                raise
            if wanted and dx is not buffer:
                check_result(self.layers[i], "backward", dx, n)
            dy = dx
        if first < self._checked_from:
            self._forwards = [layer._forward for layer in self.layers]
            self._backwards[first:] = [layer._backward for layer in self.layers[first:]]
            self._checked_from = first
        return dy if input_grad else None

    def infer(self, x: Array, out: Array | None = None, mask: Array | None = None) -> Array:
        """Run an inference pass; without buffers, and so safe from several threads at once."""
        self.check_lists()
        with_masks = self._makes_mask or mask is not None
        if self._inferences and not with_masks:
            *inner, last = self._inferences
            y: Array = x
            try:
                for forward in inner:
                    y = forward(y)
                if inner and out is not None:  # into which the last layer might broadcast
                    check_result(self.layers[-2], "forward", y, x.shape[0])
                y = last(y, out=out)
                check_result(self.layers[-1], "forward", y, x.shape[0])
            except Exception:
                pass  # comes again below, from the check that names the layer
            else:
                return y
        for layer in self.layers:
            options = masked(mask if layer.accepts_mask else None)
            y = call_forward(layer, x, False, out if layer is self.layers[-1] else None, **options)
            x, mask = y, mask_behind(layer, x, y, mask)
        self._inferences = [layer._forward for layer in self.layers]
        return x

    def check_lists(self) -> None:
        """Raise if a Sequential's list is not what it was when the model was built."""
        for sequential, layers in self._lists:
            if list(sequential.children) != layers:
                raise StateError(f"{sequential.where}: its list of layers was changed after build.")


def chains_of(layer: Layer) -> list[Chain]:
    """A chain for each child of a built container, made at the first call."""
    chains = layer.bound.chains
    for index, child in enumerate(layer.children):
        if index not in chains:
            chains[index] = Chain(layer, innermost_layers(child))
    return [chains[index] for index in range(len(layer.children))]
