"""Matrix products, cut into pieces where one factor is narrow."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

from minidl.sparse import is_sparse
from minidl.typing import Array

NARROW = 16  # columns up to which pieces pay
PIECE = 100**3  # multiplications up to which OpenBLAS takes its kernels for small matrices
SHORTEST = 64  # columns of a piece below which they do not pay
CALL = 4096  # numbers of a column that are copied in the time of one call of SciPy
WITH_SMALL_KERNELS = {"SkylakeX", "Cooperlake", "SapphireRapids"}


def matmul(a: Array, b: Array, out: Array | None = None) -> Array:
    """Return `a @ b` for matrices (N, K) and (K, M); `a` may be sparse.

    OpenBLAS multiplies a large matrix by a narrow one at less than half of its usual rate, unless
    the product is small enough for the kernels that it has for small matrices on processors with
    AVX-512. There a long `a` is cut into stretches of rows that are: the two products of a layer
    784-10 take 44 microseconds instead of 77 for 128 rows, and 178 instead of 316 for 512.

    Example:
        >>> import numpy as np
        >>> a, b = np.ones((1000, 784)), np.ones((784, 10))
        >>> np.array_equal(matmul(a, b), a @ b)
        True
    """
    if is_sparse(a):
        return _sparse_matmul(a, b, out)
    if b.shape[1] > NARROW or a.size * b.shape[1] <= PIECE or not has_small_kernels():
        return np.matmul(a, b, out=out)
    (n, k), m = a.shape, b.shape[1]
    if out is None:
        out = np.empty((n, m), a.dtype)
    rows = max(PIECE // (k * m) // 8 * 8, 8)
    whole = n // rows * rows
    pieces, results = a[:whole].reshape(-1, rows, k), out[:whole].reshape(-1, rows, m)  # views
    np.matmul(pieces, b, out=results)  # (P, rows, K) @ (K, M) -> (P, rows, M)
    np.matmul(a[whole:], b, out=out[whole:])
    return out


def _sparse_matmul(a: Any, b: Array, out: Array | None) -> Array:
    """Return `a @ b` for sparse rows `a`, by SciPy's own loops and not its BLAS.

    SciPy copies a matrix that is not in C order, as narrow weights are. For a few rows of words
    that takes far longer than the product, and column by column nothing is copied.
    """
    if b.flags.c_contiguous or a.nnz + CALL >= len(b):
        product: Array = a @ b
        return np.positive(product, out=out)
    if out is None:
        out = np.empty((a.shape[0], b.shape[1]), a.dtype)
    for column, w in zip(out.T, b.T, strict=True):
        column[...] = a @ w  # (N, K) @ (K,) -> (N,)
    return out


def piece_count(rows: int, inner: int, columns: int) -> int:
    """Into how many equal pieces the columns of (rows, inner) @ (inner, columns) are best cut.

    The same kernels make products of convolutions, with few rows and hundreds of columns, up to
    twice as fast: 110 GFLOP/s for 16 x 150 by 150 x 320, 75 for twice the columns in one piece.

    Example:
        >>> piece_count(6, 25, 1792)  # is small as it is
        1
    """
    least = -(-rows * inner * columns // PIECE)
    if least == 1 or not has_small_kernels():
        return 1
    counts = range(least, columns // SHORTEST + 1)  # none where a single column is too large
    return next((count for count in counts if columns % count == 0), 1)


def rows_times(x: Array, w: Array, out: Array | None) -> Array:
    """Return x W for rows (N, D), or for the steps of sequences (N, T, D)."""
    if x.ndim == 2:
        return matmul(x, w, out)
    if out is None or not out.flags.c_contiguous:
        return matmul(as_rows(x), w).reshape(*x.shape[:-1], -1)
    matmul(as_rows(x), w, as_rows(out))
    return out


def as_rows(x: Array) -> Array:
    """Every step of sequences (N, T, D) as a row (N T, D); rows as they are."""
    return x if x.ndim == 2 else x.reshape(-1, x.shape[-1])


@functools.cache
def has_small_kernels() -> bool:
    """Whether NumPy's BLAS is one that has kernels for small matrices."""
    import threadpoolctl

    return any(
        pool.get("architecture") in WITH_SMALL_KERNELS for pool in threadpoolctl.threadpool_info()
    )
