"""Inputs and answers from whatever a user has: arrays, tables, images, data sets by name."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from minidl.command_line.array_files import read_npy, read_npz, read_pixels
from minidl.errors import ArgumentError, DataError
from minidl.typing import Array, Shape

SYNTHETIC = "synthetic_digits"
DATA_SETS = ("mnist", "fashion_mnist", "kmnist", SYNTHETIC)
SYNTHETIC_TEST_ROWS, SYNTHETIC_TEST_SEED = 1_000, 1_000_003  # of other digits than in training
IMAGES = {".png", ".jpg", ".jpeg", ".pgm", ".ppm", ".bmp", ".gif", ".tif", ".tiff", ".webp"}


@dataclass
class Data:
    """Inputs (N, ...) as they are in the file, their answers if it has any, and what it is."""

    x: Array
    y: Array | None
    name: str


@dataclass
class Reading:
    """How a source is to be read, where its content does not say so.

    Attributes:
        input_shape: What the model takes; images are matched with it.
        target: Column of a CSV file with the answers.
        features: Columns of a CSV file with the inputs; None for all others.
        classes: Names of the classes in that file.
        labels: Whether the answers are class labels.
        answers: Whether the answers are wanted; otherwise the target is passed over.
        invert: Whether to turn light and dark of an image round.
    """

    input_shape: Shape | None = None
    target: str | int | Sequence[str | int] | None = None
    features: Sequence[str | int] | None = None
    classes: Sequence[str] | None = None
    labels: bool = False
    answers: bool = True
    invert: bool = False


def read_data(source: str, reading: Reading) -> Data:
    """Read a file, or the test part of a data set."""
    path = Path(source)
    columns = reading.target, reading.features, reading.classes
    if columns != (None, None, None) and not is_table(source):
        raise ArgumentError(f"{source}: target, features and classes go with .csv files only.")
    if path.is_dir():
        import minidl as dl

        return Data(*dl.load_mnist(path)[1], name=f"{path}, MNIST's test part")
    if source == SYNTHETIC:
        return synthetic_digits(SYNTHETIC_TEST_ROWS, SYNTHETIC_TEST_SEED)
    if source in DATA_SETS:
        return Data(*loader(source)()[1], name=f"{source}, test part")
    return read_file(path, reading)


def loader(name: str) -> Callable[[], tuple[tuple[Array, Array], tuple[Array, Array]]]:
    """The function that loads a data set."""
    import minidl as dl

    found: Any = getattr(dl, f"load_{name}")
    return found  # type: ignore[no-any-return]


def synthetic_digits(rows: int, seed: int) -> Data:
    """Digits that are drawn, with a name that says so."""
    import minidl as dl

    return Data(*dl.synthetic_digits(rows, rng=seed), name=f"{rows:,} synthetic digits, drawn")


def is_table(name: str) -> bool:
    """Whether a name is that of a CSV file."""
    return name.lower().endswith((".csv", ".csv.gz", ".tsv", ".tsv.gz"))


def read_file(path: Path, reading: Reading) -> Data:
    """Read a file by what its name says that it is."""
    name, end = path.name.lower(), path.suffix.lower()
    if end == ".npy":
        return Data(read_npy(path), None, str(path))
    if end == ".npz":
        return Data(*read_npz(path), str(path))
    if is_table(name):
        from minidl.command_line.tables import read_table

        return Data(*read_table(path, reading), str(path))
    if end in IMAGES:
        from minidl.command_line.images import read_image

        return Data(read_image(path, reading.input_shape, reading.invert), None, str(path))
    if "ubyte" in name or end == ".idx" or name.endswith(".idx.gz"):
        return Data(read_pixels(path), None, str(path))
    sets = ", ".join(DATA_SETS)
    raise DataError(
        f"{path}: expected a file .npy, .npz, .csv, an image such as .png, an IDX file (ubyte in "
        f"its name), a folder with MNIST's files, or one of {sets}; "
        f"{'its name says none of these.' if path.exists() else 'there is no such file.'}"
    )
