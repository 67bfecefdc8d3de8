"""`minidl evaluate`: loss and metrics of a model on data with answers."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from minidl.command_line.messages import say
from minidl.command_line.words import add_data, add_model_file, new_command

if TYPE_CHECKING:
    from minidl.command_line.words import Commands
    from minidl.layers.base import Layer
    from minidl.losses.base import Loss
    from minidl.typing import Array

EXAMPLES = """
minidl evaluate digits.safetensors mnist
minidl evaluate digits.safetensors x.npy --labels y.npy
minidl evaluate flowers.safetensors flowers.csv --target kind --classes setosa,virginica
minidl evaluate prices.safetensors houses.csv --target price --loss MeanAbsoluteError
"""
DESCRIPTION = """
The answers are the array y of a .npz file, a column of a .csv file (--target), a file beside the
inputs (--labels), or those of the data set. The loss is the one that belongs to the last layer:
cross-entropy and accuracy behind Softmax, binary cross-entropy and accuracy behind Sigmoid,
otherwise the mean squared error, with the mean absolute error and R2.
"""


def add_to(commands: Commands) -> None:
    """Add the command."""
    summary = "measure a model on data with known answers"
    command = new_command(commands, "evaluate", run, summary, EXAMPLES, DESCRIPTION)
    add_model_file(command)
    add_data(command)
    add = command.add_argument
    add("--labels", metavar="FILE", help="the answers: .npy, or an IDX file of labels")
    add("--loss", metavar="NAME", help="another loss, such as MeanAbsoluteError")
    add("--json", action="store_true", help="print the values as JSON")


def run(arguments: argparse.Namespace) -> None:
    """Read, evaluate, print."""
    import minidl as dl
    from minidl.command_line.data import Reading, read_data
    from minidl.command_line.fitting import answers_for, inputs_for, labels_wanted, note_raw_pixels

    model = dl.load(arguments.file)
    loss = _loss(model, arguments.loss)
    reading = Reading(
        model.input_shape,
        arguments.target,
        arguments.features,
        arguments.classes,
        labels_wanted(loss),
    )
    data = read_data(arguments.data, reading)
    y = answers_for(model, loss, _answers(data.y, arguments), data.name)
    x = inputs_for(model, data.x, data.name, arguments.divide_by)
    note_raw_pixels(model, x, data.name)
    values = measured(model, loss, x, y)
    if arguments.json:
        print(json.dumps({"data": data.name, "rows": len(x), "loss_function": repr(loss)} | values))
        return
    print(f"data: {data.name}\nrows: {len(x)}\nloss_function: {loss}")
    print_values(values)


def measured(model: Layer, loss: Loss, x: Array, y: Array) -> dict[str, float]:
    """Loss and usual metrics of a model."""
    import minidl as dl
    from minidl.command_line.outputs import usual_metrics

    metrics = [getattr(dl, name) for name in usual_metrics(loss)]
    return dl.Trainer(model, loss, dl.SGD(1.0), metrics=metrics).evaluate(x, y)


def print_values(values: dict[str, float]) -> None:
    """Print values by name, a line each."""
    for name, value in values.items():
        print(f"{name}: {value:.6g}")


def _loss(model: Layer, name: str | None) -> Loss:
    from minidl.command_line.config.node import Node
    from minidl.command_line.config.objects import made
    from minidl.command_line.outputs import last_layer, usual_loss
    from minidl.losses.base import Loss

    if name is not None:
        return made(Node(name, (), Path("--loss"), {}), Loss)
    loss = usual_loss(model)
    last = last_layer(model)
    say(f"note: loss {loss}, because the model ends in {last!r}. --loss names another.")
    return loss


def _answers(y: Any, arguments: argparse.Namespace) -> Any:
    import minidl as dl
    from minidl.command_line.array_files import read_npy
    from minidl.command_line.data import is_table
    from minidl.errors import DataError

    if arguments.labels is not None:
        path = Path(arguments.labels)
        return read_npy(path) if path.suffix == ".npy" else dl.read_idx(path)
    if y is None:
        fix = "Give them: --labels y.npy, or DATA.npz with arrays x and y."
        if is_table(arguments.data):
            fix = "Name the column: --target."
        raise DataError(f"{arguments.data}: expected inputs with answers, got no answers. {fix}")
    return y
