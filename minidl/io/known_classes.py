"""The classes that a model file may name: those that minidl itself offers, and no others."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Mapping

from minidl import containers, initializers, layers, regularization
from minidl.arguments import instance
from minidl.errors import ArgumentTypeError
from minidl.initializers import Initializer
from minidl.layers import Layer
from minidl.regularization import Constraint, Penalty

Describable = Layer | Initializer | Penalty | Constraint  # what consists of its arguments


@functools.cache
def known_classes() -> dict[str, type]:
    """The layers, containers, initializers, penalties and constraints of minidl by name."""
    rooms = (layers, containers, initializers, regularization)
    classes = {name: getattr(room, name) for room in rooms for name in room.__all__}
    return {name: kind for name, kind in classes.items() if not inspect.isabstract(kind)}


def is_known(kind: type) -> bool:
    """Whether a class is minidl's own, not only of the same name."""
    return known_classes().get(kind.__name__) is kind


def checked_classes(layers: Mapping[str, type] | None) -> dict[str, type]:
    """Return the classes that a user gives, if they are some."""
    classes = dict(instance("load", "layers", {} if layers is None else layers, Mapping))
    for name, kind in classes.items():
        if not isinstance(kind, type) or not issubclass(kind, Describable):
            raise ArgumentTypeError(
                "load: layers must have the classes of your own layers by name, such as "
                f'{{"Swish": Swish}}, got {kind!r} for {name!r}.'
            )
    return classes
