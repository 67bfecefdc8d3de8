"""Splits in which every part has the classes in the same proportions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from minidl.arguments import number_within
from minidl.errors import ArgumentError, DataError, ShapeError
from minidl.randomness import seed_sequence
from minidl.sparse import dense_array, is_sparse
from minidl.typing import Array, RNGLike

_DECIMALS = 9  # 50 * 0.58 is 28.999999999999996, and means 29


def stratified_split(
    x: ArrayLike,
    y: ArrayLike,
    *,
    sizes: Sequence[float] = (0.8, 0.1, 0.1),
    rng: RNGLike = None,
) -> tuple[tuple[Any, Array], ...]:
    r"""Split labelled data into parts, such as training, validation and test data, class by class.

    Of the $n_c$ rows of class $c$ part $p$ gets $\lfloor n_c s_p \rfloor$ or
    $\lceil n_c s_p \rceil$. The rows that rounding down leaves over go to the parts with the
    largest remainders, summed over the classes so far, so that the sizes of the parts come out,
    too. Every row is in exactly one part, and each part is shuffled.

    A class with fewer rows than there are parts is missing in some of them. For regression no such
    split exists: take a permutation of the rows.

    Args:
        x: Data (N, ...); may be sparse rows of scipy.sparse.
        y: Labels (N,): integers, booleans or texts.
        sizes: Fraction of the rows in each part; they sum to 1.
        rng: Seed or generator.

    Returns:
        A tuple with a pair `(x, y)` for each of the sizes. The arrays are copies.

    Raises:
        ShapeError: If x and y differ in length, or y is not one label a row.
        DataError: If y is not made of labels, or a part would be empty.
        ArgumentError: If the sizes are not positive or do not sum to 1.

    Example:
        >>> import numpy as np, minidl as dl
        >>> x, y = np.arange(100.0).reshape(50, 2), np.arange(50) % 5
        >>> (x_train, y_train), (x_val, y_val), (x_test, y_test) = dl.stratified_split(x, y, rng=0)
        >>> x_train.shape, np.bincount(y_train).tolist(), np.bincount(y_test).tolist()
        ((40, 2), [8, 8, 8, 8, 8], [1, 1, 1, 1, 1])
    """
    data: Any = x.tocsr() if is_sparse(x) else np.asarray(x)  # type: ignore[union-attr]
    labels = _labels(y, data.shape[:1])
    fractions = _fractions(sizes)
    generator = np.random.default_rng(seed_sequence(rng))

    _, classes, counts = np.unique(labels, return_inverse=True, return_counts=True)
    rows_by_class = np.split(np.argsort(classes, kind="stable"), np.cumsum(counts)[:-1])
    parts: list[list[Array]] = [[] for _ in fractions]
    for rows, shares in zip(rows_by_class, _shares(counts, fractions), strict=True):
        pieces = np.split(generator.permutation(rows), np.cumsum(shares)[:-1])
        for part, piece in zip(parts, pieces, strict=True):
            part.append(piece)
    chosen = [generator.permutation(np.concatenate(part)) for part in parts]
    for rows, size in zip(chosen, fractions, strict=True):
        if not len(rows):
            raise DataError(
                f"stratified_split: the part of size {size:g} would be empty, of {len(labels):,} "
                f"rows in {len(counts):,} classes. Give more rows, or larger parts."
            )
    return tuple((data[rows], labels[rows]) for rows in chosen)


def _shares(counts: Array, fractions: Array) -> Array:
    """How many rows of each class each part gets (C, P)."""
    quotas = np.round(counts[:, np.newaxis] * fractions, _DECIMALS)  # (C, P)
    shares = np.floor(quotas).astype(np.int64)
    owed = np.cumsum(quotas, axis=0)  # of all classes so far
    for c, n in enumerate(counts):
        short = np.round(owed[c] - shares[: c + 1].sum(axis=0), _DECIMALS)
        claims = np.where(quotas[c] > shares[c], short, -np.inf)
        first = np.argsort(-claims, kind="stable")[: n - shares[c].sum()]
        shares[c, first] += 1
    return shares


def _labels(y: ArrayLike, rows: tuple[int, ...]) -> Array:
    labels = dense_array(y, "stratified_split: y", "y")
    if labels.ndim != 1:
        raise ShapeError(
            f"stratified_split: expected one label a row, y of shape (N,), got {labels.shape}. "
            "From one-hot rows: split with y.argmax(axis=1)."
        )
    if labels.shape != rows:
        raise ShapeError(
            f"stratified_split: x has {rows[0] if rows else 'no'} rows and y has {len(labels):,}; "
            "every row of x needs one label."
        )
    if labels.dtype.kind not in "iubUS":
        raise DataError(
            f"stratified_split: labels must be integers, booleans or texts, got dtype "
            f"{labels.dtype}. Whole numbers: y.astype(np.int64); texts: y.astype(str). Continuous "
            "targets have no classes: split a permutation of the rows."
        )
    return labels


def _fractions(sizes: Sequence[float]) -> Array:
    given = [sizes] if np.ndim(sizes) == 0 else list(sizes)
    values = [number_within("stratified_split", "each of sizes", s, 0.0, 1.0) for s in given]
    if len(values) < 2 or not all(values) or abs(sum(values) - 1) > 1e-9:
        raise ArgumentError(
            "stratified_split: sizes must be two or more positive fractions that sum to 1, such "
            f"as (0.8, 0.1, 0.1), got {sizes!r}."
        )
    return np.array(values)
