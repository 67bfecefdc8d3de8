"""MNIST, the handwritten digits that the reference network learns."""

import os
from collections.abc import Sequence
from itertools import product
from pathlib import Path
from typing import NamedTuple

import numpy as np

from minidl.datasets.download import cache_folder, download
from minidl.datasets.idx import read_idx
from minidl.errors import DatasetNotFoundError
from minidl.typing import Array


class IdxFile(NamedTuple):
    """One file of a data set: its name, and SHA-256 unpacked and as the mirrors pack it."""

    name: str
    sha256: str
    packed_sha256: str


FILES = (
    IdxFile(
        "train-images-idx3-ubyte",
        "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
        "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
    ),
    IdxFile(
        "train-labels-idx1-ubyte",
        "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
        "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
    ),
    IdxFile(
        "t10k-images-idx3-ubyte",
        "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
        "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
    ),
    IdxFile(
        "t10k-labels-idx1-ubyte",
        "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
        "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
    ),
)

MIRRORS = (
    "https://ossci-datasets.s3.amazonaws.com/mnist/",
    "https://storage.googleapis.com/cvdf-datasets/mnist/",
)


def load_mnist(
    data_dir: str | os.PathLike[str] | None = None,
) -> tuple[tuple[Array, Array], tuple[Array, Array]]:
    """Load MNIST: 60,000 training and 10,000 test images of handwritten digits.

    The four IDX files, `.gz` or unpacked, are looked for in `data_dir` and `data_dir/mnist`.
    Without `data_dir`: in `$MINIDL_DATA_DIR/mnist`, then in the user's cache, then on public
    mirrors, from where they are downloaded into the cache (12 MB, needs
    `pip install minidl[datasets]`). The SHA-256 of the unpacked content is checked every time.

    Args:
        data_dir: Folder with the files. If given, nothing is downloaded.

    Returns:
        `(x_train, y_train), (x_test, y_test)`.

    Shapes:
        x: `(60000, 784)` and `(10000, 784)`, float32 from 0 (paper) to 1 (ink), a row an image.
        y: `(60000,)` and `(10000,)`, int64 from 0 to 9.

    Raises:
        DatasetNotFoundError: The files are not there and were not, or could not be, downloaded.
            Without internet this takes a few seconds.
        DataError: A file is damaged or is not the original.

    Example:
        ```python
        (x_train, y_train), (x_test, y_test) = dl.load_mnist()
        print(x_train.shape, y_train[:5])  # (60000, 784) [5 0 4 1 9]
        ```

    References:
        Y. LeCun, C. Cortes, C. Burges, "The MNIST database of handwritten digits" (1998),
        licence CC BY-SA 3.0.
    """
    return _load(data_dir, FILES, MIRRORS)


def _load(
    data_dir: str | os.PathLike[str] | None, files: Sequence[IdxFile], mirrors: Sequence[str]
) -> tuple[tuple[Array, Array], tuple[Array, Array]]:
    paths = _find(data_dir, files, mirrors)
    arrays = [read_idx(paths[file.name], sha256=file.sha256) for file in files]
    # A division into one new array: 255 becomes exactly 1, and no float64 copy is made.
    x_train, x_test = (a.reshape(len(a), -1) / np.float32(255) for a in arrays[::2])
    y_train, y_test = (a.astype(np.int64) for a in arrays[1::2])
    return (x_train, y_train), (x_test, y_test)


def _find(
    data_dir: str | os.PathLike[str] | None, files: Sequence[IdxFile], mirrors: Sequence[str]
) -> dict[str, Path]:
    """Path of each file by its name, downloaded if need be."""
    if data_dir is not None:
        folders = [Path(data_dir).expanduser(), Path(data_dir).expanduser() / "mnist"]
        paths, missing = _look(folders, files)
        if missing:
            raise DatasetNotFoundError(
                f"load_mnist: expected the MNIST files in {folders[0]} or {folders[1]}, did not "
                f"find {', '.join(missing)}, .gz or unpacked. Put them there, or leave data_dir "
                "out to have MNIST downloaded."
            )
        return paths

    variable = os.environ.get("MINIDL_DATA_DIR")
    folders = [Path(variable).expanduser() / "mnist"] if variable else []
    paths, missing = _look(folders, files)
    if not missing:
        return paths
    try:
        folders.append(cache_folder("mnist"))
        paths, missing = _look(folders, files)
        if missing:
            packed = {f"{f.name}.gz": f.packed_sha256 for f in files if f.name in missing}
            download(packed, folders[-1], mirrors)
            paths, missing = _look(folders, files)
    except DatasetNotFoundError as error:
        environment = "" if variable else "$MINIDL_DATA_DIR is not set, "
        raise DatasetNotFoundError(
            f"load_mnist: {environment}did not find {', '.join(missing)}, .gz or unpacked, in "
            f"{' or '.join(map(str, folders)) or 'any folder'}, and {error} To get them by hand: "
            f"fetch them on a machine with internet from {' or '.join(mirrors)} and pass their "
            "folder as data_dir. Or train on synthetic_digits instead."
        ) from None
    return paths


def _look(folders: Sequence[Path], files: Sequence[IdxFile]) -> tuple[dict[str, Path], list[str]]:
    """Paths of the files that are in one of the folders, and names of those that are in none."""
    paths: dict[str, Path] = {}
    for name, *_ in files:
        spellings = (name, name.replace("-idx", ".idx"))
        for folder, spelling, end in product(folders, spellings, ("", ".gz")):
            path = folder / (spelling + end)
            if os.path.isfile(path):  # unlike Path.is_file, False where access is denied
                paths.setdefault(name, path)
    return paths, [file.name for file in files if file.name not in paths]
