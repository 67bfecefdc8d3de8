"""The data of a training run: read, shaped for the model, split."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

import minidl as dl
from minidl.command_line.config.data_section import DataSection
from minidl.command_line.config.sections import TrainingSection
from minidl.command_line.data import (
    SYNTHETIC,
    Data,
    Reading,
    loader,
    read_data,
    read_file,
    synthetic_digits,
)
from minidl.command_line.fitting import answers_for, inputs_for
from minidl.containers.nesting import innermost_layers
from minidl.errors import DataError
from minidl.layers.base import Layer
from minidl.losses.base import Loss
from minidl.typing import Array, Shape

SYNTHETIC_ROWS = 10_000

Pair = tuple[Array, Array]


@dataclass
class Sources:
    """Data as they are in their files, and the test part of a data set."""

    training: Data
    test: Data | None = None


@dataclass
class RunData:
    """Data as the model takes them.

    Attributes:
        name: What they are, with the number of rows.
        training: What `fit` is called with: x and y, or batches of both that are transformed.
        validation: x and y that are held out, or None.
        test: x and y of a data set's test part, or None.
    """

    name: str
    training: tuple[Any, ...]
    validation: Pair | None
    test: Pair | None


def read_sources(
    section: DataSection, input_shape: Shape | None, labels: bool, seed: int
) -> Sources:
    """Read the data that a config names."""
    if isinstance(section.source, Path) and section.source.is_dir():
        sources = Sources(*_parts(dl.load_mnist(section.source), str(section.source)))
    elif isinstance(section.source, Path):
        reading = Reading(input_shape, section.target, section.features, section.classes, labels)
        sources = Sources(read_file(section.source, reading))
    elif section.source == SYNTHETIC:
        drawn = synthetic_digits(section.rows or SYNTHETIC_ROWS, seed)
        return Sources(drawn, read_data(SYNTHETIC, Reading()))
    else:
        sources = Sources(*_parts(loader(section.source)(), section.source))
    found = sources.training
    if found.y is None:
        raise DataError(
            f"{found.name}: expected inputs with answers, got no answers. In a .csv file name the "
            "column: target = ...; in a .npz file they are the array y."
        )
    if section.rows is not None:
        found.x, found.y = found.x[: section.rows], found.y[: section.rows]
    return sources


def _parts(pairs: Sequence[Pair], name: str) -> list[Data]:
    return [Data(x, y, name) for x, y in pairs]


def run_data(
    sources: Sources, model: Layer, loss: Loss, section: DataSection, training: TrainingSection
) -> RunData:
    """Shape and split the data, and adapt a `Standardize` that they come to.

    Which rows are held out depends on the seed and their number alone.
    """

    def prepared(data: Data) -> Pair:
        x = inputs_for(model, data.x, data.name, section.divide_by)
        return x, answers_for(model, loss, data.y, data.name)

    x, y = prepared(sources.training)
    n, name = len(x), sources.training.name
    if n != len(y):
        raise DataError(f"{name}: got {n:,} inputs and {len(y):,} answers.")
    held_out = round(section.validation_split * n)
    validation = None
    if section.validation_split:
        if not 0 < held_out < n:
            raise DataError(
                f"{name}: validation_split = {section.validation_split} of {n:,} rows leaves none "
                "on one side."
            )
        order = np.random.default_rng([training.seed, n]).permutation(n)
        validation = x[order[:held_out]], y[order[:held_out]]
        x, y = x[order[held_out:]], y[order[held_out:]]
    first = innermost_layers(model)[0]
    if isinstance(first, dl.Standardize):
        first.adapt(x)
    fitted: tuple[Any, ...] = (x, y)
    if section.transforms:
        size, seed, transform = training.batch_size, training.seed, section.transforms
        fitted = (dl.batches(x, y, batch_size=size, rng=seed, transform=transform),)
    title = f"{name}: {n - held_out:,} rows to train on, {held_out:,} held out"
    return RunData(title, fitted, validation, prepared(sources.test) if sources.test else None)
