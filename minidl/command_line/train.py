"""`minidl train`: a network and its training from a config file."""

from __future__ import annotations

import argparse
import contextlib
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from minidl.command_line.messages import INTERRUPTED
from minidl.command_line.words import add_force, new_command

if TYPE_CHECKING:
    from minidl.command_line.words import Commands

EXAMPLES = """
minidl train digits.toml
minidl train digits.toml --force     # replaces the outputs of the last run
minidl train digits.toml --resume    # goes on from output.checkpoint
"""
DESCRIPTION = """
CONFIG.toml says everything; paths in it begin in its folder:

  [model]
  layers = [{ type = "Dense", units = 10 }, "ReLU", { type = "Dense", units = 10 }, "Softmax"]

  [optimizer]
  type = "SGD"
  learning_rate = 0.1

  [data]
  source = "mnist"            # or fashion_mnist, kmnist, synthetic_digits, a .csv or .npz file
  validation_split = 0.1

  [training]
  epochs = 10
  batch_size = 64
  metrics = ["accuracy"]

  [output]
  model = "digits.safetensors"

Further keys: model.input_shape, seed, dtype; loss; data.rows, target, features, classes, divide_by,
transforms; training.workers, seed; output.history (.csv), plot (.png), checkpoint (a folder);
[[callbacks]]. Names and arguments are those of minidl's classes. Ctrl-C ends training and keeps the
model.
"""


def add_to(commands: Commands) -> None:
    """Add the command."""
    summary = "train a network that a config file describes"
    command = new_command(commands, "train", run, summary, EXAMPLES, DESCRIPTION)
    command.add_argument("config", metavar="CONFIG.toml", help="the file")
    command.add_argument("--resume", action="store_true", help="go on from the last checkpoint")
    add_force(command)


def run(arguments: argparse.Namespace) -> int:
    """Read the config, train, write the outputs, test once."""
    from minidl.command_line.config.run import Run
    from minidl.command_line.evaluate import print_values
    from minidl.io.whole_files import replacing

    run = Run(Path(arguments.config))
    run.check_outputs(arguments.force, arguments.resume)
    with contextlib.redirect_stdout(sys.stderr):  # where progress goes
        run.prepare(arguments.resume)
        print(f"{run.data.name}\nloss: {run.loss}")
        run.trainer.model.summary()
        history = run.fit()
    run.trainer.model.save(run.output.model)
    if run.output.plot is not None:
        with replacing(run.output.plot) as file:
            history.plot().savefig(file, format=run.output.plot.suffix[1:])
    print(f"epochs: {history.epochs}")
    for name, data in (("val", run.data.validation), ("test", run.data.test)):
        if data is not None:  # of the model as it is written, which need not be the last epoch's
            values = run.trainer.evaluate(*data)
            print_values({f"{name}_{key}": value for key, value in values.items()})
    for path in run.output.files:
        print(f"written: {path}")
    return INTERRUPTED if history.stopped.startswith("interrupted") else 0
