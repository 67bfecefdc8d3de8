"""A layer's arrays by PyTorch's names and in its order of axes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from minidl import layers as kinds
from minidl.containers.bidirectional import Bidirectional
from minidl.converters.feature_order import Order
from minidl.errors import ArgumentError
from minidl.layers.base import Layer
from minidl.layers.convolution import Convolution
from minidl.layers.recurrent import Recurrent
from minidl.typing import Array

WEIGHT_AND_BIAS = {"weight": "weight", "bias": "bias"}
SCALE_AND_SHIFT = {"weight": "gamma", "bias": "beta"}
NAMES: dict[type[Layer], dict[str, str]] = {
    kinds.Dense: WEIGHT_AND_BIAS,
    Convolution: WEIGHT_AND_BIAS,
    kinds.Embedding: {"weight": "weight"},
    kinds.PReLU: {"weight": "slope"},
    kinds.BatchNorm: SCALE_AND_SHIFT
    | {"running_mean": "running_mean", "running_var": "running_variance"},
    kinds.LayerNorm: SCALE_AND_SHIFT,
    kinds.GroupNorm: SCALE_AND_SHIFT,
    kinds.RMSNorm: {"weight": "gamma"},
    Recurrent: {
        "weight_ih_l0": "weight",
        "weight_hh_l0": "recurrent_weight",
        "bias_ih_l0": "bias",
        "bias_hh_l0": "recurrent_bias",
    },
    kinds.MultiHeadSelfAttention: {
        "in_proj_weight": "weight",
        "in_proj_bias": "bias",
        "out_proj.weight": "output_weight",
        "out_proj.bias": "output_bias",
    },
}
NORMALIZATIONS = (kinds.BatchNorm, kinds.LayerNorm, kinds.GroupNorm, kinds.RMSNorm)


def leaves(layer: Layer, prefix: str = "") -> Iterator[tuple[str, Layer]]:
    """The layers that are made of no others, each with the prefix of its names in a state_dict."""
    if not layer.children or isinstance(layer, Bidirectional):
        yield prefix, layer
    else:
        for index, child in enumerate(layer.children):
            yield from leaves(child, f"{prefix}{index}.")


def torch_views(layer: Layer) -> dict[str, Array]:
    """Views of a layer's arrays: what is written to them is written to the layer."""
    if isinstance(layer, Bidirectional):
        back = torch_views(layer.backward_layer).items()
        return torch_views(layer.layer) | {f"{name}_reverse": view for name, view in back}
    plan = layer.bound.plan
    own = {spec.name for spec in (*plan.specs, *plan.state_specs)}
    for kind, names in NAMES.items():
        if isinstance(layer, kind):
            return {
                theirs: _in_torch_order(layer, getattr(layer, mine))
                for theirs, mine in names.items()
                if mine in own
            }
    if plan.specs:
        raise ArgumentError(
            f"{layer.where}: PyTorch's names of its parameters are not known. Convert the layers "
            "around it, and assign its parameters by hand."
        )
    return {}


def _in_torch_order(layer: Layer, a: Array) -> Array:
    if a.ndim == 4:
        return a.transpose(3, 2, 0, 1)  # (KH, KW, C, F) -> (F, C, KH, KW)
    if a.ndim == 1 or isinstance(layer, kinds.Embedding):
        return a
    return a.T  # (D, M) -> (M, D), (K, C, F) -> (F, C, K)


def reordered(a: Array, before: Order, after: Order) -> Array:
    """Take outputs, on the first axis, and a Dense layer's inputs, on the second, in an order."""
    if after is not None:
        a = a[after]
    return a[:, before] if before is not None and a.ndim == 2 else a


def read(layer: Layer, values: Mapping[str, Array], views: Mapping[str, Array]) -> dict[str, Array]:
    """PyTorch's arrays as a layer with these views has them.

    Recurrent modules have two biases for every gate, and only the last gate of a GRU needs both.
    The only slope of a PReLU becomes that of each channel. Where a module has no bias, or no scale,
    the layer's is 0, or 1.
    """
    own = dict(values)
    own.pop("num_batches_tracked", None)
    if isinstance(layer, kinds.PReLU) and own.get("weight", layer.slope).shape == (1,):
        own["weight"] = np.broadcast_to(own["weight"], layer.slope.shape)
    if isinstance(layer, NORMALIZATIONS):
        own = {"weight": np.ones_like(layer.gamma)} | own
        if "bias" in views:
            own.setdefault("bias", np.zeros_like(layer.gamma))
    for name, view in views.items():
        twin = name.replace("bias_ih", "bias_hh")
        if name.startswith("bias_"):
            own.setdefault(name, np.zeros_like(view))
        if twin in own and twin not in views and own[twin].shape == own[name].shape:
            own[name] = own[name] + own.pop(twin)
    return own


def copy_in(layer: Layer, values: Mapping[str, Array], before: Order, after: Order) -> None:
    """Write PyTorch's arrays, which have been found to fit, into a layer."""
    for name, view in torch_views(layer).items():
        view[...] = reordered(values[name], before, after)


def as_array(value: Any) -> Array:
    """A tensor, or what is an array already, as an array; bfloat16 as numbers NumPy knows."""
    if hasattr(value, "detach"):
        tensor = value.detach().cpu()
        value = tensor.float().numpy() if "bfloat16" in str(tensor.dtype) else tensor.numpy()
    return np.asarray(value)
