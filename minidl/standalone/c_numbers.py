"""Numbers as C text, short and exact, and back."""

from __future__ import annotations

import re

import numpy as np

from minidl.typing import Array

ARRAY = re.compile(r"static const (float|int8_t) (\w+)\[(\d+)\] = \{([^}]*)\};")
A_LINE = {"float": 8, "int8_t": 24}


def number(value: float) -> str:
    """A number of Python as an int or a float of C."""
    return str(value) if isinstance(value, int) else _float(np.float32(value))


def _float(value: np.float32) -> str:
    return f"{value!s}f"  # the shortest text that is read back as the same float32


def array(name: str, values: Array, indent: str = "") -> str:
    """The definition of an array, row-major."""
    kind = "int8_t" if values.dtype == np.int8 else "float"
    texts = [str(v) for v in values.flat] if kind == "int8_t" else [_float(v) for v in values.flat]
    step = A_LINE[kind]
    lines = [", ".join(texts[i : i + step]) for i in range(0, len(texts), step)]
    body = ",\n".join(f"{indent}    {line}" for line in lines)
    return f"{indent}static const {kind} {name}[{len(texts)}] = {{\n{body}\n{indent}}};"


def arrays_in(text: str) -> dict[str, Array]:
    """All arrays of a C text by name, as a compiler reads them."""
    found = {}
    for kind, name, length, body in ARRAY.findall(text):
        dtype = np.int8 if kind == "int8_t" else np.float32
        values = np.array([part.strip().removesuffix("f") for part in body.split(",")], dtype)
        if len(values) == int(length):
            found[name] = values
    return found
