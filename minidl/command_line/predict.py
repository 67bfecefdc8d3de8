"""`minidl predict`: a model's answers, as CSV or as an array."""

from __future__ import annotations

import argparse
import csv
import io
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from minidl.command_line.words import add_data, add_force, add_model_file, new_command

if TYPE_CHECKING:
    from minidl.command_line.words import Commands
    from minidl.layers.base import Layer
    from minidl.typing import Array

EXAMPLES = """
minidl predict digits.safetensors seven.png
minidl predict digits.safetensors images.npy --probabilities
minidl predict flowers.safetensors flowers.csv --target kind --classes setosa,virginica
minidl predict prices.safetensors houses.csv -o prices.csv
"""
DESCRIPTION = """
Prints CSV, a line for each row of DATA. Behind Softmax the columns are the class and its
probability; behind a Sigmoid with one output likewise, with the classes 0 and 1; otherwise the
outputs as they are.
"""


def add_to(commands: Commands) -> None:
    """Add the command."""
    summary = "print a model's answers for data"
    command = new_command(commands, "predict", run, summary, EXAMPLES, DESCRIPTION)
    add_model_file(command)
    add_data(command)
    add = command.add_argument
    add("--invert", action="store_true", help="turn light and dark of an image round")
    add("--probabilities", action="store_true", help="add a column for each class")
    add("-o", "--output", metavar="OUT", help="write a file: .csv, or .npy with all outputs")
    add_force(command)


def run(arguments: argparse.Namespace) -> None:
    """Read, predict, print."""
    import minidl as dl
    from minidl.command_line.data import Reading, read_data
    from minidl.command_line.files import free_path
    from minidl.command_line.fitting import inputs_for, note_raw_pixels
    from minidl.errors import ArgumentError

    output = Path(arguments.output) if arguments.output else None
    if output is not None:
        if output.suffix not in (".csv", ".npy") and not output.is_dir():
            raise ArgumentError(f"{output}: expected a name that ends in .csv or .npy.")
        free_path(output, arguments.force, Path(arguments.file), Path(arguments.data))
    model = dl.load(arguments.file)
    reading = Reading(
        model.input_shape,
        arguments.target,
        arguments.features,
        answers=False,
        invert=arguments.invert,
    )
    data = read_data(arguments.data, reading)
    x = inputs_for(model, data.x, data.name, arguments.divide_by)
    note_raw_pixels(model, x, data.name)
    y = model.predict(x)
    if output is not None and output.suffix == ".npy":
        _save(output, y)
        return
    lines = table(model, y, arguments.classes, arguments.probabilities)
    if output is None:
        csv.writer(sys.stdout, lineterminator="\n").writerows(lines)
    else:
        _write(output, lines)


def table(
    model: Layer, y: Array, classes: Sequence[str] | None, probabilities: bool
) -> Iterator[Sequence[object]]:
    """The names of the columns, and a row for each row of outputs (N, M)."""
    import numpy as np

    from minidl.command_line.outputs import ends_in
    from minidl.errors import ArgumentError, ShapeError
    from minidl.layers.log_softmax import LogSoftmax
    from minidl.layers.sigmoid import Sigmoid
    from minidl.layers.softmax import Softmax

    if y.ndim != 2:
        raise ShapeError(f"predict: outputs of shape {y.shape} are no table: write -o out.npy.")
    if ends_in(model, LogSoftmax):
        y = np.exp(y)
    elif ends_in(model, Sigmoid) and y.shape[1] == 1:
        y = np.hstack([1 - y, y])
    elif not ends_in(model, Softmax):
        if classes or probabilities:
            raise ArgumentError("predict: the model gives numbers, not probabilities of classes.")
        yield ["output"] if y.shape[1] == 1 else [f"output_{i}" for i in range(y.shape[1])]
        yield from y
        return
    names = classes or [str(label) for label in range(y.shape[1])]
    if len(names) != y.shape[1]:
        raise ArgumentError(f"predict: expected {y.shape[1]} classes, got {len(names)}: {names}.")
    yield ["class", "probability", *(names if probabilities else [])]
    for row in y:
        label = row.argmax()
        yield [names[label], row[label], *(row if probabilities else [])]


def _save(path: Path, y: Array) -> None:
    import numpy as np

    from minidl.io.whole_files import replacing

    with replacing(path) as file:
        np.save(file, y)


def _write(path: Path, lines: Iterator[Sequence[object]]) -> None:
    from minidl.io.whole_files import replacing

    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(lines)
    with replacing(path) as file:
        file.write(text.getvalue().encode())
