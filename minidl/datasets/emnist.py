"""EMNIST: handwritten letters and digits in the form of MNIST."""

from __future__ import annotations

import os
from typing import NamedTuple

from minidl.datasets.idx_set import IdxSet, ServedFile, load_idx_set
from minidl.errors import ArgumentError
from minidl.typing import Array

ARCHIVE = ServedFile("gzip.zip", "fb9bb67e33772a9cc0b895e4ecf36d2cf35be8b709693c3564cea2a019fcda8e")
MIRRORS = (
    "https://biometrics.nist.gov/cs_links/EMNIST/",
    "https://www.itl.nist.gov/iaui/vip/cs_links/EMNIST/",
)


class Split(NamedTuple):
    """What a split of the data holds."""

    rows: tuple[int, int]
    classes: int
    first_label: int = 0


SPLITS = {
    "balanced": Split((112_800, 18_800), 47),
    "byclass": Split((697_932, 116_323), 62),
    "bymerge": Split((697_932, 116_323), 47),
    "digits": Split((240_000, 40_000), 10),
    "letters": Split((124_800, 20_800), 26, first_label=1),
    "mnist": Split((60_000, 10_000), 10),
}


def load_emnist(
    split: str = "balanced", data_dir: str | os.PathLike[str] | None = None
) -> tuple[tuple[Array, Array], tuple[Array, Array]]:
    """Load a split of EMNIST: images of handwritten letters and digits.

    | split | training, test images | classes |
    |---|---|---|
    | balanced | 112,800 and 18,800 | 47: digits, capitals, small a b d e f g h n q r t |
    | byclass | 697,932 and 116,323 | 62: digits, capitals, small letters |
    | bymerge | 697,932 and 116,323 | the 47 of balanced, as often as they are written |
    | digits | 240,000 and 40,000 | 10 |
    | letters | 124,800 and 20,800 | 26: capital and small letters as one class |
    | mnist | 60,000 and 10,000 | 10 |

    In the files images lie column by column, and the labels of `letters` run from 1 to 26. Here
    images are upright, as MNIST's are, and labels begin at 0: A is 0 in `letters`. PyTorch's data
    set leaves both as they are in the files.

    All splits come in one archive, `gzip.zip`. It, or the IDX files in it, `.gz` or unpacked, is
    looked for in `data_dir` and `data_dir/emnist`, and in folders `gzip` there, as unpacking makes
    them. Without `data_dir`: in `$MINIDL_DATA_DIR/emnist`, then in the user's cache, then at NIST,
    from where it is downloaded into the cache (562 MB, needs `pip install minidl[datasets]`). The
    SHA-256 of the archive is checked every time. Of single files none is published: number and size
    of images, dtype and the range of labels are checked alone.

    Args:
        split: Which one. Of `byclass` and `bymerge` the images alone take 2.6 GB.
        data_dir: Folder with the files. If given, nothing is downloaded.

    Returns:
        `(x_train, y_train), (x_test, y_test)`.

    Shapes:
        x: `(N, 784)`, float32 from 0 (paper) to 1 (ink), a row an image.
        y: `(N,)`, int64 from 0.

    Raises:
        ArgumentError: If there is no split of that name.
        DatasetNotFoundError: The files are not there and were not, or could not be, downloaded.
        DataError: A file is damaged or is not the original.

    Example:
        ```python
        (x_train, y_train), (x_test, y_test) = dl.load_emnist("letters")
        print(x_train.shape, y_train.max())  # (124800, 784) 25
        ```

    References:
        G. Cohen, S. Afshar, J. Tapson, A. van Schaik, "EMNIST: an extension of MNIST to handwritten
        letters" (2017), arXiv:1702.05373.
    """
    if split not in SPLITS:
        raise ArgumentError(f"load_emnist: split must be one of {list(SPLITS)}, got {split!r}.")
    parts = [(part, kind) for part in ("train", "test") for kind in ("images-idx3", "labels-idx1")]
    data = IdxSet(
        loader="load_emnist",
        folder="emnist",
        served=(ARCHIVE,),
        mirrors=MIRRORS,
        names=tuple(f"emnist-{split}-{part}-{kind}-ubyte" for part, kind in parts),
        transposed=True,
        **SPLITS[split]._asdict(),
    )
    return load_idx_set(data, data_dir)
