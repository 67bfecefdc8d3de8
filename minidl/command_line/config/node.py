"""A place in a config file: its value, and how to say where it is."""

from __future__ import annotations

import math
import os
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn, TypeVar

from minidl.command_line.config.nearest import nearest, shown
from minidl.command_line.config.toml_lines import Key
from minidl.errors import DataError, MinidlError

Result = TypeVar("Result")


@dataclass(frozen=True)
class Node:
    """A value of a config file.

    Attributes:
        value: What stands there.
        key: Its place, `("model", "layers", 2, "units")`.
        path: The file.
        lines: Line of each key in the file.
    """

    value: Any
    key: Key
    path: Path
    lines: Mapping[Key, int]

    def fail(self, text: str) -> NoReturn:
        """Raise an error about this place."""
        key, line = self.key, None
        while key and line is None:
            line, key = self.lines.get(key), key[:-1]
        place = f"{self.path}" + (f", line {line}: " if line else ": ") + key_text(self.key)
        raise DataError(f"{place.removesuffix(': ')}: {text}") from None

    def items(self) -> list[Node]:
        """The elements of a list."""
        if not isinstance(self.value, list):
            brackets = f"[[{key_text(self.key)}]]" if isinstance(self.value, dict) else "[ ... ]"
            self.fail(f"expected a list, got {shown(self.value)}. Put it in brackets: {brackets}.")
        return [self._child(value, index) for index, value in enumerate(self.value)]

    def table(
        self, known: Iterable[str] | None = None, required: Iterable[str] = ()
    ) -> dict[str, Node]:
        """The values of a table by name; a name that is not known, or missing, is an error."""
        if not isinstance(self.value, dict):
            self.fail(f"expected a table, got {shown(self.value)}.")
        children = {name: self._child(value, name) for name, value in self.value.items()}
        for name, child in children.items():
            if known is not None and name not in known:
                child.fail(f"there is no such key.{nearest(name, known)}")
        for name in required:
            if name not in children:
                self.fail(f"the key {name!r} is missing.")
        return children

    def checked(self, check: Callable[..., Result], *arguments: Any, **options: Any) -> Result:
        """The result of a call; what minidl finds wrong is an error about this place."""
        try:
            return check(*arguments, **options)
        except MinidlError as error:
            self.fail(str(error))

    def constructed(
        self,
        kind: Callable[..., Result],
        arguments: Mapping[str, Any],
        place: Callable[[str], Node] | None = None,
    ) -> Result:
        """The result of a call with values from the file; what it cannot take is an error.

        Args:
            kind: What is called.
            arguments: The values by name.
            place: Finds the place that a message is about; by default the argument it names.
        """
        try:
            return kind(**arguments)
        except (MinidlError, TypeError, ValueError, OverflowError, MemoryError) as error:
            text = str(error) if isinstance(error, MinidlError) else f"cannot be made: {error}"
            (place or self._named_in)(text).fail(text)

    def _named_in(self, text: str) -> Node:
        """The value whose name is in a text, if there is one such; else this place."""
        children = self.table() if isinstance(self.value, dict) else {}
        named = [child for name, child in children.items() if name in re.findall(r"\w+", text)]
        return named[0] if len(named) == 1 else self

    def kind(self, *kinds: type, wanted: str) -> Any:
        """The value, if it is of one of the kinds; true and false are no numbers."""
        is_flag = isinstance(self.value, bool) and bool not in kinds
        if is_flag or not isinstance(self.value, kinds):
            self.fail(f"expected {wanted}, got {shown(self.value)}.")
        return self.value

    def text(self) -> str:
        """The value, a text."""
        return str(self.kind(str, wanted="a text in quotes"))

    def whole(self, least: int = 1) -> int:
        """The value, a whole number."""
        wanted = f"a whole number of at least {least}"
        number = self.kind(int, wanted=wanted)
        if number < least:
            self.fail(f"expected {wanted}, got {number}.")
        return int(number)

    def number(self, low: float, high: float = math.inf) -> float:
        """The value, a number in [low, high)."""
        wanted = f"a number of at least {low:g}"
        if high < math.inf:
            wanted += f" and below {high:g}"
        number = self.kind(int, float, wanted=wanted)
        if not low <= number < high:
            self.fail(f"expected {wanted}, got {number}.")
        return float(number)

    def one_of(self, words: Iterable[str]) -> str:
        """The value, one of some words."""
        word = self.text()
        if word not in words:
            self.fail(f"expected one of {', '.join(map(repr, words))}, got {shown(word)}.")
        return word

    def near(self) -> Path:
        """The value as a path; one that is not absolute begins in the config's folder."""
        if "\0" in self.text() or not self.text():
            self.fail(f"expected a path, got {shown(self.value)}.")
        return self.path.parent / os.path.expanduser(self.text())

    def _child(self, value: Any, name: str | int) -> Node:
        return Node(value, (*self.key, name), self.path, self.lines)


def key_text(key: Key) -> str:
    """A key as people write it: `model.layers[2].units`."""
    text = ""
    for part in key:
        text += f"[{part}]" if isinstance(part, int) else f".{part}"
    return text.lstrip(".")


def optional(
    given: Mapping[str, Node], name: str, read: Callable[[Node], Result], default: Result
) -> Result:
    """What is read from a key, or the default where there is none."""
    return read(given[name]) if name in given else default


def items(given: Mapping[str, Node], name: str) -> list[Node]:
    """The elements of a list, none where there is no such key."""
    return given[name].items() if name in given else []
