"""A training run, as a config file describes it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import minidl as dl
from minidl.command_line.config.callbacks import callbacks_of
from minidl.command_line.config.config_file import read_config
from minidl.command_line.config.data_section import data_section
from minidl.command_line.config.node import Node, items
from minidl.command_line.config.objects import made
from minidl.command_line.config.run_data import RunData, read_sources, run_data
from minidl.command_line.config.sections import (
    model_section,
    output_section,
    training_section,
)
from minidl.command_line.files import free_path
from minidl.command_line.fitting import labels_wanted
from minidl.command_line.outputs import usual_loss
from minidl.errors import DataError, DTypeError, ShapeError, StateError
from minidl.typing import Shape

SECTIONS = ("model", "loss", "optimizer", "data", "training", "callbacks", "output")
NEEDED = ("model", "optimizer", "data", "training", "output")


class Run:
    """A config file, made and checked as far as that goes without data; then `prepare`, then `fit`.

    Args:
        path: The file.

    Attributes:
        trainer: From `prepare` on.
        data: From `prepare` on.

    Raises:
        DataError: If something in it is wrong; the message names the file, the line and the key.
    """

    trainer: dl.Trainer
    data: RunData

    def __init__(self, path: Path) -> None:
        self._nodes = read_config(path).table(SECTIONS, NEEDED)
        self.training = training_section(self._nodes["training"])
        self._model = model_section(self._nodes["model"])
        self._data = data_section(self._nodes["data"], self.training.seed)
        self.output = output_section(self._nodes["output"])
        self._optimizer = made(self._nodes["optimizer"], dl.Optimizer)
        self.loss = usual_loss(self._model.network)
        if "loss" in self._nodes:
            self.loss = made(self._nodes["loss"], dl.Loss)
        self._callbacks = callbacks_of(
            items(self._nodes, "callbacks"),
            self.output,
            [metric.name for metric in self.training.metrics],
            self._data.validation_split > 0,
        )

    def prepare(self, resume: bool) -> None:
        """Read the data, build the model; with `resume` take up the last checkpoint."""
        data, labels, seed = self._nodes["data"], labels_wanted(self.loss), self.training.seed
        sources = data.checked(read_sources, self._data, self._model.input_shape, labels, seed)
        self._build(self._model.input_shape or sources.training.x.shape[1:])
        self.data = data.checked(
            run_data, sources, self._model.network, self.loss, self._data, self.training
        )
        options: dict[str, Any] = {
            "metrics": self.training.metrics,
            "callbacks": self._callbacks,
            "workers": self.training.workers,
        }
        parts = self._model.network, self.loss, self._optimizer
        folder = self.output.checkpoint
        if resume and folder is not None:  # parts of the config that have changed are an error
            self.trainer = dl.Trainer.from_checkpoint(folder, *parts, **options)
        else:
            self.trainer = self._nodes["training"].checked(dl.Trainer, *parts, **options, rng=seed)

    def check_outputs(self, force: bool, resume: bool) -> None:
        """Raise before anything is computed if a file would be lost."""
        given = self._nodes["output"].table()
        sources = [self._nodes["data"].path]
        if isinstance(self._data.source, Path):
            sources.append(self._data.source)
        for name in ("model", "history", "plot"):
            if name in given:
                given[name].checked(free_path, given[name].near(), force or resume, *sources)
        folder = self.output.checkpoint
        if folder is None and resume:
            self._nodes["output"].fail('--resume needs checkpoints: checkpoint = "a folder".')
        if folder is not None and resume and not folder.exists():
            given["checkpoint"].fail(f"there is no {folder} to go on from. Leave out --resume.")
        if folder is not None and folder.exists() and not (force or resume):
            given["checkpoint"].fail(f"{folder} exists. --resume goes on from it, --force anew.")

    def fit(self) -> dl.History:
        """Train; what is wrong with the data is an error about that section."""
        try:
            return self.trainer.fit(
                *self.data.training,
                epochs=self.training.epochs,
                batch_size=self.training.batch_size,
                validation_data=self.data.validation,
            )
        except (DataError, DTypeError, ShapeError) as error:
            self._nodes["data"].fail(str(error))
        except StateError as error:
            self._layer_named_in(str(error)).fail(str(error))

    def _build(self, input_shape: Shape) -> None:
        model, node = self._model.network, self._nodes["model"]
        options = {"input_shape": input_shape, "rng": self._model.seed, "dtype": self._model.dtype}
        node.constructed(model.build, options, self._layer_named_in)
        self._nodes.get("loss", node).checked(dl.Objective, model, self.loss)

    def _layer_named_in(self, text: str) -> Node:
        """The layer of the network whose place is in a message, if there is one in it."""
        layers = self._nodes["model"].table()["layers"]
        places = re.findall(r"in layer (\d+) of Sequential", text)
        return layers.items()[int(places[-1])] if places else layers
