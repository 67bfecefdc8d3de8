"""How a trainer takes up the run of a checkpoint, and how its next `fit` goes on with it."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING

from minidl.errors import ArgumentError, DataError
from minidl.training.resuming import data_facts, environment
from minidl.training.resuming.callback_states import check_state, pairs_of
from minidl.training.resuming.generators import BatchOrder
from minidl.training.resuming.optimizer_numbers import put_numbers_back
from minidl.training.resuming.saved_run import SavedRun
from minidl.training.user_warning import warn_user

if TYPE_CHECKING:
    from minidl.training.running_fit import RunningFit
    from minidl.training.trainer import Trainer

WHO = "from_checkpoint"


def put_back(trainer: Trainer, run: SavedRun) -> None:
    """Let a trainer with the model of a run be where the run was; its next `fit` goes on there."""
    trainer._resumption = Resumption(trainer, run)
    trainer._resumption.load_callbacks()
    model, optimizer = trainer.model, trainer.optimizer
    for layer, (seed, generator, own) in zip(model.walk(), run.layers, strict=True):
        layer._seed, layer._rng = seed, generator
        for name, its in own.items():  # in place: layers may share one
            vars(layer)[name].bit_generator.state = its.bit_generator.state
    model._chunked_passes = run.chunked_passes
    if run.learning_rate is not None:
        optimizer.learning_rate = run.learning_rate
    optimizer.steps, optimizer.state = run.optimizer_steps, run.optimizer_state
    put_numbers_back(optimizer, run.optimizer_numbers)
    trainer._rng, trainer._split_seed = run.generators[0], run.split_seed
    trainer._order = BatchOrder(trainer._rng)
    trainer._order.generators = run.generators  # to be saved again, before a fit has sources
    trainer.epoch, trainer.step, trainer.last_epoch = run.epoch, run.step, run.epoch
    trainer.history._columns, trainer.history.epochs = run.history, run.epochs_in_history
    trainer.history.stopped, trainer.extra_values = run.stopped, run.extra_values


class Resumption:
    """What the first `fit` of a trainer from a checkpoint takes over from the run.

    Attributes:
        position: Where in a `fit` the run was saved; None if between two.
    """

    def __init__(self, trainer: Trainer, run: SavedRun) -> None:
        self._trainer, self._run, self.position = trainer, run, run.position
        self._pairs = pairs_of(trainer.callbacks, run.callbacks)
        self._check_parts()

    def load_callbacks(self) -> None:
        """Give the callbacks back what they kept."""
        for callback, saved in self._pairs:
            if type(callback).__module__.startswith("minidl."):
                check_state(self._trainer, callback, saved.state)
            callback.load_state_dict(copy.deepcopy(saved.state))  # it may be loaded once more

    def with_data(self, fit: RunningFit) -> None:
        """Let the sources of batches go on where they were; before the callbacks begin.

        Raises:
            ArgumentError: If the run is to end before the epoch that it is in the middle of.
            DataError: In the middle of an epoch, if the data are others.
        """
        run, order, last = self._run, self._trainer._order, self._trainer.last_epoch
        if self.position is not None and self.position.in_epoch and last <= run.epoch:
            raise ArgumentError(
                f"fit: the checkpoint stands in the middle of epoch {run.epoch + 1}, and epochs is "
                f"the total of the run here: expected at least {run.epoch + 1}, got {last}."
            )
        found = [] if self.position is None else data_facts.changes(self.position.data, fit.facts)
        if [type(g.bit_generator) for g in order.generators] == [
            type(g.bit_generator) for g in run.generators
        ]:
            for mine, its in zip(order.generators, run.generators, strict=True):
                mine.bit_generator.state = its.bit_generator.state
        elif self.position is not None or len(run.generators) > 1:
            found.append("batches are drawn from other generators")
        if found and self.position is not None and self.position.in_epoch:
            raise DataError(
                f"fit: these are not the data of the checkpoint: {'; '.join(found)}. It stands in "
                f"the middle of epoch {run.epoch + 1}, so only the same data in the same order "
                "can go on from it."
            )
        if found:
            warn_user(
                f"fit: these are not the data of the checkpoint: {'; '.join(found)}. The run goes "
                "on, but is another one from here on."
            )
        if not order.sources_tell:
            warn_user(
                "fit: the source of batches does not tell which generators it draws from, so the "
                "order of batches after the checkpoint may differ. Give it an attribute "
                "`generators`, a list of them, which is empty if it draws from none."
            )

    def go_on(self, fit: RunningFit) -> None:
        """Be where the run was; after the callbacks have begun."""
        changes = environment.changes(self._run.environment, fit.environment)
        if self.position is None:
            changes = [text for text in changes if not text.startswith(environment.THREADS)]
        if changes:
            warn_user(
                "fit: the checkpoint is from another environment, and results may differ in their "
                f"last bits: {'; '.join(changes)}."
            )
        self._trainer._resumption = None
        if self.position is None:
            return
        self.load_callbacks()
        if self._run.stopped:
            self._trainer.stop(self._run.stopped, at_once=self._run.stops_at_once)
        late = [callback for callback, saved in self._pairs if saved.waits]
        fit.hooks.go_on_from(self.position.hook, late)
        if not self.position.in_epoch:
            fit.hooks.call("on_epoch_end")
            return
        fit.go_on_in_epoch(self.position)

    def _check_parts(self) -> None:
        """Warn of what the run had and the trainer has not; raise for what cannot be added."""
        run, trainer = self._run, self._trainer
        found = [saved for _, saved in self._pairs]
        missing = [saved.name for saved in run.callbacks if saved not in found]
        missing = [name for name in missing if name != "ProgressBar"]
        names = {metric.name for metric in trainer.metrics}
        missing += [name for name in run.metrics if name not in names]
        if missing:
            warn_user(
                f"{WHO}: the run had {', '.join(missing)}, which this one has not. Give them again "
                "in callbacks=[...] and metrics=[...]."
            )
        in_epoch = self.position is not None and self.position.in_epoch
        if in_epoch and names and not run.metrics:
            raise ArgumentError(
                f"{WHO}: the run had no metrics, so it has kept no outputs of the epoch that the "
                f"checkpoint is in the middle of. Leave out {', '.join(sorted(names))}."
            )
