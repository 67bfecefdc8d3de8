"""Data sets of images and labels in IDX files: where they are looked for, and what is checked."""

from __future__ import annotations

import os
from collections.abc import Sequence
from itertools import product
from pathlib import Path
from typing import NamedTuple, NoReturn, TypeAlias

import numpy as np

from minidl.datasets.download import cache_folder, download
from minidl.datasets.idx import read_served_idx, read_zipped_idx
from minidl.errors import DataError, DatasetNotFoundError
from minidl.typing import Array

PathLike: TypeAlias = "str | os.PathLike[str]"
Pair: TypeAlias = tuple[Array, Array]

NAMES = (  # MNIST's, which others have taken over
    "train-images-idx3-ubyte",
    "train-labels-idx1-ubyte",
    "t10k-images-idx3-ubyte",
    "t10k-labels-idx1-ubyte",
)


class ServedFile(NamedTuple):
    """A file as mirrors serve it: its name, its SHA-256, and that of its content, where known."""

    name: str
    sha256: str
    unpacked_sha256: str | None = None


class IdxSet(NamedTuple):
    """A data set.

    Attributes:
        loader: The function that loads it, for messages.
        folder: Its folder in `$MINIDL_DATA_DIR` and in the cache.
        served: What to download: four packed files, or one archive that holds them.
        mirrors: Addresses that the name of a served file is appended to.
        rows: Number of training images and of test images.
        names: Files of training images, training labels, test images, test labels.
        classes: Number of classes.
        first_label: The lowest label in the files, which becomes 0.
        transposed: Whether images lie column by column.
        image_shape: Height and width.
    """

    loader: str
    folder: str
    served: tuple[ServedFile, ...]
    mirrors: tuple[str, ...]
    rows: tuple[int, int]
    names: tuple[str, ...] = NAMES
    classes: int = 10
    first_label: int = 0
    transposed: bool = False
    image_shape: tuple[int, int] = (28, 28)

    @property
    def archive(self) -> ServedFile | None:
        """The archive that holds all files, where there is one."""
        return self.served[0] if self.served[0].name.endswith(".zip") else None


def load_idx_set(data: IdxSet, data_dir: PathLike | None) -> tuple[Pair, Pair]:
    """Find, read and check a data set; `load_mnist` says what comes back."""
    paths = _find(data, data_dir)
    arrays = _read(data, [paths[name] for name in data.names])
    halves = zip(arrays[::2], arrays[1::2], data.rows, data.names[::2], strict=True)
    train, test = (
        _as_pair(data, images, labels, rows, paths[name]) for images, labels, rows, name in halves
    )
    return train, test


def _read(data: IdxSet, paths: Sequence[Path]) -> list[Array]:
    """The four arrays as they are in the files, each checked against what is known of it."""
    if data.archive is not None and paths[0].name == data.archive.name:
        return read_zipped_idx(paths[0], [f"{name}.gz" for name in data.names], data.archive.sha256)
    known = {file.name: file for file in data.served}
    files = [known.get(f"{name}.gz") for name in data.names]
    return [
        read_served_idx(path, file.unpacked_sha256, file.sha256)
        if file
        else read_served_idx(path, None, None)
        for path, file in zip(paths, files, strict=True)
    ]


def _as_pair(data: IdxSet, images: Array, labels: Array, rows: int, path: Path) -> Pair:
    """Images as rows from 0 to 1 and labels from 0, if they are of the kind they should be."""
    shape = (rows, *data.image_shape)
    if images.shape != shape or images.dtype != np.uint8:
        _fail(data, path, f"{shape} of uint8", f"{images.shape} of {images.dtype}")
    if labels.shape != (rows,) or labels.dtype != np.uint8:
        _fail(data, path, f"labels {(rows,)} of uint8", f"{labels.shape} of {labels.dtype}")
    last = data.first_label + data.classes - 1
    if labels.min() < data.first_label or labels.max() > last:
        expected = f"labels from {data.first_label} to {last}"
        _fail(data, path, expected, f"{labels.min()} to {labels.max()}")
    if data.transposed:
        images = images.swapaxes(1, 2)
    # A division into one new array: 255 becomes exactly 1, and no float64 copy is made.
    x = images.reshape(rows, -1) / np.float32(255)
    return x, labels.astype(np.int64) - data.first_label


def _fail(data: IdxSet, path: Path, expected: str, got: str) -> NoReturn:
    raise DataError(
        f"{data.loader}: {path} and its labels: expected {expected}, got {got}. These are files of "
        "another data set, or of another part of it."
    )


def _find(data: IdxSet, data_dir: PathLike | None) -> dict[str, Path]:
    """Path of each file by its name, downloaded if need be; that of the archive if it is in one."""
    if data_dir is not None:
        base = Path(data_dir).expanduser()
        folders = [base, base / data.folder]
        paths, missing = _look(data, folders)
        if missing:
            raise DatasetNotFoundError(
                f"{data.loader}: expected the files in {folders[0]} or {folders[1]}, did not "
                f"find {', '.join(missing)}, .gz or unpacked{_or_archive(data)}. Put them there, "
                "or leave data_dir out to have them downloaded."
            )
        return paths

    variable = os.environ.get("MINIDL_DATA_DIR")
    folders = [Path(variable).expanduser() / data.folder] if variable else []
    paths, missing = _look(data, folders)
    if not missing:
        return paths
    try:
        folders.append(cache_folder(data.folder))
        paths, missing = _look(data, folders)
        if missing:
            wanted = [data.archive.name] if data.archive else [f"{name}.gz" for name in missing]
            sha256 = {file.name: file.sha256 for file in data.served if file.name in wanted}
            download(sha256, folders[-1], data.mirrors)
            paths, missing = _look(data, folders)
    except DatasetNotFoundError as error:
        environment = "" if variable else "$MINIDL_DATA_DIR is not set, "
        raise DatasetNotFoundError(
            f"{data.loader}: {environment}did not find {', '.join(missing)}, .gz or unpacked"
            f"{_or_archive(data)}, in {' or '.join(map(str, folders)) or 'any folder'}, and "
            f"{error} To get them by hand: fetch them on a machine with internet from "
            f"{' or '.join(data.mirrors)} and pass their folder as data_dir. Or train on "
            "synthetic_digits instead."
        ) from None
    return paths


def _or_archive(data: IdxSet) -> str:
    return f", nor {data.archive.name}" if data.archive else ""


def _look(data: IdxSet, folders: Sequence[Path]) -> tuple[dict[str, Path], list[str]]:
    """Paths of the files that are in one of the folders, and names of those that are in none."""
    if data.archive is not None:
        folders = [place for folder in folders for place in (folder, folder / "gzip")]
    paths: dict[str, Path] = {}
    for name in data.names:
        spellings = (name, name.replace("-idx", ".idx"))
        for folder, spelling, end in product(folders, spellings, ("", ".gz")):
            path = folder / (spelling + end)
            if os.path.isfile(path):  # unlike Path.is_file, False where access is denied
                paths.setdefault(name, path)
    missing = [name for name in data.names if name not in paths]
    if missing and data.archive is not None:
        for folder in folders:
            if os.path.isfile(folder / data.archive.name):
                return dict.fromkeys(data.names, folder / data.archive.name), []
    return paths, missing
