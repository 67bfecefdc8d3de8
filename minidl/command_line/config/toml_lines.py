"""On which line of a TOML text each key and each element of an array stands."""

from __future__ import annotations

import re
from typing import TypeAlias

Key: TypeAlias = tuple[str | int, ...]  # names of tables and keys, and places in arrays

_BLANK = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_STRING = re.compile(
    r'"""(?:\\.|[^\\])*?"{3,5}' + r"|'''.*?'{3,5}" + r'|"(?:\\.|[^"\\])*"' + r"|'[^']*'", re.DOTALL
)
_BARE = re.compile(r"[^\s=.,\[\]{}#\"']+")
_SCALAR = re.compile(r"[^,\]}#\n]+")


class TomlLines:
    """A walk over a text that a TOML parser has found correct; it finds lines, not values.

    Attributes:
        lines: Line by key, from 1: `("model", "layers", 2, "units")`.
    """

    def __init__(self, text: str) -> None:
        self._text, self._at = text, 0
        self._tables: dict[Key, int] = {}  # arrays of tables, and the place of the last one
        self.lines: dict[Key, int] = {}
        table: Key = ()
        while self._skip() < len(text):
            if text[self._at] == "[":
                table = self._header()
            else:
                self._pair(table)

    def _skip(self) -> int:
        """Pass over space and comments; return the place behind."""
        found = _BLANK.match(self._text, self._at)
        self._at = found.end() if found else self._at
        return self._at

    def _take(self, pattern: re.Pattern[str]) -> str:
        found = pattern.match(self._text, self._at)
        if found is None:
            return ""
        self._at = found.end()
        return found[0]

    def _note(self, key: Key) -> None:
        self.lines.setdefault(key, self._text.count("\n", 0, self._at) + 1)

    def _header(self) -> Key:
        """`[table]` or `[[table]]`."""
        several = self._text.startswith("[[", self._at)
        self._at += 1 + several
        *before, last = self._names()
        self._at += 1 + several
        key: Key = ()
        for name in before:
            key = self._current((*key, name))
        key = (*key, last)
        self._note(key)
        if not several:
            return key
        self._tables[key] = self._tables.get(key, -1) + 1
        key = self._current(key)
        self._note(key)
        return key

    def _current(self, key: Key) -> Key:
        """The last table of an array of tables, or the table itself."""
        return (*key, self._tables[key]) if key in self._tables else key

    def _names(self) -> list[str]:
        """A key with dots in it, as its parts."""
        names = []
        while True:
            self._skip()
            quoted = self._take(_STRING)
            names.append(quoted[1:-1] if quoted else self._take(_BARE))
            self._skip()
            if not self._text.startswith(".", self._at):
                return names
            self._at += 1

    def _pair(self, table: Key) -> None:
        """`key = value`."""
        start = self._at
        names = self._names()
        end, self._at = self._at, start
        for i in range(len(names)):
            self._note((*table, *names[: i + 1]))
        self._at = end + 1
        self._value((*table, *names))

    def _value(self, key: Key) -> None:
        self._skip()
        self._note(key)
        opening = self._text[self._at]
        if opening == "[":
            self._members("]", key)
        elif opening == "{":
            self._members("}", key)
        elif not self._take(_STRING):
            self._take(_SCALAR)

    def _members(self, closing: str, key: Key) -> None:
        """The elements of an array, or the pairs of an inline table."""
        self._at += 1
        index = 0
        while self._text[self._skip()] != closing:
            if closing == "]":
                self._value((*key, index))
            else:
                self._pair(key)
            index += 1
            if self._text[self._skip()] == ",":
                self._at += 1
        self._at += 1
