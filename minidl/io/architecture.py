"""A model's architecture as texts, and models made from them, without their values."""

from __future__ import annotations

import json
from collections.abc import Mapping

import minidl
from minidl.errors import ArgumentError
from minidl.io.describing import Describer
from minidl.io.making import Maker
from minidl.io.strict_json import parsed
from minidl.layers import Layer
from minidl.layers.building import plan_of
from minidl.layers.planning import Plan


def texts_of(model: Layer) -> dict[str, str]:
    """What describes a built model, by name.

    Raises:
        ArgumentError: If the model could not be made again from it.
    """
    describer = Describer()
    names = [name for name, layer in _named(model).items() if not layer.trainable]
    texts = {
        "minidl_version": minidl.__version__,
        "dtype": str(model.dtype),
        "input_shape": json.dumps(model.input_shape),
        "architecture": json.dumps(describer.description(model)),
        "frozen": json.dumps(names),
    }
    _check_that_it_comes_back(model, texts, describer.own)
    return texts


def plan_from(texts: Mapping[str, str], own: Mapping[str, type]) -> Plan:
    """Make an unbuilt model, and work out what it needs, which takes no memory yet.

    Args:
        texts: What describes it.
        own: A user's own classes by name.

    Raises:
        ValueError: If the texts describe no model.
    """
    try:
        model = Maker(own).layer(parsed(texts["architecture"]))
        named = _named(model)
        for name in parsed(texts["frozen"]):
            if name not in named:
                raise ValueError(f"it has no layer {name!r} to be frozen")
            named[name].trainable = False
        return plan_of(model, parsed(texts["input_shape"]))
    except Exception as error:  # with arguments of any kind, layers can raise anything
        raise ValueError(f"its model cannot be made: {error}") from error


def _named(model: Layer) -> dict[str, Layer]:
    """Every layer by its name, the model itself by none."""
    return {"": model, **dict(model.named_layers())}


def _check_that_it_comes_back(
    model: Layer, texts: Mapping[str, str], own: Mapping[str, type]
) -> None:
    """Raise now rather than in `load`, when the model that was trained is gone."""
    try:
        plan = plan_from(texts, own)
    except ValueError as error:
        raise ArgumentError(f"save: the model would not come back: {error}") from error
    twins, layers = list(plan.walk()), list(model.bound.plan.walk())
    pairs = zip(twins, layers, strict=False)
    differing = [here for there, here in pairs if _facts(there) != _facts(here)]
    if differing or len(twins) != len(layers):
        raise ArgumentError(
            f"{(differing or layers)[-1].layer.where}: would not come back as it is. A constructor "
            "keeps its arguments as they are, and they say all about a layer."
        )


def _facts(plan: Plan) -> tuple[object, ...]:
    specs = [(spec.name, spec.shape, spec.order) for spec in (*plan.specs, *plan.state_specs)]
    return Describer().description(plan.layer), specs
