"""A trainer's run as arrays and plain data: all that it takes to go on with the same bits."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from minidl.errors import ArgumentTypeError, StateError
from minidl.io.model_file import TRAINING
from minidl.layers.base import Layer
from minidl.training.environment import environment
from minidl.training.generator_states import generator_state, seed_data
from minidl.training.hooks import IN_AN_EPOCH
from minidl.training.plain_data import described, has_unsaved, plain
from minidl.typing import Array

if TYPE_CHECKING:
    from minidl.optimizers.base import Optimizer
    from minidl.training.running_fit import RunningFit
    from minidl.training.trainer import Trainer

VERSION = 1
NOT_NUMBERS = {"steps", "state", "_kept"}  # of an optimizer


def run_state(trainer: Trainer) -> tuple[dict[str, Array], dict[str, Any]]:
    """Return the arrays by name and all the rest as plain data; the model's values are not in it.

    Raises:
        StateError: If the run is not at a point that it can go on from.
    """
    fit, tensors = trainer._running, dict[str, Array]()
    if trainer._going_on is not None and trainer._going_on.position is not None:
        raise StateError(
            "save_checkpoint: this run was read from a checkpoint in the middle of a fit, and has "
            "not gone on yet: copy that file, or call fit first."
        )
    if fit is not None and not fit.hooks.running:
        raise StateError(
            "save_checkpoint: a batch is being trained on or evaluated. Call it between two fits, "
            "or in the hook of a callback."
        )
    model, history = trainer.model, trainer.history
    for name in history:
        tensors[f"history.{name}"] = history[name]
    for name, vector in trainer.optimizer.state.items():
        tensors[f"optimizer.{name}"] = vector
    if fit is not None and fit.hooks.running not in IN_AN_EPOCH:
        fit = None  # it has not begun, or has ended: a further one begins anew
    data = {
        "version": VERSION,
        "epoch": trainer.epoch,
        "step": trainer.step,
        "history": list(history),
        "epochs_in_history": history.epochs,
        "stopped": history.stopped,
        "stops_at_once": trainer._stops_at_once,
        "extra_values": plain(trainer.extra_values),
        "metrics": [metric.name for metric in trainer.metrics],
        "loss": described(trainer.loss),
        "optimizer": {
            **described(trainer.optimizer),
            "rate": plain(vars(trainer.optimizer).get("learning_rate")),  # a solver has none
            "steps": trainer.optimizer.steps,
            "numbers": plain(own_numbers(trainer.optimizer)),
        },
        "layers": [_draws(layer) for layer in model.walk()],
        "chunked_passes": model._chunked_passes,
        "split_seed": seed_data(trainer._split_seed),
        "generators": trainer._order.states(),
        "environment": environment() if fit is None else fit.environment,
        "position": None if fit is None else _position(fit, tensors),
        "callbacks": _callbacks(trainer, tensors),
    }
    return {f"{TRAINING}{name}": values for name, values in tensors.items()}, data


def _draws(layer: Layer) -> dict[str, Any]:
    """What a layer draws from, and where that stands if it has drawn before."""
    generator = None if layer._rng is None else generator_state(layer._rng)
    seed = None if layer._seed is None else seed_data(layer._seed)
    return {"seed": seed, "generator": generator}


def own_numbers(optimizer: Optimizer) -> dict[str, Any]:
    """What an optimizer keeps from step to step besides vectors, such as a product of numbers."""
    options = inspect.signature(type(optimizer)).parameters
    found = {k: v for k, v in vars(optimizer).items() if k not in NOT_NUMBERS and k not in options}
    return {name: value for name, value in found.items() if _is_number(value)}


def _is_number(value: Any) -> bool:
    if isinstance(value, tuple | list):
        return all(map(_is_number, value))
    return isinstance(value, bool | int | float | str)


def _position(fit: RunningFit, tensors: dict[str, Array]) -> dict[str, Any]:
    """Where in an epoch the run is, and what this epoch's values have come to."""
    gathered = fit.values.gathered() if fit.in_epoch else None
    if gathered is not None:
        tensors["epoch.outputs"], targets = gathered
        tensors["epoch.targets"] = targets.astype(np.uint8) if targets.dtype == bool else targets
    return {
        "hook": fit.hooks.running,
        "batches": fit.batches,
        "loss": plain(fit.loss),
        "seconds": fit.seconds,
        "sums": plain(fit.values.sums()),
        "targets": None if gathered is None else str(gathered[1].dtype),
        "data": fit.facts,
    }


def _callbacks(trainer: Trainer, tensors: dict[str, Array]) -> list[dict[str, Any]]:
    """What the callbacks keep, and which of them the hook that saves has yet to call."""
    found = []
    late = trainer._running.hooks.waiting if trainer._running is not None else []
    for number, callback in enumerate(trainer.callbacks):
        state: Mapping[str, Any] = callback.state_dict()
        for name, value in state.items():
            if isinstance(value, np.ndarray):
                tensors[f"callbacks.{number}.{name}"] = value
        rest = {k: plain(v) for k, v in state.items() if not isinstance(v, np.ndarray)}
        for name, value in rest.items():
            if has_unsaved(value):
                raise ArgumentTypeError(
                    f"save_checkpoint: {type(callback).__name__}.state_dict gives {name!r} as a "
                    f"{type(state[name]).__name__}, which no file holds. Give arrays, numbers, "
                    "texts, None, and lists and dicts of numbers and texts."
                )
        waits = any(callback is each for each in late)
        found.append({"class": type(callback).__name__, "state": rest, "waits": waits})
    return found
