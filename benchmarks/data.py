"""The files through which all contestants get the same rows and the same initial values."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from benchmarks.networks import Start

ROWS, FEATURES = 60_000, 784


def write_rows(folder: Path) -> str:
    """Write the training rows into a folder; returns what they are."""
    import minidl as dl

    name = "MNIST"
    try:
        (x, y), _ = dl.load_mnist()
    except dl.DatasetNotFoundError:
        name = "synthetic digits of MNIST's shape (MNIST was not at hand)"
        x, y = dl.synthetic_digits(ROWS, rng=0)
    x.tofile(folder / "x")
    y.tofile(folder / "y")
    return name


def read_rows(folder: str, rows: int) -> tuple[np.ndarray, np.ndarray]:
    """The first rows and their labels, nothing twice in memory.

    Rows begin at a cache line: only then can JAX use them where they are.
    """
    size = rows * FEATURES
    memory = np.empty(size + 16, np.float32)
    first = -memory.ctypes.data % 64 // 4
    x = memory[first : first + size]
    with open(Path(folder, "x"), "rb") as file:
        file.readinto(x)
    return x.reshape(rows, FEATURES), np.fromfile(Path(folder, "y"), np.int64, rows)


def write_start(folder: Path, start: Start) -> None:
    """Write initial values."""
    write_arrays(folder / "start.npz", [a for pair in start for a in pair])


def read_start(folder: str) -> Start:
    """The values that `write_start` wrote."""
    arrays = read_arrays(Path(folder, "start.npz"))
    return list(zip(arrays[::2], arrays[1::2], strict=True))


def write_arrays(path: str | Path, arrays: Sequence[np.ndarray]) -> None:
    """Write arrays of any shapes, in their order."""
    np.savez(path, *arrays)


def read_arrays(path: str | Path) -> list[np.ndarray]:
    """What `write_arrays` wrote."""
    with np.load(path) as file:
        return [file[f"arr_{i}"] for i in range(len(file.files))]
