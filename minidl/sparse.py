"""Sparse batches: rows of which nearly all elements are zero, such as counts of words."""

from __future__ import annotations

from typing import Any

import numpy as np

from minidl.errors import DTypeError
from minidl.typing import Array


def is_sparse(x: Any) -> bool:
    """Whether `x` is one of scipy.sparse's arrays or matrices (told without importing SciPy)."""
    return hasattr(x, "tocsr") and hasattr(x, "nnz")


def dense_array(value: Any, what: str, variable: str) -> Array:
    """Return `value` as an array; raise where it is sparse, which NumPy takes for one object."""
    if is_sparse(value):
        raise DTypeError(
            f"{what} must be an array, got the sparse {type(value).__name__}: {variable}.toarray()."
        )
    return np.asarray(value)
