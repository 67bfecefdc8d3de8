"""Softmax attention of queries to keys, and its derivative, for many sequences and heads at once.

All arrays are (N, H, T, d): N sequences, H heads, T steps, d numbers a head.
"""

from __future__ import annotations

import numpy as np

from minidl.typing import Array

# Weights at a time. Anything from 1 to 8 MiB takes the same time; those of a large batch at once
# take twice as long, and five times where their memory is new to the process.
PIECE_BYTES = 2**21


def pieces(q: Array) -> list[tuple[slice, slice]]:
    """Cut sequences, and heads if need be, so that the weights (T, T) of a piece fit the bound."""
    n, heads, t, _ = q.shape
    most = max(PIECE_BYTES // (t * t * q.itemsize), 1)
    n_sequences, n_heads = max(most // heads, 1), min(most, heads)
    return [
        (slice(start, min(start + n_sequences, n)), slice(first, min(first + n_heads, heads)))
        for start in range(0, n, n_sequences)
        for first in range(0, heads, n_heads)
    ]


def attend(
    q: Array, k: Array, v: Array, mask: Array | None, causal: bool, keep: bool, out: Array
) -> Array | None:
    r"""Write $C = A V$ with $A = \mathrm{softmax}(Q K^T)$ into `out`; return A if told to keep it.

    Hidden keys, those with `mask` (N, T) False and, if `causal`, those after the query, have score
    $-\infty$. The maximum of a row is subtracted before the exponential, so that nothing overflows.
    A row in which all is hidden becomes zero: its maximum is taken as the least finite number and
    its sum as 1. Any other sum is at least 1, that of its largest term alone.
    """
    n, heads, t, _ = q.shape
    kept = np.empty((n, heads, t, t), q.dtype) if keep else None
    lowest = float(np.finfo(q.dtype).min)
    masked = None if mask is None else _penalty(mask, q)[:, np.newaxis, np.newaxis]  # (N, 1, 1, T)
    later = _penalty(np.tri(t, dtype=bool), q) if causal else None  # (T queries, T keys)
    for piece in pieces(q):
        weights = None if kept is None else kept[piece]
        weights = np.matmul(q[piece], k[piece].mT, out=weights)  # (N, H, T, d) @ (N, H, d, T)
        if masked is not None:
            weights += masked[piece[0]]
        if later is not None:
            weights += later
        weights -= weights.max(axis=-1, keepdims=True, initial=lowest)
        np.exp(weights, out=weights)
        weights /= np.maximum(weights.sum(axis=-1, keepdims=True), 1.0)
        np.matmul(weights, v[piece], out=out[piece])  # (N, H, T, T) @ (N, H, T, d)
    return kept


def _penalty(visible: Array, like: Array) -> Array:
    """0 where visible and minus infinity elsewhere; adding it is faster than assigning."""
    penalty: Array = np.where(visible, 0.0, -np.inf).astype(like.dtype)
    return penalty


def attend_backward(
    dc: Array, c: Array, weights: Array, q: Array, k: Array, v: Array, out: Array
) -> None:
    r"""Write dQ, dK and dV into `out` (3, N, H, T, d), from dC and what `attend` computed.

    The projection $\sum_j dA_{ij} A_{ij}$ in the derivative of the softmax is
    $\sum_j (dC_i \cdot V_j) A_{ij} = dC_i \cdot C_i$, a sum over d numbers in place of T.
    """
    dq, dk, dv = out
    for piece in pieces(q):
        a, dc_piece = weights[piece], dc[piece]
        np.matmul(a.mT, dc_piece, out=dv[piece])  # (N, H, T, T) @ (N, H, T, d)
        ds = np.matmul(dc_piece, v[piece].mT)  # dA: (N, H, T, d) @ (N, H, d, T) -> (N, H, T, T)
        ds -= np.einsum("nhtd,nhtd->nht", dc_piece, c[piece])[..., np.newaxis]
        ds *= a
        np.matmul(ds, k[piece], out=dq[piece])  # (N, H, T, T) @ (N, H, T, d) -> (N, H, T, d)
        np.matmul(ds.mT, q[piece], out=dk[piece])
