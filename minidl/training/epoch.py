"""One epoch of training, from its first batch to its values in the history."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from minidl.errors import DataError
from minidl.finiteness import is_finite
from minidl.training.diagnosis import raise_for_bad_parameters, raise_for_bad_step
from minidl.training.evaluation import evaluated
from minidl.training.repeatable import RepeatablePass
from minidl.training.running_fit import RunningFit
from minidl.training.warning_signs import WarningSigns

if TYPE_CHECKING:
    from minidl.training.trainer import Trainer


def run_epoch(trainer: Trainer, running: RunningFit, signs: WarningSigns) -> None:
    """Train on all batches, or on those that are left, and evaluate.

    Args:
        trainer: Whose model is trained.
        running: The `fit`, which knows of batches that are done already.
        signs: What to look out for.
    """
    hooks, objective, optimizer = running.hooks, trainer.objective, trainer.optimizer
    if running.begin_epoch():
        trainer.extra_values = {}
    hooks.call("on_epoch_begin")
    listeners = hooks.listeners("on_batch_end")
    decay, trainable = trainer.model.decay_mask, trainer.model.trainable_mask
    params, grads = trainer.model.params, trainer.model.grads
    this_pass = RepeatablePass(trainer.model)
    for number, batch in enumerate(running.all_batches(), start=1):
        if number < running.batches:  # done before the checkpoint that this goes on from
            continue
        if number > running.batches:
            this_pass.begin()
            outputs = running.values.room_for(batch)
            loss = objective.differentiate(
                batch.x, batch.target, batch.weight, batch.total, outputs
            )
            if not this_pass.is_finite(loss):
                raise_for_bad_step(trainer, batch, loss, number, this_pass)
            if signs.wants(number):
                signs.look(batch.x, loss, number=number, first_step=not trainer.step)
            with np.errstate(all="ignore"):  # as in the pass: found and explained afterwards
                optimizer.update(params, grads, decay=decay, trainable=trainable)
                objective.constrain()
            trainer.step += 1
            running.add(loss, batch)
        if listeners:
            hooks.call("on_batch_end", running.loss)
        if trainer._stops_at_once:
            break
    if number < running.batches:
        raise DataError(
            f"{running.training.name}: the source gave {number} batches, and the checkpoint was "
            f"written after {running.batches} of this epoch. Only the same data can go on from it."
        )
    if not is_finite(params):
        raise_for_bad_parameters(trainer, batch)
    values = running.values.values()
    hooks.call("on_validation_begin")
    if running.validation is not None:
        found = evaluated(trainer, running.validation)
        values |= {f"val_{name}": value for name, value in found.items()}
    trainer.history.append(values | trainer.extra_values | {"seconds": running.seconds})
    trainer.epoch += 1
    running.end_epoch()
    hooks.call("on_epoch_end")
