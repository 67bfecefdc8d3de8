"""Arrays in NumPy's files, and images in IDX files; what else is in them is named."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from minidl.command_line.messages import wrong_file
from minidl.datasets.idx import read_idx
from minidl.typing import Array


def read_npy(path: Path) -> Array:
    """The array in a .npy file; it stays there until rows are asked for."""
    try:
        array = np.lib.format.open_memmap(path, mode="r")
    except OSError:
        raise
    except Exception as error:  # a damaged header can raise nearly anything
        wanted, got = "an array as numpy.save writes it", f"something else ({error})"
        raise wrong_file(path, wanted, got, "Save it anew.") from None
    return _numbers(path, array)


def read_pixels(path: Path) -> Array:
    """Images (N, H, W) of an IDX file, from 0 to 1."""
    values = read_idx(path)
    if values.dtype != np.uint8 or values.ndim < 2:
        got = f"{values.shape} of {values.dtype}"
        raise wrong_file(path, "images of bytes", got, "Is it of labels?")
    return values / np.float32(255)


def read_npz(path: Path) -> tuple[Array, Array | None]:
    """The arrays x and, if there is one, y of a .npz file."""
    with path.open("rb") as file:
        try:
            with np.load(file, allow_pickle=False) as archive:
                names = archive.files
                arrays = {name: archive[name] for name in ("x", "y") if name in names}
        except Exception as error:  # so can a damaged archive
            wanted, got = "an archive of numpy.savez", f"something else ({error})"
            raise wrong_file(path, wanted, got, "Save it anew.") from None
    if "x" not in arrays:
        fix = "Save it by numpy.savez(path, x=x, y=y)."
        raise wrong_file(path, "arrays x and y", f"{names}", fix)
    return _numbers(path, arrays["x"]), arrays.get("y")


def _numbers(path: Path, array: Array) -> Array:
    if array.dtype.kind not in "fiub" or array.ndim == 0 or array.size == 0:
        got = f"{array.shape} of {array.dtype}"
        fix = "Convert it with astype(numpy.float32)." if array.size else "It is empty."
        raise wrong_file(path, "rows of numbers", got, fix)
    return array
