"""A PyTorch module, layer by layer, as a minidl model."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from minidl import layers as kinds
from minidl.containers import Sequential
from minidl.converters.module_place import ModulePlace, Samples
from minidl.converters.pytorch_arrays import leaves
from minidl.converters.pytorch_modules import LAYERS, RECURRENT
from minidl.converters.state_dicts import modules
from minidl.errors import ArgumentError, ShapeError
from minidl.layers.base import Layer
from minidl.typing import Array, Shape


def known_kind(module: Any) -> str | None:
    """The name of the PyTorch class whose forward the module has, if minidl knows it."""
    for kind in type(module).__mro__:
        if kind.__module__.startswith("torch.nn.") and (
            kind.__name__ in LAYERS or kind.__name__ == "Sequential"
        ):
            own, known = type(module).forward, getattr(kind, "forward", None)
            return kind.__name__ if own is known else None
    return None


def first_shape(module: Any) -> Shape:
    """The shape of a sample, where the first module tells it."""
    first, place = module, ""
    while known_kind(first) == "Sequential" and len(first):
        first, place = first[0], f"{place}.0" if place else "0"
    kind = known_kind(first)
    if kind == "Linear":
        return (first.in_features,)
    if kind == "Embedding":
        return (None,)
    if kind in RECURRENT:
        return (None, first.input_size)
    if kind is None:
        raise _unknown(
            ModulePlace(first, type(first).__name__, place, Samples(()), np.dtype(float))
        )
    raise ArgumentError(
        f"from_torch: a module that begins with {type(first).__name__} does not tell the shape of "
        "its input. Give that of one sample in minidl's order: input_shape=(28, 28, 1)."
    )


def _unknown(at: ModulePlace) -> ArgumentError:
    return at.refusal(
        "it is not a layer that minidl knows, and how it uses its parts cannot be seen from outside"
    )


class Translation:
    """The layers made of modules so far, and what each gets.

    Attributes:
        filled: Layers with arrays: the layer, its module as messages name it, the arrays.
    """

    def __init__(self, shape: Shape, dtype: DTypeLike) -> None:
        self.samples, self.dtype = Samples(shape), np.dtype(dtype)
        self.filled: list[tuple[Layer, str, dict[str, Array]]] = []
        self._seen: set[int] = set()

    def layer_for(self, module: Any, place: str = "") -> Layer:
        """The unbuilt layer for a module that gets what the last one gave."""
        kind = known_kind(module)
        at = ModulePlace(module, kind or type(module).__name__, place, self.samples, self.dtype)
        if kind is None:
            raise _unknown(at)
        if kind == "Sequential":
            start = f"{place}." if place else ""
            children = enumerate(module)
            return Sequential([self.layer_for(child, f"{start}{i}") for i, child in children])
        layer = LAYERS[kind](at)
        at.enter(layer)
        if layer.accepts_mask and self.samples.padded:
            raise at.refusal(
                "PyTorch runs over the padding of Embedding(padding_idx=...), and minidl's layer "
                "would leave it out"
            )
        self._note_arrays(at, layer)
        try:
            self.samples.leave(layer)
        except ShapeError as error:
            raise ShapeError(f"{at.where}: {error}") from None
        return layer

    def _note_arrays(self, at: ModulePlace, layer: Layer) -> None:
        arrays = modules(at.module.state_dict()).values()
        if not arrays:
            return
        if id(at.module) in self._seen:
            raise at.refusal("it stands in the network twice, and minidl has no shared weights")
        self._seen.add(id(at.module))
        takers = [inner for _, inner in leaves(layer) if not isinstance(inner, kinds.Dropout)]
        if len(takers) != len(arrays):
            raise at.refusal("its weights are computed from others, by a parametrization")
        self.filled += [(taker, at.where, own) for taker, own in zip(takers, arrays, strict=True)]
