"""A PyTorch module at its place in a network: what it gets, and what of it minidl lacks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from minidl.converters.feature_order import takes_channels_first
from minidl.errors import ArgumentError
from minidl.layers.base import Layer
from minidl.typing import Shape


@dataclass
class Samples:
    """What flows between two modules.

    Attributes:
        shape: A sample's shape in minidl's order.
        channels_first: Whether PyTorch has these sequences as (N, C, T); None if not known yet.
        padded: Whether an Embedding marks steps as padding.
    """

    shape: Shape
    channels_first: bool | None = None
    padded: bool = False

    def leave(self, layer: Layer) -> None:
        """Take over what the layer makes of the samples."""
        axes, self.shape = len(self.shape), layer.output_shape(self.shape)
        if len(self.shape) != axes:  # new sequences, as Embedding makes them, are (N, T, C)
            self.channels_first = False if len(self.shape) == 2 else None
        self.padded = self.padded or layer.makes_mask


@dataclass(frozen=True)
class ModulePlace:
    """A module, where it stands, and the samples in front of it."""

    module: Any
    kind: str
    place: str
    samples: Samples
    dtype: np.dtype[Any]

    @property
    def where(self) -> str:
        """The module as messages name it."""
        inside = f"module {self.place} ({self.kind})" if self.place else self.kind
        return f"from_torch: {inside}"

    def refusal(self, reason: str) -> ArgumentError:
        """The error for a module that minidl cannot copy."""
        return ArgumentError(
            f"{self.where}: {reason}. Build the network in minidl, as near as it comes, and give "
            "it the weights: from_torch(module, model)."
        )

    def only(self, **options: object) -> None:
        """Raise unless these options have the only values that minidl has."""
        for name, value in options.items():
            given = getattr(self.module, name)
            if given not in (value, (value, value)):
                raise self.refusal(f"{name}={given} has no counterpart in minidl, only {value}")

    def enter(self, layer: Layer) -> None:
        """Note the order of axes that the layer's counterpart takes, of sequences."""
        says = takes_channels_first(layer)
        if len(self.samples.shape) == 2 and says is not None:
            if self.samples.channels_first not in (None, says):
                orders = "(N, T, C)", "(N, C, T)"
                raise self.refusal(
                    f"it takes sequences {orders[says]}, and those in front of it are "
                    f"{orders[not says]}"
                )
            self.samples.channels_first = says

    def channel_axis(self) -> int:
        """The axis in PyTorch that is minidl's last one."""
        axes = len(self.samples.shape) + 1
        first = axes == 4 or (axes == 3 and self.samples.channels_first)
        return 1 if first else axes - 1


def numbers(option: Any, axes: int) -> tuple[int, ...]:
    """An option as one number for each axis."""
    return tuple(option) if isinstance(option, tuple | list) else (option,) * axes


def plain(option: tuple[int, ...]) -> int | tuple[int, ...]:
    """One number where all are equal."""
    return option[0] if len(set(option)) == 1 else option
