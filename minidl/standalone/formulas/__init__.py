"""What each layer computes in inference, as NumPy functions of float32 arrays.

They stand in the files that `export_numpy` writes, word by word; and what `export_c` writes is
compared with them. A function uses NumPy, `math`, and others of this room.
"""

from collections.abc import Callable

from minidl.standalone.formulas import (
    activations,
    affine,
    int8,
    pooling,
    recurrent,
    rows,
    shapes,
)
from minidl.typing import Array

FORMULAS: dict[str, Callable[..., Array]] = {
    name: function
    for module in (affine, int8, activations, rows, pooling, shapes, recurrent)
    for name, function in vars(module).items()
    if getattr(function, "__module__", "") == module.__name__
}
