"""Arrays as Python text: short ones as numbers, long ones in base64."""

from __future__ import annotations

import base64

import numpy as np

from minidl.typing import Array

SHORT = 16  # numbers that are written out
A_LINE = 88


def assignment(name: str, values: Array) -> str:
    """`name = ...` for a float32 array, or for whole numbers in int64."""
    kind = "<f4" if values.dtype == np.float32 else "<i8"
    if values.size <= SHORT and values.ndim == 1:
        numbers = ", ".join(map(str, values))
        return f'{name} = np.array([{numbers}], "{kind}")'
    text = base64.b64encode(np.ascontiguousarray(values, kind).tobytes()).decode()
    lines = "\n".join(text[i : i + A_LINE] for i in range(0, len(text), A_LINE))
    return f'{name} = numbers("{kind}", {values.shape}, """\n{lines}\n""")'
