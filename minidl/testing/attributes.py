"""What an object keeps in its attributes, and whether calls change it."""

from __future__ import annotations

import inspect
import pickle
from collections.abc import Collection

from minidl.testing.passes import CheckError


def check_options(thing: object) -> None:
    """Raise unless each argument of the constructor is kept under its own name."""
    for name in inspect.signature(type(thing)).parameters:
        if not hasattr(thing, name):
            raise CheckError(
                f"{thing}: keep each argument of the constructor under its own name: "
                f"self.{name} = {name}. A checkpoint and this text read it there."
            )


def contents(thing: object) -> dict[str, bytes]:
    """All attributes as bytes; what has none, such as a function, counts as the same."""
    return {name: _bytes(value) for name, value in vars(thing).items()}


def changed(thing: object, before: dict[str, bytes], own: Collection[str]) -> str:
    """The name of an attribute, but for the class's own, that is new or another one, or nothing."""
    after = contents(thing)
    return next((n for n in after if n not in own and after[n] != before.get(n)), "")


def _bytes(value: object) -> bytes:
    try:
        return pickle.dumps(value)
    except Exception:  # many kinds, and none of them is of interest
        return b""
