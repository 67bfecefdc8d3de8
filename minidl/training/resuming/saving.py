"""A trainer's run as arrays and plain data: all that it takes to go on with the same bits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from minidl.errors import StateError
from minidl.io.model_file import TRAINING
from minidl.layers.base import Layer
from minidl.training.hooks import IN_AN_EPOCH
from minidl.training.resuming.callback_states import callback_states
from minidl.training.resuming.environment import environment
from minidl.training.resuming.generators import generator_state, own_generators, seed_data
from minidl.training.resuming.optimizer_numbers import own_numbers
from minidl.training.resuming.plain_data import described, plain
from minidl.training.resuming.saved_run import VERSION
from minidl.typing import Array

if TYPE_CHECKING:
    from minidl.training.running_fit import RunningFit
    from minidl.training.trainer import Trainer


def run_state(trainer: Trainer) -> tuple[dict[str, Array], dict[str, Any]]:
    """Return the arrays by name and all the rest as plain data; the model's values are not in it.

    Raises:
        StateError: If the run is not at a point that it can go on from.
    """
    fit, tensors = trainer._running, dict[str, Array]()
    if trainer._resumption is not None and trainer._resumption.position is not None:
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
        "generators": trainer._order.states(in_epoch=fit is not None and fit.in_epoch),
        "environment": environment() if fit is None else fit.environment,
        "position": None if fit is None else _position(fit, tensors),
        "callbacks": callback_states(trainer, tensors),
    }
    return {f"{TRAINING}{name}": values for name, values in tensors.items()}, data


def _draws(layer: Layer) -> dict[str, Any]:
    """What a layer draws from, and where that stands if it has drawn before."""
    generator = None if layer._rng is None else generator_state(layer._rng)
    seed = None if layer._seed is None else seed_data(layer._seed)
    own = {name: generator_state(its) for name, its in own_generators(layer).items()}
    return {"seed": seed, "generator": generator, "own": own}


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
