"""Fashion-MNIST: pieces of clothing in the form of MNIST."""

from __future__ import annotations

import os

from minidl.datasets.idx_set import IdxSet, ServedFile, load_idx_set
from minidl.typing import Array

FASHION_MNIST = IdxSet(
    loader="load_fashion_mnist",
    folder="fashion-mnist",
    served=(
        ServedFile(
            "train-images-idx3-ubyte.gz",
            "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84",
        ),
        ServedFile(
            "train-labels-idx1-ubyte.gz",
            "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845",
        ),
        ServedFile(
            "t10k-images-idx3-ubyte.gz",
            "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073",
        ),
        ServedFile(
            "t10k-labels-idx1-ubyte.gz",
            "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5",
        ),
    ),
    mirrors=(
        "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/",
        "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
    ),
    rows=(60_000, 10_000),
)


def load_fashion_mnist(
    data_dir: str | os.PathLike[str] | None = None,
) -> tuple[tuple[Array, Array], tuple[Array, Array]]:
    """Load Fashion-MNIST: 60,000 training and 10,000 test images of pieces of clothing.

    The classes are T-shirt or top, trouser, pullover, dress, coat, sandal, shirt, sneaker, bag and
    ankle boot, in this order. They are harder to tell apart than digits.

    The four IDX files, `.gz` or unpacked, are looked for in `data_dir` and in
    `data_dir/fashion-mnist`. Without `data_dir`: in `$MINIDL_DATA_DIR/fashion-mnist`, then in the
    user's cache, then on public mirrors, from where they are downloaded into the cache (30 MB,
    needs `pip install minidl[datasets]`). The SHA-256 of packed files is checked every time. Of
    unpacked files none is published: shape, dtype and the range of labels are checked alone.

    Args:
        data_dir: Folder with the files. If given, nothing is downloaded. It must not be MNIST's,
            whose files have the same names.

    Returns:
        `(x_train, y_train), (x_test, y_test)`.

    Shapes:
        x: `(60000, 784)` and `(10000, 784)`, float32 from 0 (paper) to 1, a row an image.
        y: `(60000,)` and `(10000,)`, int64 from 0 to 9.

    Raises:
        DatasetNotFoundError: The files are not there and were not, or could not be, downloaded.
        DataError: A file is damaged or is not the original.

    Example:
        ```python
        (x_train, y_train), (x_test, y_test) = dl.load_fashion_mnist()
        print(x_train.shape)  # (60000, 784)
        ```

    References:
        H. Xiao, K. Rasul, R. Vollgraf, "Fashion-MNIST: a novel image dataset for benchmarking
        machine learning algorithms" (2017), arXiv:1708.07747; licence MIT.
    """
    return load_idx_set(FASHION_MNIST, data_dir)
