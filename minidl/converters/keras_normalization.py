"""Keras's layers that bring numbers to one scale as minidl's."""

from __future__ import annotations

import numpy as np

from minidl import layers as kinds
from minidl.converters.keras_place import Copy, KerasPlace
from minidl.layers.base import Layer
from minidl.typing import Array


def batch_norm(at: KerasPlace) -> Copy:
    """`BatchNormalization`."""
    at.only(renorm=False)
    layer = kinds.BatchNorm(at.options["momentum"], at.options["epsilon"])
    return _normalized(at, layer, running_mean="moving_mean", running_variance="moving_variance")


def layer_norm(at: KerasPlace) -> Copy:
    """`LayerNormalization`."""
    at.only(rms_scaling=False)
    return _normalized(at, kinds.LayerNorm(at.options["epsilon"]))


def group_norm(at: KerasPlace) -> Copy:
    """`GroupNormalization`."""
    groups = at.options["groups"]
    layer = kinds.GroupNorm(at.shape[-1] if groups == -1 else groups, at.options["epsilon"])
    return _normalized(at, layer)


def _normalized(at: KerasPlace, layer: Layer, **names: str) -> Copy:
    at.last_axis()
    at.penalty()
    return at.copied(layer, gamma="gamma", beta="beta", **names)


def rms_norm(at: KerasPlace) -> Copy:
    """`RMSNormalization`."""
    at.last_axis()
    return at.copied(kinds.RMSNorm(at.options["epsilon"]), gamma="scale")


def normalization(at: KerasPlace) -> Copy:
    """`Normalization`, adapted or with given numbers."""
    at.last_axis()
    at.only(invert=False)
    smallest = 1e-7  # as Keras divides by no less
    std = np.maximum(np.sqrt(np.asarray(at.layer.variance)), smallest)
    return _standardized(at, np.asarray(at.layer.mean), std)


def rescaling(at: KerasPlace) -> Copy:
    """`Rescaling` by numbers."""
    scale, offset = at.options["scale"], at.options["offset"]
    if not isinstance(scale, int | float) or not isinstance(offset, int | float) or scale <= 0:
        raise at.refusal(f"scale={scale} and offset={offset} are not a number above 0 and another")
    return _standardized(at, np.array(-offset / scale), np.array(1 / scale))


def _standardized(at: KerasPlace, mean: Array, std: Array) -> Copy:
    layer, c = kinds.Standardize(), at.shape[-1:]
    values = {"mean": np.broadcast_to(mean.ravel(), c), "std": np.broadcast_to(std.ravel(), c)}
    return Copy([layer], [(layer, values)])
