"""Weights and biases of the dense layers under scikit-learn's names."""

from __future__ import annotations

from typing import Any

from minidl.layers import Dense
from minidl.typing import Array


class DenseArrays(list[Array]):
    """The arrays of one name of several layers, not copies.

    What is put in the place of one is copied into it, as its layer does; in a plain list it would
    stand beside the network without effect.

    Args:
        layers: The layers.
        name: `"weight"` or `"bias"`.
    """

    def __init__(self, layers: list[Dense], name: str) -> None:
        super().__init__(getattr(layer, name) for layer in layers)
        self._layers, self._name = layers, name

    def __setitem__(self, index: Any, value: Any) -> None:
        layers = self._layers[index]
        pairs = [(layers, value)] if isinstance(layers, Dense) else zip(layers, value, strict=True)
        for layer, array in pairs:
            setattr(layer, self._name, array)

    def __reduce__(self) -> tuple[type, tuple[list[Array]]]:
        return list, (list(self),)  # a copy is one of values alone
