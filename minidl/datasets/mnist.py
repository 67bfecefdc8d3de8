"""MNIST, the handwritten digits that the reference network learns."""

from __future__ import annotations

import os

from minidl.datasets.idx_set import IdxSet, ServedFile, load_idx_set
from minidl.typing import Array

MNIST = IdxSet(
    loader="load_mnist",
    folder="mnist",
    served=(
        ServedFile(
            "train-images-idx3-ubyte.gz",
            "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
            "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
        ),
        ServedFile(
            "train-labels-idx1-ubyte.gz",
            "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
            "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
        ),
        ServedFile(
            "t10k-images-idx3-ubyte.gz",
            "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
            "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
        ),
        ServedFile(
            "t10k-labels-idx1-ubyte.gz",
            "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
            "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
        ),
    ),
    mirrors=(
        "https://ossci-datasets.s3.amazonaws.com/mnist/",
        "https://storage.googleapis.com/cvdf-datasets/mnist/",
    ),
    rows=(60_000, 10_000),
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
    return load_idx_set(MNIST, data_dir)
