"""Softmax attention of queries to keys, and its derivative, for many sequences and heads at once.

All arrays are (N, H, T, d): N sequences, H heads, T steps, d numbers a head.
"""

from __future__ import annotations

import numpy as np

from minidl.typing import Array


def attend(q: Array, k: Array, v: Array, mask: Array | None, causal: bool, out: Array) -> Array:
    r"""Write $C = A V$ with $A = \mathrm{softmax}(Q K^T)$ into `out`, and return A.

    Hidden keys, those with `mask` (N, T) False and, if `causal`, those after the query, have score
    $-\infty$. The maximum of a row is subtracted before the exponential, so that nothing overflows.
    A row in which all is hidden becomes zero: its maximum is taken as the least finite number and
    its sum as 1. Any other sum is at least 1, that of its largest term alone.
    """
    weights: Array = np.matmul(q, k.mT)  # (N, H, T, d) @ (N, H, d, T) -> (N, H, T, T)
    if mask is not None:
        weights += _penalty(mask, q)[:, np.newaxis, np.newaxis, :]  # (N, 1, 1, T)
    if causal:
        weights += _penalty(np.tri(q.shape[2], dtype=bool), q)  # (T queries, T keys)
    lowest = float(np.finfo(q.dtype).min)
    weights -= weights.max(axis=-1, keepdims=True, initial=lowest)
    np.exp(weights, out=weights)
    weights /= np.maximum(weights.sum(axis=-1, keepdims=True), 1.0)
    np.matmul(weights, v, out=out)  # (N, H, T, T) @ (N, H, T, d) -> (N, H, T, d)
    return weights


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
    np.matmul(weights.mT, dc, out=dv)  # (N, H, T, T) @ (N, H, T, d)
    ds = np.matmul(dc, v.mT)  # dA: (N, H, T, d) @ (N, H, d, T) -> (N, H, T, T)
    ds -= np.einsum("nhtd,nhtd->nht", dc, c)[..., np.newaxis]
    ds *= weights
    np.matmul(ds, k, out=dq)  # (N, H, T, T) @ (N, H, T, d) -> (N, H, T, d)
    np.matmul(ds.mT, q, out=dk)
