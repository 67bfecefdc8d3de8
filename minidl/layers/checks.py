"""Checks of arrays at the entrance of a model: done once there, not in every kernel."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from minidl.errors import ArgumentError, DTypeError, ShapeError
from minidl.finiteness import is_finite, raise_for_non_finite
from minidl.layers.input_fixes import dtype_fix, ragged_fix, shape_fix
from minidl.layers.planning import fits
from minidl.reading import MappedRows, Rows, is_mapped
from minidl.sparse import is_sparse
from minidl.typing import Array, Shape

if TYPE_CHECKING:
    from minidl.layers.base import Layer


def batch_shape(shape: Shape) -> str:
    """A sample's shape as users read it: `(784,)` is `(N, 784)`, an open time axis is T."""
    return f"({', '.join(['N', *('T' if length is None else str(length) for length in shape)])})"


def check_input(layer: Layer, x: Any) -> Array:
    """Return `x` if it is a batch that `layer` takes as it stands; raise otherwise."""
    if is_sparse(x):
        _check_sparse(layer, x)
    elif not isinstance(x, np.ndarray) or isinstance(x, np.matrix):  # whose * is a matrix product
        raise DTypeError(
            f"{layer.where}: expected a NumPy array, got {type(x).__name__}. "
            f"Convert it: np.asarray(x, dtype=np.{layer.dtype})."
        )
    if x.dtype != layer.dtype and not (layer.accepts_integers and x.dtype.kind in "iu"):
        raise DTypeError(
            f"{layer.where}: expected dtype {layer.dtype}, got {x.dtype}. {dtype_fix(layer, x)}"
        )
    if not fits(x.shape[1:], layer.input_shape) or x.shape[:1] in ((), (0,)):
        raise ShapeError(
            f"{layer.where}: expected input of shape {batch_shape(layer.input_shape)}, "
            f"got {x.shape}. {shape_fix(x, layer.input_shape)}"
        )
    checked: Array = x
    return checked


def convert_input(layer: Layer, x: ArrayLike) -> Array:
    """Like `check_input`, but other real floating input is converted to the model's dtype."""
    bound = layer.bound
    array = x.tocsr() if is_sparse(x) else _as_array(layer, x)  # type: ignore[union-attr]
    dtype = bound.params.dtype
    if array.dtype == dtype and array.shape[1:] == bound.input_shape and array.ndim and array.size:
        return check_input(layer, array) if is_sparse(array) else array  # as nearly always
    if array.dtype.kind == "f" and array.dtype != dtype:
        array = array.astype(dtype)
    return check_input(layer, array)


def convert_rows(layer: Layer, x: ArrayLike) -> Rows:
    """Like `convert_input`, but what is in a file stays there and is converted as it is read."""
    if not is_mapped(x):
        return convert_input(layer, x)
    mapped: Array = np.asarray(x)
    dtype = layer.dtype if mapped.dtype.kind == "f" else mapped.dtype
    check_input(layer, np.broadcast_to(np.empty((), dtype), mapped.shape))
    return MappedRows(x, dtype)  # type: ignore[arg-type]


def check_sequences(layer: Layer, input_shape: Shape) -> None:
    """Raise unless samples are sequences of vectors."""
    if len(input_shape) != 2:
        raise ShapeError(
            f"{layer.where}: expected input of shape (N, T, D), T steps of D numbers, got "
            f"{batch_shape(input_shape)}. Put Embedding or Reshape before it. A recurrent layer "
            "before it needs return_sequences=True."
        )


def check_parts(layer: Layer, input_shape: Shape, name: str, parts: int) -> None:
    """Raise unless the channels, the last axis, can be cut into so many parts."""
    channels = input_shape[-1]
    if channels % parts:
        divisors = [str(n) for n in range(1, min(channels, 1000) + 1) if channels % n == 0]
        raise ShapeError(
            f"{layer.where}: expected a number of channels that is a multiple of {name}={parts}, "
            f"got {batch_shape(input_shape)}. {channels} channels can be cut into "
            f"{', '.join(divisors)} {name}."
        )


def check_out(layer: Layer, out: Array, shape: Shape) -> None:
    """Raise unless `out` is an array of exactly this shape and the model's dtype."""
    if not isinstance(out, np.ndarray) or not fits(out.shape, shape) or out.dtype != layer.dtype:
        got = f"{out.shape} {out.dtype}" if isinstance(out, np.ndarray) else type(out).__name__
        raise ShapeError(
            f"{layer.where}: expected out of shape {shape} and dtype {layer.dtype}, got {got}."
        )


def check_mask(layer: Layer, mask: object, x: Array) -> None:
    """Raise unless `mask` says for each step of `x` whether it counts, and `layer` takes one."""
    if not layer.accepts_mask:
        raise ArgumentError(
            f"{layer.where}: takes no mask. Masks are for layers along a time axis, such as LSTM."
        )
    if not isinstance(mask, np.ndarray) or mask.dtype != bool:
        got = mask.dtype if isinstance(mask, np.ndarray) else type(mask).__name__
        raise DTypeError(
            f"{layer.where}: expected a mask of booleans, True where a step counts, got {got}. "
            "From lengths: np.arange(T) < lengths[:, np.newaxis]."
        )
    if mask.shape != x.shape[:2]:
        raise ShapeError(
            f"{layer.where}: expected a mask of shape (N, T) = {x.shape[:2]}, got {mask.shape}: "
            "one value for each step of each sample."
        )


def raise_if_not_finite(layer: Layer, x: Rows, y: Array) -> None:
    """Raise if the outputs are not finite because the inputs are not."""
    if is_finite(y):
        return
    size = x.block_rows if isinstance(x, MappedRows) else x.shape[0]
    for start in range(0, x.shape[0], size):
        part = x[start : start + size]
        raise_for_non_finite(part, f"{layer.where}: x", np.arange(start, start + part.shape[0]))


def _as_array(layer: Layer, x: ArrayLike) -> Array:
    try:
        return np.asarray(x)
    except ValueError as error:
        if "inhomogeneous" not in str(error):  # the word that NumPy has for it
            raise
        raise ShapeError(f"{layer.where}: expected an array, got {ragged_fix(x)}") from None


def _check_sparse(layer: Layer, x: Any) -> None:
    """Raise unless `layer` takes sparse rows, and `x` can be cut into rows at once."""
    if not layer.accepts_sparse:
        raise DTypeError(
            f"{layer.where}: expected a NumPy array, got the sparse {type(x).__name__}. Only a "
            "Dense in front takes sparse rows; x.toarray() makes an array if it fits in memory."
        )
    if x.format != "csr":
        raise DTypeError(f"{layer.where}: expected sparse rows (CSR), got {x.format}: x.tocsr().")
