"""Objects from a config: a name, or a table with a `type` and the constructor's arguments."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from itertools import islice
from typing import Any, TypeVar

from minidl.command_line.config.kinds import kinds_of
from minidl.command_line.config.nearest import nearest, shown
from minidl.command_line.config.node import Node
from minidl.initializers import Initializer
from minidl.layers.base import Layer
from minidl.optimizers.schedules import Schedule
from minidl.regularization import Constraint, Penalty

Kind = TypeVar("Kind")

LISTS_OF_LAYERS = ("layers", "branches")
KIND_BY_ENDING: dict[str, type] = {  # of an argument's name
    "initializer": Initializer,
    "penalty": Penalty,
    "constraint": Constraint,
    "layer": Layer,
    "body": Layer,
    "shortcut": Layer,
    "learning_rate": Schedule,
    "schedule": Schedule,
}
PATHS = ("path", "folder")


def made(node: Node, base: type[Kind], **defaults: Any) -> Kind:
    """The object of a kind that stands at a place.

    `"ReLU"` is `ReLU()`, `{ type = "Dense", units = 10 }` is `Dense(units=10)`. Arguments are
    objects in turn where the constructor takes such.

    Args:
        node: The place.
        base: The kind.
        **defaults: Arguments for constructors that take them, where the file gives none.
    """
    kind, arguments = called(node, base.__name__.lower(), kinds_of(base))
    taken = {name: value for name, value in defaults.items() if name in _parameters(kind)}
    result: Kind = node.constructed(kind, taken | arguments)
    return result


def called(
    node: Node, what: str, functions: dict[str, Any], skip: int = 0
) -> tuple[Any, dict[str, Any]]:
    """The function or class that a place names, and the arguments for it.

    Args:
        node: The place.
        what: What it is to be, for messages.
        functions: All that it may name.
        skip: How many of the function's first parameters are not for the file.
    """
    given: dict[str, Node] = {}
    name_node = node
    if isinstance(node.value, dict):
        given = node.table(required=["type"])
        name_node = given.pop("type")
    elif not isinstance(node.value, str):
        wanted = f"the name of a {what}, or a table with its name as type"
        node.fail(f"expected {wanted}, got {shown(node.value)}.")
    name = name_node.text()
    if name not in functions:
        name_node.fail(f"there is no {what} {shown(name)}.{nearest(name, functions)}")
    function = functions[name]
    parameters = dict(islice(_parameters(function).items(), skip, None))
    for key, child in given.items():
        if key not in parameters:
            child.fail(f"{name} has no argument {shown(key)}.{nearest(key, parameters)}")
    for key, parameter in parameters.items():
        if parameter.default is parameter.empty and key not in given:
            node.fail(f'{name} needs {key!r}: {{ type = "{name}", {key} = ... }}.')
    return function, {key: _argument(key, child) for key, child in given.items()}


def _argument(name: str, node: Node) -> Any:
    if name in LISTS_OF_LAYERS:
        return [made(child, Layer) for child in node.items()]
    if name in PATHS:
        return node.near()
    base = next((KIND_BY_ENDING[end] for end in KIND_BY_ENDING if name.endswith(end)), None)
    if base is None or (base is Schedule and not isinstance(node.value, dict)):
        return node.value
    return made(node, base)


def _parameters(function: Callable[..., Any]) -> dict[str, inspect.Parameter]:
    return {
        name: parameter
        for name, parameter in inspect.signature(function).parameters.items()
        if parameter.kind not in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD)
    }
