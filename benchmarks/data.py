"""The files through which all contestants get the same rows and the same initial values."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from benchmarks.networks import Start

if TYPE_CHECKING:
    from scipy.sparse import csr_array

ROWS, FEATURES = 60_000, 784
SPARSE_SHAPE, SPARSE_CLASSES, DENSITY = (20_000, 50_000), 5, 0.001


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


def write_sparse_rows(folder: Path) -> None:
    """Write random sparse rows, and labels by a linear rule, into a folder."""
    from scipy import sparse

    rng = np.random.default_rng(0)
    x = sparse.random_array(SPARSE_SHAPE, density=DENSITY, rng=rng, dtype=np.float32).tocsr()
    sparse.save_npz(folder / "sparse.npz", x, compressed=False)
    rule = rng.normal(size=(SPARSE_SHAPE[1], SPARSE_CLASSES))
    (x @ rule).argmax(axis=1).tofile(folder / "sparse_y")


def read_sparse_rows(folder: str, rows: int) -> tuple[csr_array, np.ndarray]:
    """The first sparse rows and their labels."""
    from scipy import sparse

    x = sparse.load_npz(Path(folder, "sparse.npz"))
    return x[:rows], np.fromfile(Path(folder, "sparse_y"), np.int64, rows)


def bytes_of(x: np.ndarray | csr_array) -> int:
    """Bytes of an array, or of what a sparse array stores."""
    parts = [x] if isinstance(x, np.ndarray) else [x.data, x.indices, x.indptr]
    return sum(part.nbytes for part in parts)


def write_start(folder: Path, start: Start) -> None:
    """Write initial values; names say which arrays belong to one layer."""
    arrays = {f"{i} {j}": a for i, layer in enumerate(start) for j, a in enumerate(layer)}
    np.savez(folder / "start.npz", **arrays)


def read_start(folder: str) -> Start:
    """The values that `write_start` wrote."""
    with np.load(Path(folder, "start.npz")) as file:
        layers = groupby(file.files, key=lambda name: name.split()[0])
        return [tuple(file[name] for name in names) for _, names in layers]


def write_arrays(path: str | Path, arrays: Sequence[np.ndarray]) -> None:
    """Write arrays of any shapes, in their order."""
    np.savez(path, *arrays)


def read_arrays(path: str | Path) -> list[np.ndarray]:
    """What `write_arrays` wrote."""
    with np.load(path) as file:
        return [file[f"arr_{i}"] for i in range(len(file.files))]
