"""Copies of layers and models: deepcopy, pickle, and replicas for worker threads.

Views do not survive copying, so a copy is made without them and bound again to vectors of its own.
Neither buffers nor saved state are copied.
"""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from minidl.layers.building import bind, fill
from minidl.layers.planning import make_plan, place_names
from minidl.typing import Array

if TYPE_CHECKING:
    from minidl.layers.base import Layer

SomeLayer = TypeVar("SomeLayer", bound="Layer")


def unbound_twin(layer: SomeLayer, memo: dict[int, Any]) -> SomeLayer:
    """Copy a layer's options and children, but no arrays of the model."""
    twin: SomeLayer = object.__new__(type(layer))
    memo[id(layer)] = twin
    vars(twin).update(copy.deepcopy(layer.own_attributes(), memo))
    return twin


def detached_copy(layer: SomeLayer, memo: dict[int, Any] | None = None) -> SomeLayer:
    """Copy a layer to an unbuilt one; each layer carries its values into the next `build`."""
    twin = unbound_twin(layer, {} if memo is None else memo)
    if layer.built:
        for mine, its in zip(twin.walk(), layer.walk(), strict=True):
            mine._kept = {name: view.copy() for name, view in its._views.items()}
    return twin


def deep_copy(layer: SomeLayer, memo: dict[int, Any]) -> SomeLayer:
    """Copy a root to a built, independent root, a layer inside a model to an unbuilt one."""
    if layer._parent is not None and id(layer._parent) in memo:  # copied as part of its model
        return unbound_twin(layer, memo)
    if not layer.built or layer._parent is not None:
        return detached_copy(layer, memo)
    twin = unbound_twin(layer, memo)
    _bind_like(layer, twin, layer.params.copy(), layer.state.copy())
    return twin


def replica(layer: SomeLayer, number: int) -> SomeLayer:
    """Copy a model to one over the same parameters, state and options, with passes of its own."""
    options = [value for each in layer.walk() for value in each.own_attributes().values()]
    shared = {id(v): v for v in options if not isinstance(v, list | tuple | dict)}
    for each in layer.walk():
        shared.pop(id(each), None)
    twin = unbound_twin(layer, shared)
    _bind_like(layer, twin, layer.params, layer.state)
    for mine in twin.walk():
        mine._rng, mine._draw_key = None, (number,)
    return twin


def _bind_like(layer: Layer, twin: Layer, params: Array, state: Array) -> None:
    for mine, its in zip(twin.walk(), layer.walk(), strict=True):
        vars(mine)["_place"] = its._place
    bind(make_plan(twin, layer.input_shape), params, np.zeros_like(params), state)


def reduce(layer: Layer) -> tuple[Any, ...]:
    """Take a built layer apart for pickle: a twin without views, and each value once."""
    root = (layer.input_shape, layer.dtype) if layer._parent is None else None
    return restore, (detached_copy(layer), root)


def restore(twin: Layer, root: tuple[Any, Any] | None) -> Layer:
    """Put a pickled layer together again; a root comes back built."""
    if root is not None:
        input_shape, dtype = root
        for each, place in place_names(twin):
            vars(each)["_place"] = place
        plan = make_plan(twin, input_shape)
        params, state = np.zeros(plan.n_params, dtype), np.zeros(plan.n_state, dtype)
        fill(plan, params, state, np.random.SeedSequence(0))  # all values are carried along
        bind(plan, params, np.zeros_like(params), state)
        for each in twin.walk():
            each._kept = None
    return twin
