"""A state_dict and a built model of the same structure."""

from __future__ import annotations

import itertools
import re
from collections.abc import Mapping
from typing import Any

from minidl.converters.feature_order import feature_orders
from minidl.converters.pytorch_arrays import as_array, copy_in, leaves, read, torch_views
from minidl.errors import DataError
from minidl.layers import Embedding
from minidl.layers.base import Layer
from minidl.typing import Array

Modules = dict[tuple[str, str], dict[str, Array]]


def fill(model: Layer, state: Mapping[str, Any]) -> None:
    """Give the layers the arrays of the modules, in order; after an error nothing has changed."""
    for name, value in state.items():
        if isinstance(value, Mapping):
            raise DataError(
                f"from_torch: expected arrays by name, got a dict under {name!r}. If that is the "
                f"state_dict in a checkpoint: from_torch(checkpoint[{name!r}], model)."
            )
    orders = feature_orders(model)
    targets = [(layer, views) for _, layer in leaves(model) if (views := torch_views(layer))]
    sources = list(modules(state).items())
    problems, pairs = [], []
    for target, source in itertools.zip_longest(targets, sources):
        if target is None:
            problems.append(f"module {_path(source[0])!r} is left over")
        elif source is None:
            problems.append(f"{target[0].where} is left over")
        else:
            (layer, views), (path, values) = target, source
            own = read(layer, values, views)
            for what in mismatches(layer, own, views):
                problems.append(f"module {_path(path)!r} and {layer.where}: {what}")
            pairs.append((layer, own))
    if problems:
        raise DataError(
            "from_torch: the state_dict does not fit the model; modules and layers are taken in "
            "order.\n  " + "\n  ".join(problems)
        )
    for layer, own in pairs:
        copy_in(layer, own, *orders[layer])


def mismatches(layer: Layer, values: Mapping[str, Array], views: Mapping[str, Array]) -> list[str]:
    """What is wrong with a module's arrays for a layer with these views."""
    found = [f"{name} is missing" for name in views if name not in values]
    for name, value in values.items():
        if name not in views:
            found.append(f"{name} of shape {value.shape} has no place")
        elif value.shape != views[name].shape:
            found.append(f"{name}: expected shape {views[name].shape}, got {value.shape}")
        elif value.dtype.kind != "f":
            found.append(f"{name}: expected floating numbers, got dtype {value.dtype}")
    padding = layer.padding_index if isinstance(layer, Embedding) else None
    if not found and padding is not None and values["weight"][padding].any():
        found.append(f"weight: the vector of padding_index {padding} is not zero, as it is here")
    return found


def modules(state: Mapping[str, Any]) -> Modules:
    """The arrays of each module, modules in order.

    Modules with numbers for names, as those of `nn.Sequential`, come by their numbers, others as
    they appear: files may hold them in alphabetical order. Each layer of a recurrent module, and an
    attention with its output projection, count as one.
    """
    found: Modules = {}
    for name, value in state.items():
        path, _, local = name.rpartition(".")
        parent, _, last = path.rpartition(".")
        if last == "out_proj" and f"{parent}{'.' * bool(parent)}in_proj_weight" in state:
            path, local = parent, f"out_proj.{local}"
        number = re.search(r"_l(\d+)(_reverse)?$", local)
        if number:
            local = f"{local[: number.start()]}_l0{number[2] or ''}"
        key = (path, number[1] if number else "")
        found.setdefault(key, {})[local] = as_array(value)
    appeared: dict[str, int] = {}
    for path, _ in found:
        for prefix in _prefixes(path):
            appeared.setdefault(prefix, len(appeared))

    def place(key: tuple[str, str]) -> list[tuple[int, int]]:
        path, layer_number = key
        names = zip(path.split("."), _prefixes(path), strict=True)
        places = [(0, int(n)) if n.isdecimal() else (1, appeared[prefix]) for n, prefix in names]
        return [*places, (0, int(layer_number or 0))]

    return {key: found[key] for key in sorted(found, key=place)}


def _prefixes(path: str) -> list[str]:
    """The path of a module, and of those that it is inside of: a, a.b, a.b.c."""
    return list(itertools.accumulate(path.split("."), "{}.{}".format))


def _path(key: tuple[str, str]) -> str:
    path, layer_number = key
    return f"{path}, layer {layer_number}" if layer_number else path
