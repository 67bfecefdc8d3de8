"""The windows of sequences, written out as the rows of a matrix for each group of channels.

A window has K = kernel * C / groups numbers. Sequences (N, T, C) lie in C order, so that the steps
of a window are copied as stretches of C / groups numbers.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from minidl.layers.windows import COLUMN_BYTES, Geometry, overlap
from minidl.typing import Array


def stretches(x: Array, steps: int, at: Geometry) -> Iterator[tuple[slice, slice]]:
    """Cut samples, and output steps if need be, so that the windows of each part fit the bound."""
    bytes_a_step = at.kernel[0] * x.shape[2] * x.itemsize
    n_samples = max(COLUMN_BYTES // (bytes_a_step * steps), 1)
    n_steps = max(COLUMN_BYTES // bytes_a_step, 1)
    for start in range(0, len(x), n_samples):
        for first in range(0, steps, n_steps):
            yield slice(start, start + n_samples), slice(first, min(first + n_steps, steps))


def by_groups(a: Array, groups: int) -> Array:
    """An array (..., F) as matrices (groups, M, F / groups)."""
    return a.reshape(-1, groups, a.shape[-1] // groups).swapaxes(0, 1)


def columns(x: Array, times: slice, at: Geometry) -> Array:
    """The windows of some output steps as matrices (groups, M, K), M for samples and steps."""
    n, t, c = x.shape
    make = np.zeros if any(at.pads(0, t)) else np.empty
    windows = make((at.groups, n, times.stop - times.start, at.kernel[0], c // at.groups), x.dtype)
    for source, place in _pairs(x, windows, times, at):
        place[...] = source
    return windows.reshape(at.groups, -1, at.kernel[0] * c // at.groups)


def add_columns(matrices: Array, x: Array, times: slice, at: Geometry) -> None:
    """Add matrices such as `columns` returns to the steps of x that their numbers come from."""
    n, _, c = x.shape
    windows = matrices.reshape(at.groups, n, -1, at.kernel[0], c // at.groups)
    for source, place in _pairs(x, windows, times, at):
        source += place


def _pairs(x: Array, windows: Array, times: slice, at: Geometry) -> Iterator[tuple[Array, Array]]:
    """For each step of the kernel: the part of x under it, and that part's place in the windows."""
    n, t, c = x.shape
    lines = np.moveaxis(x.reshape(n, t, at.groups, c // at.groups), 2, 0)  # (G, N, T, C / G)
    first = times.start * at.stride[0] - at.pads(0, t)[0]
    for k in range(at.kernel[0]):
        inner, used = overlap(first + k * at.dilation[0], at.stride[0], t, windows.shape[2])
        yield lines[:, :, used], windows[:, :, inner, k]
