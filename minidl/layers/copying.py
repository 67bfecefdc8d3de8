"""Copies of layers and models: deepcopy, pickle, and replicas for worker threads.

Views do not survive copying, so a copy is made without them and bound again to vectors of its own.
Neither buffers nor saved state are copied.
"""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from minidl.layers.building import Kept, bind
from minidl.layers.planning import make_plan

if TYPE_CHECKING:
    from minidl.layers.base import Layer

SomeLayer = TypeVar("SomeLayer", bound="Layer")


def unbound_twin(layer: SomeLayer, memo: dict[int, Any]) -> SomeLayer:
    """Copy a layer's options and children, but no arrays of the model."""
    twin: SomeLayer = object.__new__(type(layer))
    memo[id(layer)] = twin
    vars(twin).update(copy.deepcopy(layer.own_attributes(), memo))
    return twin


def deep_copy(layer: Layer, memo: dict[int, Any]) -> Layer:
    """Copy a root to a built, independent root, a layer inside a model to an unbound one."""
    inside_copied_model = layer._parent is not None and id(layer._parent) in memo
    twin = unbound_twin(layer, memo)
    if layer.built and not inside_copied_model:
        if layer._parent is None:
            bind_again(twin, layer.params.copy(), layer.state.copy(), layer)
        else:
            twin._kept = kept_values(layer)
    return twin


def kept_values(layer: Layer) -> Kept:
    """The values of a layer inside a model, to carry along."""
    return Kept(layer.bound.plan.names(), layer.params.copy(), layer.state.copy())


def bind_again(twin: Layer, params: Any, state: Any, like: Layer) -> None:
    """Build `twin` like a built layer, over the given vectors and with gradients of its own."""
    for mine, its in zip(twin.walk(), like.walk(), strict=True):
        vars(mine)["_place"] = its._place
    bind(make_plan(twin, like.input_shape), params, np.zeros_like(params), state)


def reduce(layer: Layer) -> tuple[Any, ...]:
    """Take a built layer apart for pickle: a twin without arrays, and each value once."""
    twin = unbound_twin(layer, {})
    twin._kept = kept_values(layer)
    return restore, (twin, layer.input_shape if layer._parent is None else None)


def restore(twin: Layer, input_shape: Any) -> Layer:
    """Put a pickled layer together again; a root comes back built."""
    if input_shape is not None and twin._kept is not None:
        kept, twin._kept = twin._kept, None
        plan = make_plan(twin, input_shape)
        bind(plan, kept.params, np.zeros_like(kept.params), kept.state)
    return twin


def replica(layer: SomeLayer, number: int) -> SomeLayer:
    """Copy a model to one over the same parameters and state, with all else of its own."""
    twin = unbound_twin(layer, {})
    bind_again(twin, layer.params, layer.state, layer)
    for mine in twin.walk():
        mine._rng, mine._draw_key = None, (number,)
    return twin
