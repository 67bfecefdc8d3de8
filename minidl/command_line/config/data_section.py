"""`[data]`: which data, and how they are read."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from minidl.augmentation.batch_transform import BatchTransform
from minidl.command_line.config.nearest import nearest, shown
from minidl.command_line.config.node import Node, items, optional
from minidl.command_line.config.objects import made
from minidl.command_line.data import DATA_SETS, is_table


@dataclass
class DataSection:
    """`[data]`: a name or a file, and how it is read."""

    source: str | Path
    rows: int | None
    target: str | int | list[str | int] | None
    features: list[str | int] | None
    classes: list[str] | None
    divide_by: float
    validation_split: float
    transforms: list[BatchTransform]


def data_section(node: Node, seed: int) -> DataSection:
    """Read `[data]`; a transform without a seed gets one by its place."""
    known = ["source", "rows", "target", "features", "classes", "divide_by"]
    given = node.table([*known, "validation_split", "transforms"], ["source"])
    for name in ("target", "features", "classes"):
        if name in given and not is_table(given["source"].text()):
            given[name].fail("this goes with a .csv file only.")
    transforms = items(given, "transforms")
    seeds = np.random.SeedSequence(seed).generate_state(len(transforms)).tolist()
    return DataSection(
        _source(given["source"]),
        optional(given, "rows", Node.whole, None),
        optional(given, "target", _target, None),
        optional(given, "features", lambda node: [_column(child) for child in node.items()], None),
        optional(given, "classes", lambda node: [child.text() for child in node.items()], None),
        optional(given, "divide_by", lambda node: node.number(math.ulp(0.0)), 1.0),
        optional(given, "validation_split", lambda node: node.number(0, 1), 0.0),
        [made(t, BatchTransform, rng=s) for t, s in zip(transforms, seeds, strict=True)],
    )


def _source(node: Node) -> str | Path:
    name, path = node.text(), node.near()
    if name in DATA_SETS:
        return name
    if not path.exists():
        near = nearest(name, DATA_SETS)
        node.fail(f"there is no file {path}, and no data set {shown(name)}.{near}")
    return path


def _target(node: Node) -> str | int | list[str | int]:
    is_list = isinstance(node.value, list)
    return [_column(child) for child in node.items()] if is_list else _column(node)


def _column(node: Node) -> str | int:
    column: str | int = node.kind(str, int, wanted="a column, by its name or its number")
    return column
