"""A run as it was saved: read from a file, and checked before anything is made of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from minidl.io.model_file import TRAINING
from minidl.io.strict_json import parsed
from minidl.io.tensor_file import TensorFile
from minidl.training.hooks import IN_AN_EPOCH
from minidl.training.resuming.generators import generator_at, seed_from
from minidl.training.resuming.plain_data import restored
from minidl.typing import Array

Fields = Mapping[str, Any]
VERSION = 1  # of what a checkpoint has besides the model


@dataclass(eq=False)
class SavedCallback:
    """What a callback kept, and whether the hook that saved had yet to call it."""

    name: str
    state: dict[str, Any]
    waits: bool


@dataclass
class Position:
    """Where in a `fit` the run was saved.

    Attributes:
        hook: The hook that saved it.
        batches: Number of batches of the epoch that were done.
        loss: That of the last one.
        seconds: How long the epoch had taken.
        sums: The sums of its losses and weights so far.
        gathered: Its outputs and targets so far, for metrics.
        data: What was known of the data.
    """

    hook: str
    batches: int
    loss: float
    seconds: float
    sums: tuple[float, float]
    gathered: tuple[Array, Array] | None
    data: dict[str, Any]

    @property
    def in_epoch(self) -> bool:
        """Whether an epoch had begun and not ended."""
        return self.hook != "on_epoch_end"


class SavedRun:
    """All that is in a checkpoint besides the model; anything that is not one raises an error.

    The caller makes a DataError of errors of any kind.
    """

    def __init__(self, file: TensorFile) -> None:
        data = parsed(file.metadata["training"])
        if data["version"] != VERSION:
            raise ValueError(
                f"its run has format version {data['version']!r}, this minidl reads {VERSION}"
            )
        self.epoch, self.step = _whole(data["epoch"]), _whole(data["step"])
        self.stopped = _of(str, data["stopped"])
        self.stops_at_once = _of(bool, data["stops_at_once"])
        self.extra_values = _numbers(data["extra_values"])
        self.metrics = [_of(str, name) for name in _of(list, data["metrics"])]
        self.loss, self.optimizer = _description(data["loss"]), _description(data["optimizer"])
        rate = data["optimizer"]["rate"]
        self.learning_rate = _number(rate) if isinstance(rate, int | float) else None
        self.optimizer_steps = _whole(data["optimizer"]["steps"])
        self.optimizer_numbers = _of(dict, restored(data["optimizer"]["numbers"]))
        self.optimizer_state = _tensors(file, "optimizer.")
        self.layers = [
            (
                None if draws["seed"] is None else seed_from(draws["seed"]),
                None if draws["generator"] is None else generator_at(draws["generator"]),
                {n: generator_at(state) for n, state in _of(dict, draws["own"]).items()},
            )
            for draws in _of(list, data["layers"])
        ]
        self.chunked_passes = _whole(data["chunked_passes"])
        self.split_seed = seed_from(data["split_seed"])
        self.generators = [generator_at(state) for state in _of(list, data["generators"])]
        if not self.generators:
            raise ValueError("its trainer has no generator")
        self.environment = _of(dict, data["environment"])
        self.epochs_in_history = _whole(data["epochs_in_history"])
        columns = _tensors(file, "history.")
        self.history = {
            name: _column(name, columns[name], self.epochs_in_history)
            for name in _of(list, data["history"])
        }
        self.position = None if data["position"] is None else _position(data["position"], file)
        self.callbacks = [
            SavedCallback(
                _of(str, saved["class"]),
                {name: restored(value) for name, value in _of(dict, saved["state"]).items()}
                | _tensors(file, f"callbacks.{number}."),
                _of(bool, saved["waits"]),
            )
            for number, saved in enumerate(_of(list, data["callbacks"]))
        ]


def _of(kind: type[Any], value: Any) -> Any:
    if type(value) is not kind:
        raise ValueError(f"its run has {value!r:.80} where a {kind.__name__} belongs")
    return value


def _whole(value: Any) -> int:
    number: int = _of(int, value)
    if not 0 <= number < 2**63:
        raise ValueError(f"its run has {number} where a count belongs")
    return number


def _number(value: Any) -> float:
    number = restored(value)
    return float(number if isinstance(number, int) else _of(float, number))


def _numbers(data: Any) -> dict[str, float]:
    return {name: _number(value) for name, value in _of(dict, data["dict"]).items()}


def _description(data: Fields) -> Fields:
    _of(str, data["class"]), _of(bool, data["own"]), _of(dict, data["options"])
    return data


def _tensors(file: TensorFile, prefix: str) -> dict[str, Array]:
    names = [name for name in file.entries if name.startswith(f"{TRAINING}{prefix}")]
    return {name.removeprefix(f"{TRAINING}{prefix}"): file.read(name) for name in names}


def _column(name: str, values: Array, epochs: int) -> list[float]:
    if values.dtype != np.float64 or values.shape != (epochs,):
        raise ValueError(f"its history of {name!r} is not a value for each of {epochs:,} epochs")
    numbers: list[float] = values.tolist()
    return numbers


def _position(data: Fields, file: TensorFile) -> Position:
    gathered = None
    if data["targets"] is not None:
        values = _tensors(file, "epoch.")
        outputs, targets = values["outputs"], values["targets"]
        if outputs.dtype.kind != "f" or not outputs.ndim or targets.shape[:1] != outputs.shape[:1]:
            raise ValueError("outputs and targets of its epoch do not belong together")
        gathered = outputs, targets.astype(bool) if data["targets"] == "bool" else targets
    return Position(
        IN_AN_EPOCH[IN_AN_EPOCH.index(data["hook"])],
        _whole(data["batches"]),
        _number(data["loss"]),
        _number(data["seconds"]),
        (_number(data["sums"][0]), _number(data["sums"][1])),
        gathered,
        _of(dict, data["data"]),
    )
