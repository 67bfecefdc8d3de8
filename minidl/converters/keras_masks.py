"""Masks that have the effect here that they have in Keras."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from minidl import layers as kinds
from minidl.containers import Bidirectional
from minidl.errors import ArgumentError
from minidl.layers.base import Layer

MASKS_END = (kinds.Conv1D, kinds.MaxPool1D, kinds.Flatten, kinds.Reshape)  # in Keras, not here


def settle_masks(chain: Sequence[Layer]) -> None:
    """Take the padding from an Embedding whose mask has no effect; raise where masks differ."""
    for place, layer in enumerate(chain):
        if layer.makes_mask:
            _settle(layer, chain[place + 1 :])


def _settle(maker: Layer, behind: Sequence[Layer]) -> None:
    if not _is_taken(behind):
        if not isinstance(maker, kinds.Embedding):
            raise ArgumentError(
                f"from_keras: no layer takes the mask of {maker!r}. Leave it out, and set the "
                "steps that do not count to zero in the data."
            )
        maker.padding_index = None
        return
    lost = False
    for place, layer in enumerate(behind):
        zeros = isinstance(layer, Bidirectional) and layer.layer.return_sequences
        if (lost and layer.accepts_mask) or (zeros and not _is_taken(behind[place + 1 :])):
            raise ArgumentError(
                f"from_keras: at {layer!r} steps that do not count, by the mask of {maker!r}, are "
                "treated otherwise than in Keras. Build the model in minidl, and assign the "
                "weights by hand."
            )
        lost = lost or isinstance(layer, MASKS_END)


def _is_taken(layers: Iterable[Layer]) -> bool:
    """Whether a mask that is made in front of these layers reaches, in Keras, one that takes it."""
    for layer in layers:
        if layer.accepts_mask or isinstance(layer, MASKS_END):
            return layer.accepts_mask
    return False
