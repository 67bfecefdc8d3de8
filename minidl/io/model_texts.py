"""What a file says of itself, looked at before anything is made of it."""

from __future__ import annotations

import minidl
from minidl.io.tensor_file import TensorFile

FORMAT, VERSION = "minidl", "1"
TEXTS = {"format", "format_version", "dtype", "input_shape", "architecture", "frozen"}


def check_texts(file: TensorFile) -> None:
    """Raise unless a file says that it is a model which this minidl can read."""
    texts = file.metadata
    if missing := sorted(TEXTS - texts.keys()):
        raise file.error(
            f"is no model of minidl: its metadata lacks {', '.join(missing)}. Of any safetensors "
            "file, safetensors.numpy.load_file reads the arrays"
        )
    if texts["format"] != FORMAT:
        raise file.error(f"has the format {texts['format'][:20]!r}, not {FORMAT!r}")
    if texts["format_version"] != VERSION:
        raise file.error(
            f"has format version {texts['format_version'][:20]!r}, of minidl "
            f"{texts.get('minidl_version', '?')[:20]}; minidl {minidl.__version__} reads version "
            f"{VERSION}. Install a newer one"
        )
    if texts["dtype"] not in ("float32", "float64"):
        raise file.error(f"must have dtype float32 or float64, not {texts['dtype'][:20]!r}")
