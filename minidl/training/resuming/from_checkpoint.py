"""A trainer from a checkpoint: what the user gives is checked, the rest is made from the file."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from minidl.arguments import instance
from minidl.errors import ArgumentError, DataError, ShapeError
from minidl.io.known_classes import checked_classes
from minidl.io.model_file import TRAINING, contents_of, model_from
from minidl.io.tensor_file import TensorFile
from minidl.layers.base import Layer
from minidl.losses.base import Loss
from minidl.metrics import Metric
from minidl.optimizers.base import Optimizer
from minidl.training.callbacks import Callback
from minidl.training.resuming.checkpoint_file import read_last_good
from minidl.training.resuming.generators import kinds_of, own_generators
from minidl.training.resuming.plain_data import LOSSES, OPTIMIZERS, Kinds, differences, is_own, made
from minidl.training.resuming.resumption import put_back
from minidl.training.resuming.saved_run import Fields, SavedRun
from minidl.training.user_warning import warn_user
from minidl.typing import Array, MetricFunction

if TYPE_CHECKING:
    from minidl.training.trainer import Trainer

WHO = "from_checkpoint"
SomeTrainer = TypeVar("SomeTrainer", bound="Trainer")


@dataclass
class _Content:
    """What was read: the run, and a model, or the values for the views of the one that is given."""

    run: SavedRun
    model: Layer
    values: list[tuple[Array, Array]]
    same_architecture: bool


def trainer_from(
    kind: type[SomeTrainer],
    path: str | os.PathLike[str],
    model: Layer | None,
    loss: Loss | None,
    optimizer: Optimizer | None,
    metrics: Iterable[Metric | MetricFunction],
    callbacks: Iterable[Callback],
    layers: Mapping[str, type] | None,
    workers: int,
) -> SomeTrainer:
    """Read a checkpoint; `Trainer.from_checkpoint` says more."""
    if model is not None:
        _ = instance(WHO, "model", model, Layer).bound  # or it says that it is not built
    own = checked_classes(layers)
    found, damaged = read_last_good(path, lambda file: _content(file, model, own))
    run = found.run
    loss = _part("loss", loss, run.loss, LOSSES, Loss)
    rule = _part("optimizer", optimizer, run.optimizer, OPTIMIZERS, Optimizer)
    trainer = kind(
        found.model, loss, rule, metrics=metrics, callbacks=callbacks, workers=workers, rng=0
    )
    if not found.same_architecture:
        warn_user(
            f"{WHO}: the given model has the parameters of the saved one, but other layers or "
            "options, so the run will not be the same."
        )
    put_back(trainer, run)
    trainer._damaged = damaged
    for view, values in found.values:
        view[...] = values
    return trainer


def _content(file: TensorFile, model: Layer | None, own: Mapping[str, type]) -> _Content:
    if "training" not in file.metadata:
        raise file.error("is a model, but no checkpoint of a Trainer: dl.load(path) reads it")
    try:
        run = SavedRun(file)
    except Exception as error:  # whatever may be wrong with a file's data
        raise file.error(f"holds no run that could go on: {error!r}") from error
    values: list[tuple[Array, Array]] = []
    same = True
    if model is None:
        model = model_from(file, own)
    else:
        views, texts = contents_of(model)
        _check_fits(file, views)
        values = [(view, file.read(name)) for name, view in views.items()]
        same = texts["architecture"] == file.metadata.get("architecture")
    sizes = {(vector.shape, vector.dtype) for vector in run.optimizer_state.values()}
    if sizes - {(model.params.shape, model.dtype)}:
        raise file.error("holds an optimizer's state that is not of the model's parameters")
    here, there = map(own_generators, model.walk()), (own for _, _, own in run.layers)
    if [*map(kinds_of, here)] != [*map(kinds_of, there)]:
        raise file.error("holds generators of other layers than the model's")
    return _Content(run, model, values, same)


def _check_fits(file: TensorFile, views: Mapping[str, Array]) -> None:
    """Raise unless a given model has the arrays of the file."""
    there = {
        name: (entry.shape, entry.dtype)
        for name, entry in file.entries.items()
        if not name.startswith(TRAINING)
    }
    here = {name: (view.shape, view.dtype) for name, view in views.items()}
    for name in {**here, **there}:
        if there.get(name) != here.get(name):
            raise ShapeError(
                f"{WHO}: {name!r} is {_array_text(there.get(name))} in {file.path}, and "
                f"{_array_text(here.get(name))} in the given model. Build it from the same layers "
                "and the same input shape, or leave it out: the file holds the model."
            )


def _array_text(entry: Any) -> str:
    return "missing" if entry is None else f"{entry[1]} {entry[0]}"


def _part(name: str, given: Any, saved: Fields, kinds: Kinds, base: type[Any]) -> Any:
    """A loss or an optimizer: as given, if it is the one that was saved, or made anew."""
    if given is None:
        if is_own(saved):
            raise ArgumentError(
                f"{WHO}: the run's {name} was a {saved['class']} that is, or has in its options, "
                f"code of your own, which no file holds. Give it: {name}=..."
            )
        try:
            return made(saved, kinds)
        except Exception as error:  # nobody knows what a constructor makes of any options
            raise DataError(f"{WHO}: no {saved['class']} can be made: {error}") from error
    found = differences(saved, instance(WHO, name, given, base))
    if found:
        raise ArgumentError(
            f"{WHO}: the given {name} is not that of the checkpoint: {'; '.join(found)}. Leave it "
            f"out, or give one with the same options; change them afterwards in trainer.{name}."
        )
    return given
