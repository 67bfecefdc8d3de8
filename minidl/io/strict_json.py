"""JSON from files that may be damaged, or made to do harm."""

from __future__ import annotations

import json
from typing import Any, NoReturn

MOST_VALUES = 2**18  # each takes up to some hundred bytes once it is read


def parsed(text: str) -> Any:
    """Read JSON text; whatever is not plain JSON of a bearable size is a ValueError."""
    if is_too_much(text):
        raise ValueError(f"it has more than {MOST_VALUES:,} values")
    try:
        return json.loads(text, object_pairs_hook=_each_once, parse_constant=_refuse)
    except RecursionError:
        raise ValueError("its lists are nested too deeply") from None


def is_too_much(text: str) -> bool:
    """Whether there may be more values in a text than are read."""
    return sum(map(text.count, "[{,")) > MOST_VALUES


def shortened(text: str, most: int) -> str:
    """The text, cut where it is longer than so many characters: a file may hold long ones."""
    return text if len(text) <= most else f"{text[: most - 3]}..."


def _each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise ValueError(f"it has the key {key!r} twice")
        found[key] = value
    return found


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no JSON")
