"""From layers to a model: shapes first, then one allocation, then initial values."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import DTypeLike

from minidl.errors import ArgumentError, DataError, DTypeError, ShapeError, StateError
from minidl.layers.planning import Plan, check_tree, make_plan, place_names, sample_shape
from minidl.parameters import Gradients, ParameterSpec, carve, total_size
from minidl.randomness import child_seed, seed_sequence
from minidl.typing import Array, RNGLike, Shape

if TYPE_CHECKING:
    from minidl.layers.base import Layer


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
    inference_checked: bool = False  # its own behaviour was looked at in a first pass
    training_checked: bool = False
    backward_checked: bool = False
    first_input: Array | None = None  # of the first training pass, until its backward
    chains: dict[int, Any] = field(default_factory=dict)  # of a container
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
    plan = plan_of(root, input_shape)
    params, state = np.zeros(plan.n_params, kind), np.zeros(plan.n_state, kind)
    fill(plan, params, state, seed)
    bind_root(plan, params, state, seed)


def plan_of(root: Layer, input_shape: Shape) -> Plan:
    """Check an unbuilt model, give its layers their places, and work out what it needs."""
    check_tree(root)
    for layer, place in place_names(root):
        vars(layer)["_place"] = place
    return make_plan(root, sample_shape(input_shape, f"{root.where}: build"))


def bind_root(plan: Plan, params: Array, state: Array, seed: np.random.SeedSequence) -> None:
    """Hand the vectors, which have their values, to a model, and a generator to each layer."""
    grads = np.zeros(params.size, params.dtype)  # which take no memory before they are written
    bind(plan, params, grads, state)
    for number, layer in enumerate(plan.layer.walk()):
        layer._seed, layer._rng, layer._kept = child_seed(seed, number, 1), None, None


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


def fill(plan: Plan, params: Array, state: Array, seed: np.random.SeedSequence) -> None:
    """Write the initial values, or those that copied layers carry.

    The k-th layer with parameters draws them from the k-th stream, so that layers without
    parameters can come and go without changing any initial value.
    """
    k, start, start_state = 0, 0, 0
    for place, p in enumerate(plan.walk()):
        views = own_views(p, params[start:], state[start_state:])
        kept = p.layer._kept
        if kept is not None:
            _check_kept(p, kept)
        for specs, key in ((p.specs, (k, 0)), (p.state_specs, (place, 2))):
            rng = np.random.default_rng(child_seed(seed, *key)) if specs else None
            for spec in specs:
                views[spec.name][...] = kept[spec.name] if kept else _drawn(p, spec, rng)
        k += bool(p.specs)
        start += total_size(p.specs)
        start_state += total_size(p.state_specs)


def _drawn(plan: Plan, spec: ParameterSpec, rng: np.random.Generator | None) -> Array:
    try:
        values = np.asarray(spec.initializer(rng, spec.shape, spec.fan_in, spec.fan_out))  # type: ignore[arg-type]
    except ArgumentError as error:
        raise ArgumentError(f"{plan.layer.where}: initial {spec.name!r}: {error}") from None
    if values.shape != spec.shape:
        raise ShapeError(
            f"{plan.layer.where}: {spec.initializer} returned shape {values.shape} for "
            f"{spec.name!r}, expected {spec.shape}."
        )
    if values.dtype.kind not in "fiub" or not np.isfinite(values).all():
        raise DataError(
            f"{plan.layer.where}: {spec.initializer} returned values for {spec.name!r} that are "
            "not finite real numbers."
        )
    return values


def _check_kept(plan: Plan, kept: dict[str, Array]) -> None:
    needed = {spec.name: spec.shape for spec in (*plan.specs, *plan.state_specs)}
    carried = {name: values.shape for name, values in kept.items()}
    if carried != needed:
        raise ShapeError(
            f"{plan.layer.where}: carries {carried} from the model it was copied from, but here it "
            f"needs {needed}. Put it behind layers of the same output shape, or make a new layer."
        )


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
    )
    vars(layer).update(views, _bound=bound, _parent=parent, _views=views, _saved=None)
    pairs = zip(parts(plan, params, state), parts(plan, grads, state), strict=True)
    for (child, child_params, child_state), (_, child_grads, _) in pairs:
        bind(child, child_params, child_grads, child_state, layer)
