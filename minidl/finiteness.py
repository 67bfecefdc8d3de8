"""NaN and infinity: a check that costs next to nothing, and a diagnosis once it has failed."""

import math

import numpy as np

from minidl.errors import DataError
from minidl.sparse import is_sparse
from minidl.typing import Array


def is_finite(a: Array) -> bool:
    """Whether all elements are finite.

    A dot product with itself is finite only if every element is; only where it is not (which an
    overflow of the squares can cause as well) is every element looked at.
    """
    if is_sparse(a):
        a = a.data  # type: ignore[assignment]
    if a.dtype.kind == "f":
        flat = a if a.flags.c_contiguous else a.ravel(order="K")
        if math.isfinite(np.vdot(flat, flat)):  # unlike dot, vdot does not warn of overflow
            return True
    return bool(np.isfinite(a).all())


def raise_for_non_finite(x: Array, name: str, rows: Array | None = None) -> None:
    """Raise a `DataError` that names rows and columns where `x` is not finite.

    Args:
        x: Data (N, ...).
        name: What the array is called in the message.
        rows: The row numbers to show, where `x` is a selection of a larger array.
    """
    if is_finite(x):
        return
    if is_sparse(x):  # only the rows concerned as an array
        entries = x.tocoo()  # type: ignore[attr-defined]
        found = np.unique(entries.coords[0][~np.isfinite(entries.data)])
        rows = found if rows is None else np.asarray(rows)[found]
        x = x[found].toarray()
    bad = ~np.isfinite(x)
    row_numbers = np.flatnonzero(bad.reshape(len(x), -1).any(axis=1))
    columns = np.flatnonzero(bad.reshape(len(x), -1).any(axis=0))
    kinds = [
        kind
        for kind, found in (("NaN", np.isnan(x).any()), ("infinity", np.isinf(x).any()))
        if found
    ]
    shown = row_numbers if rows is None else np.sort(np.asarray(rows)[row_numbers])
    where = f"row{_numbers(shown)}"
    if x.ndim > 1:
        where += f", column{_numbers(columns)}" + (" (flattened)" if x.ndim > 2 else "")
    raise DataError(
        f"{name} has {' and '.join(kinds)} in {where}. Remove or fill these values before, for "
        "example with np.nan_to_num or by dropping the rows."
    )


def _numbers(numbers: Array, most: int = 8) -> str:
    text = ", ".join(str(number) for number in numbers[:most])
    more = f" and {len(numbers) - most:,} more" if len(numbers) > most else ""
    return f"{'s' if len(numbers) > 1 else ''} {text}{more}"
