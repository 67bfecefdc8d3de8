"""A config file, read as TOML."""

from __future__ import annotations

import tomllib
from pathlib import Path

from minidl.command_line.config.node import Node
from minidl.command_line.config.toml_lines import TomlLines
from minidl.errors import DataError

LARGEST = 1_000_000  # bytes; a network of a thousand layers has a tenth of it


def read_config(path: Path) -> Node:
    """Read a TOML file.

    Raises:
        DataError: If it is not TOML; the message names line and column.
    """
    with path.open("rb") as file:
        content = file.read(LARGEST + 1)
    if len(content) > LARGEST:
        raise DataError(f"{path}: expected at most {LARGEST:,} bytes of TOML, got more.")
    try:
        text = content.decode("utf-8-sig")
        values = tomllib.loads(text)
        lines = TomlLines(text).lines
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise DataError(f"{path}, line {line}: expected text in UTF-8, got other bytes.") from None
    except tomllib.TOMLDecodeError as error:
        raise DataError(f"{path}: this is not TOML: {error}.{_hint(str(error))}") from None
    except RecursionError:
        raise DataError(f"{path}: its lists or tables are nested too deeply.") from None
    except ValueError as error:  # whole numbers of thousands of digits, dates that there are not
        raise DataError(f"{path}: this is not TOML: {error}.") from None
    return Node(values, (), path, lines)


def _hint(message: str) -> str:
    return " Texts stand in quotes." if "Invalid value" in message else ""
