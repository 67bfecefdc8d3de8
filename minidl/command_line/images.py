"""A picture as one sample of the shape that a model takes."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np

from minidl.command_line.messages import say, wrong_file
from minidl.layers.checks import batch_shape
from minidl.typing import Array, Shape


def read_image(path: Path, input_shape: Shape | None, invert: bool) -> Array:
    """Read a picture as (1, H, W, C), from 0 (black) to 1 (white).

    Args:
        path: The file; any format that Pillow reads.
        input_shape: What the model takes: the picture's size, and grey or colour, follow from it.
        invert: Whether to turn light and dark round.
    """
    with _opened(path) as picture:
        width, height = picture.size
        channels = _channels(path, height, width, input_shape)
        _check_numbers(path, picture)
        try:
            values = _values(picture, channels)
        except (OSError, ValueError, SyntaxError) as error:
            fix = "Fetch it again."
            raise wrong_file(path, "an intact picture", f"a damaged one ({error})", fix) from None
    if invert:
        values = 1 - values
    elif channels == 1 and values.mean() > 0.5:
        say(
            f"note: {path} is light, {values.mean():.2f} in the mean. Digits as in MNIST are light "
            "ink on dark ground: --invert turns a picture round."
        )
    return values.reshape(1, height, width, channels)


def _opened(path: Path) -> Any:
    try:
        from PIL import Image
    except ImportError as error:
        raise ImportError(
            "minidl predict: pictures need Pillow, which is not installed. Install it: "
            "pip install minidl[plot]"
        ) from error
    try:
        return Image.open(path)
    except (OSError, Image.DecompressionBombError, SyntaxError, ValueError) as error:
        if isinstance(error, OSError) and error.errno is not None:  # the system's, not Pillow's
            raise
        got = f"something else ({error})"
        raise wrong_file(path, "a picture", got, "Open it in a viewer to see.") from None


def _channels(path: Path, height: int, width: int, input_shape: Shape | None) -> int:
    """Channels that make a picture of this size fit the model."""
    shape = tuple(input_shape or ())
    got = f"{width} x {height} pixels"
    if len(shape) == 3 and shape[2] in (1, 3):
        if shape[:2] != (height, width):
            wanted = f"{shape[1]} x {shape[0]} pixels"
            raise wrong_file(path, wanted, got, "Scale the picture to that size.")
        return int(shape[2])
    if len(shape) == 2 and shape == (height, width):
        return 1
    if len(shape) != 1:
        wanted = f"a model that takes pictures, not {batch_shape(shape)}"
        raise wrong_file(path, wanted, "a picture", "Give the inputs as .npy.")
    for channels in (1, 3):
        if shape[0] == height * width * channels:
            return channels
    side = math.isqrt(shape[0])
    square = f", such as {side} x {side}" if side * side == shape[0] else ""
    raise wrong_file(path, f"a picture of {shape[0]} pixels{square}", got, "Scale it to that size.")


def _check_numbers(path: Path, picture: Any) -> None:
    """Raise if the file does not say which of its numbers is white."""
    if picture.mode == "F" or (picture.mode == "I" and picture.format not in ("PNG", "PPM")):
        got = "32 bits, of which no file says what is white"
        raise wrong_file(path, "8 or 16 bits a pixel", got, "Give the numbers as .npy.")


def _values(picture: Any, channels: int) -> Array:
    """The pixels (H, W) or (H, W, 3), from 0 to 1; what is transparent becomes white."""
    from PIL import Image, ImageOps

    picture = ImageOps.exif_transpose(picture)
    if picture.mode.startswith("I"):  # 16 bits, which a conversion would cut off
        grey = np.asarray(picture, np.float32) / 65535
        return grey if channels == 1 else np.stack([grey] * 3, axis=-1)
    if picture.has_transparency_data:
        picture = picture.convert("RGBA")
        paper = Image.new("RGBA", picture.size, "white")
        picture = Image.alpha_composite(paper, picture)
    return np.asarray(picture.convert("L" if channels == 1 else "RGB")) / np.float32(255)
