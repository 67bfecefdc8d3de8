"""What a file may hold before a library decodes it: a byte of it can become a hundred in memory.

A file of messages is a tree of fields: a key, which says the field's number and kind, and its
content. An empty node takes two bytes in the file and a hundred in memory, so the fields are
counted first, by a walk that keeps nothing.
"""

from __future__ import annotations

from typing import Any

from minidl.errors import DataError

MOST_FIELDS = 200_000  # a network of a thousand nodes has some ten thousand
DEEPEST = 32

Fields = dict[int, Any]  # what a message's fields hold: messages, or packed whole numbers
NUMBERS = "numbers"
TENSOR: Fields = {1: NUMBERS, 3: {}, 5: NUMBERS, 7: NUMBERS, 11: NUMBERS, 13: {}, 16: {}}
SPARSE: Fields = {1: TENSOR, 2: TENSOR, 3: NUMBERS}
SHAPE: Fields = {1: {}}
TYPE: Fields = {1: {2: SHAPE}, 8: {2: SHAPE}}
TYPE |= {4: {1: TYPE}, 5: {2: TYPE}, 9: {1: TYPE}}
VALUE: Fields = {2: TYPE, 4: {}}
ATTRIBUTE: Fields = {5: TENSOR, 8: NUMBERS, 10: TENSOR, 14: TYPE, 15: TYPE, 22: SPARSE, 23: SPARSE}
NODE: Fields = {5: ATTRIBUTE, 9: {}}
GRAPH: Fields = {
    1: NODE,
    5: TENSOR,
    11: VALUE,
    12: VALUE,
    13: VALUE,
    14: {2: {}},
    15: SPARSE,
    16: {},
}
ATTRIBUTE |= {6: GRAPH, 11: GRAPH}
FUNCTION: Fields = {7: NODE, 9: {}, 11: ATTRIBUTE, 12: VALUE, 14: {}}
MODEL: Fields = {7: GRAPH, 8: {}, 14: {}, 20: {1: GRAPH, 2: GRAPH, 3: {}, 4: {}}, 25: FUNCTION}


class Walk:
    """Counts the fields of a file; raises where it is no tree of fields, or one of too many."""

    def __init__(self, data: bytes) -> None:
        self.data, self.left = data, MOST_FIELDS

    def fields(self, start: int, stop: int, inside: Fields, depth: int = 0) -> None:
        """Walk over the fields from one byte to another."""
        if depth > DEEPEST:
            raise DataError(f"its messages are nested more than {DEEPEST} deep")
        while start < stop:
            self._count(1)
            key, start = self.number(start, stop)
            kind = key & 7
            if kind == 0:
                _, start = self.number(start, stop)
            elif kind in (1, 5):
                start += 8 if kind == 1 else 4
            elif kind == 2:
                size, start = self.number(start, stop)
                content = inside.get(key >> 3)
                if size > stop - start:
                    raise DataError("it is cut off, or damaged")
                if content == NUMBERS:  # of a byte or more each, eight bytes in memory
                    self._count(size // 8)
                elif isinstance(content, dict):
                    self.fields(start, start + size, content, depth + 1)
                start += size
            else:
                raise DataError("it is not an ONNX file")
        if start > stop:
            raise DataError("it is cut off, or damaged")

    def number(self, start: int, stop: int) -> tuple[int, int]:
        """A whole number of seven bits a byte, and where it ends."""
        value = 0
        for i in range(start, min(start + 10, stop)):
            value |= (self.data[i] & 127) << 7 * (i - start)
            if self.data[i] < 128:
                return value, i + 1
        raise DataError("it is cut off, or damaged")

    def _count(self, fields: int) -> None:
        self.left -= fields
        if self.left < 0:
            raise DataError(f"it holds more than {MOST_FIELDS} nodes, names and numbers")


def check_size(data: bytes) -> None:
    """Raise unless these bytes take at most a few times their number in memory, once decoded."""
    Walk(data).fields(0, len(data), MODEL)
