"""Sparse batches: rows of which nearly all elements are zero, such as counts of words."""

from __future__ import annotations

from typing import Any


def is_sparse(x: Any) -> bool:
    """Whether `x` is one of scipy.sparse's arrays or matrices (told without importing SciPy)."""
    return hasattr(x, "tocsr") and hasattr(x, "nnz")
