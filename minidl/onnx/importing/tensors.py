"""The tensors of a file as arrays."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from minidl.errors import DataError
from minidl.typing import Array

DTYPES = {1: np.float32, 2: np.uint8, 3: np.int8, 6: np.int32, 7: np.int64, 9: np.bool_}
DTYPES |= {11: np.float64}


def array_of(tensor: Any) -> Array:
    """A tensor as an array; labels, which no layer needs, as an empty one."""
    if tensor.data_location == 1 or tensor.external_data:
        raise DataError(
            f"the tensor {tensor.name!r} lies in another file, which is not read. Export all into "
            "one file: torch.onnx.export(..., external_data=False), or load it with the onnx "
            "package and save it again"
        )
    if tensor.data_type == 8:
        return np.empty(0)
    if tensor.data_type not in DTYPES:
        raise DataError(f"the tensor {tensor.name!r} is of type {tensor.data_type}; use float32")
    dtype, shape = np.dtype(DTYPES[tensor.data_type]), tuple(tensor.dims)
    size = math.prod(shape)
    if tensor.HasField("raw_data"):
        values = tensor.raw_data
        held = len(values) / dtype.itemsize
    else:
        names = {1: "float_data", 7: "int64_data", 11: "double_data"}
        values = getattr(tensor, names.get(tensor.data_type, "int32_data"))
        held = len(values)
    if min(shape, default=0) < 0 or held != size:
        raise DataError(f"the tensor {tensor.name!r} of shape {shape} holds {held:g} values")
    if isinstance(values, bytes):
        return (
            np.frombuffer(values, dtype.newbyteorder("<")).astype(dtype, copy=False).reshape(shape)
        )
    return np.fromiter(values, dtype, size).reshape(shape)
