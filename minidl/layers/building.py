"""From layers to a model: shapes first, then one allocation, then initial values."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import DTypeLike

from minidl.buffers import Block
from minidl.errors import DTypeError, ShapeError, StateError
from minidl.layers.planning import Plan, make_plan, name_places, sample_shape
from minidl.parameters import Gradients, carve, total_size
from minidl.randomness import child_seed, seed_sequence
from minidl.typing import Array, RNGLike, Shape

if TYPE_CHECKING:
    from minidl.layers.base import Layer


@dataclass
class Kept:
    """Values that a layer copied out of a model carries into the next one."""

    names: list[tuple[str, Shape]]
    params: Array
    state: Array


@dataclass
class Binding:
    """What a built layer has that an unbuilt one has not."""

    plan: Plan
    params: Array
    grads: Array
    state: Array
    gradients: Gradients
    input_shape: Shape
    output_shape: Shape
    outputs: list[Block]  # of the children, in a training pass
    input_grads: list[Block]
    forward_checked: bool = False  # its own behaviour was looked at in a first pass
    backward_checked: bool = False
    expected_dy: Shape | None = None  # a training forward from outside waits for its backward
    training_owner: dict[str, int] = field(default_factory=dict)


def build(root: Layer, input_shape: Shape, rng: RNGLike, dtype: DTypeLike) -> None:
    """Make a layer and all below it ready for use; after an error nothing has changed."""
    if root.built:
        raise StateError(
            f"{root.where}: is built already, and build runs once. For a fresh model make its "
            "layers anew; for a copy use copy.deepcopy(model)."
        )
    kind = np.dtype(dtype)
    if kind not in (np.float32, np.float64):
        raise DTypeError(f"{root.where}: build takes dtype float32 or float64, got {kind}.")
    seed = seed_sequence(rng)
    name_places(root)
    plan = make_plan(root, sample_shape(tuple_or_self(input_shape), f"{root.where}: build"))
    params, state = np.zeros(plan.n_params, kind), np.zeros(plan.n_state, kind)
    # The k-th layer with parameters draws from the k-th stream: layers without parameters can
    # come and go without changing any initial value.
    _fill(plan, params, state, (child_seed(seed, k, 0) for k in itertools.count()))
    bind(plan, params, np.zeros_like(params), state)
    for place, layer in enumerate(root.walk()):
        layer._seed, layer._rng, layer._kept = child_seed(seed, place, 1), None, None


def tuple_or_self(shape: object) -> object:
    """A list of lengths becomes a tuple; anything else is left for the check."""
    return tuple(shape) if isinstance(shape, list) else shape


def parts(plan: Plan, params: Array, state: Array) -> Iterator[tuple[Plan, Array, Array]]:
    """Cut the vectors after a layer's own parameters into one stretch for each child."""
    n, m = total_size(plan.specs), total_size(plan.state_specs)
    for child in plan.children:
        i, j = child.n_params, child.n_state
        yield child, params[n : n + i], state[m : m + j]
        n, m = n + i, m + j


def own_views(plan: Plan, params: Array, state: Array) -> dict[str, Array]:
    """A layer's own arrays by name, as views into the vectors."""
    return carve(params, plan.specs) | carve(state, plan.state_specs)


def _fill(plan: Plan, params: Array, state: Array, seeds: Iterator[np.random.SeedSequence]) -> None:
    """Write the initial values, or those that copied layers carry."""
    kept = plan.layer._kept
    if kept is not None:
        if kept.names != plan.names():
            raise ShapeError(
                f"{plan.layer.where}: carries {kept.names} from the model it was copied from, but "
                f"here it needs {plan.names()}. Put it behind layers of the same output shape, or "
                "make a new layer."
            )
        params[...], state[...] = kept.params, kept.state
        for _ in (p for p in plan.walk() if p.specs):
            next(seeds)
        return
    rng = np.random.default_rng(next(seeds) if plan.specs else 0)
    views = own_views(plan, params, state)
    for spec in (*plan.specs, *plan.state_specs):
        values = spec.initializer(rng, spec.shape, spec.fan_in, spec.fan_out)
        if np.shape(values) != spec.shape:
            raise ShapeError(
                f"{plan.layer.where}: {spec.initializer} returned shape {np.shape(values)} for "
                f"{spec.name!r}, expected {spec.shape}."
            )
        views[spec.name][...] = values
    for child, child_params, child_state in parts(plan, params, state):
        _fill(child, child_params, child_state, seeds)


def bind(
    plan: Plan, params: Array, grads: Array, state: Array, parent: Layer | None = None
) -> None:
    """Hand each layer its stretch of the vectors, and views by name into it."""
    layer = plan.layer
    views = own_views(plan, params, state)
    gradients = Gradients(layer.where, carve(grads, plan.specs))
    bound = Binding(
        plan,
        params,
        grads,
        state,
        gradients,
        plan.input_shape,
        plan.output_shape,
        outputs=[Block(child.output_shape, params.dtype) for child in plan.children],
        input_grads=[Block(child.input_shape, params.dtype) for child in plan.children],
    )
    vars(layer).update(views, _bound=bound, _parent=parent, _views=views, _saved=None)
    pairs = zip(parts(plan, params, state), parts(plan, grads, state), strict=True)
    for (child, child_params, child_state), (_, child_grads, _) in pairs:
        bind(child, child_params, child_grads, child_state, layer)
