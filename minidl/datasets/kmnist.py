"""KMNIST: cursive Japanese characters in the form of MNIST."""

from __future__ import annotations

import os

from minidl.datasets.idx_set import IdxSet, ServedFile, load_idx_set
from minidl.typing import Array

KMNIST = IdxSet(
    loader="load_kmnist",
    folder="kmnist",
    served=(
        ServedFile(
            "train-images-idx3-ubyte.gz",
            "51467d22d8cc72929e2a028a0428f2086b092bb31cfb79c69cc0a90ce135fde4",
        ),
        ServedFile(
            "train-labels-idx1-ubyte.gz",
            "e38f9ebcd0f3ebcdec7fc8eabdcdaef93bb0df8ea12bee65224341c8183d8e17",
        ),
        ServedFile(
            "t10k-images-idx3-ubyte.gz",
            "edd7a857845ad6bb1d0ba43fe7e794d164fe2dce499a1694695a792adfac43c5",
        ),
        ServedFile(
            "t10k-labels-idx1-ubyte.gz",
            "20bb9a0ef54c7db3efc55a92eef5582c109615df22683c380526788f98e42a1c",
        ),
    ),
    mirrors=(
        "https://codh.rois.ac.jp/kmnist/dataset/kmnist/",
        "http://codh.rois.ac.jp/kmnist/dataset/kmnist/",
    ),
    rows=(60_000, 10_000),
)


def load_kmnist(
    data_dir: str | os.PathLike[str] | None = None,
) -> tuple[tuple[Array, Array], tuple[Array, Array]]:
    """Load KMNIST: 60,000 training and 10,000 test images of cursive Japanese characters.

    The classes are the hiragana o, ki, su, tsu, na, ha, ma, ya, re and wo, in this order.

    The four IDX files, `.gz` or unpacked, are looked for in `data_dir` and `data_dir/kmnist`.
    Without `data_dir`: in `$MINIDL_DATA_DIR/kmnist`, then in the user's cache, then on public
    mirrors, from where they are downloaded into the cache (21 MB, needs
    `pip install minidl[datasets]`). The SHA-256 of packed files is checked every time. Of unpacked
    files none is published: shape, dtype and the range of labels are checked alone.

    Args:
        data_dir: Folder with the files. If given, nothing is downloaded. It must not be MNIST's,
            whose files have the same names.

    Returns:
        `(x_train, y_train), (x_test, y_test)`.

    Shapes:
        x: `(60000, 784)` and `(10000, 784)`, float32 from 0 (paper) to 1 (ink), a row an image.
        y: `(60000,)` and `(10000,)`, int64 from 0 to 9.

    Raises:
        DatasetNotFoundError: The files are not there and were not, or could not be, downloaded.
        DataError: A file is damaged or is not the original.

    Example:
        ```python
        (x_train, y_train), (x_test, y_test) = dl.load_kmnist()
        print(x_train.shape)  # (60000, 784)
        ```

    References:
        T. Clanuwat, M. Bober-Irizar, A. Kitamoto, A. Lamb, K. Yamamoto, D. Ha, "Deep learning for
        classical Japanese literature" (2018), arXiv:1812.01718; licence CC BY-SA 4.0.
    """
    return load_idx_set(KMNIST, data_dir)
