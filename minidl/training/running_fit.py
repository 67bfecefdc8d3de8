"""Where a `fit` stands: what a checkpoint in the middle of an epoch needs to know."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from functools import cached_property
from typing import TYPE_CHECKING, Any

from minidl.training.epoch_values import EpochValues
from minidl.training.resuming.data_facts import facts_of
from minidl.training.resuming.environment import environment
from minidl.training.resuming.generators import BatchOrder

if TYPE_CHECKING:
    from minidl.training.hooks import Hooks
    from minidl.training.resuming.saved_run import Position
    from minidl.training.sources import Batch
    from minidl.training.trainer import Trainer
    from minidl.training.validation import Source


class RunningFit:
    """The data of a `fit`, and how far it has come in its epoch.

    Args:
        trainer: The trainer.
        training: Where its batches come from.
        validation: Where those of the validation data come from, if there are any.
        batch_size: Rows of a batch of arrays.
        shuffle: Whether arrays are shuffled.
        hooks: The callbacks.

    Attributes:
        in_epoch: Whether an epoch has begun and not ended.
        batches: Number of its batches that are done.
        loss: That of the last one.
        values: What they have added up to.
    """

    def __init__(
        self,
        trainer: Trainer,
        training: Source,
        validation: Source | None,
        batch_size: int,
        shuffle: bool,
        hooks: Hooks,
    ) -> None:
        self._trainer = trainer
        self.training, self.validation, self.hooks = training, validation, hooks
        self.batch_size, self.shuffle = batch_size, shuffle
        self.in_epoch, self.batches, self.loss = False, 0, 0.0
        self.values = EpochValues(trainer.objective, trainer.metrics)
        self._start = 0.0

    def begin_epoch(self) -> bool:
        """Begin an epoch, unless one was begun before the checkpoint that this goes on from."""
        if self.in_epoch:
            return False
        self.in_epoch, self.batches, self.loss = True, 0, 0.0
        self.values = EpochValues(self._trainer.objective, self._trainer.metrics)
        self._trainer._order.begin_epoch()
        self._start = time.perf_counter()
        return True

    def all_batches(self) -> Iterator[Batch]:
        """The batches of an epoch, with those that are done."""
        return self.training.batches(self.batch_size, self._trainer._rng if self.shuffle else None)

    def go_on_in_epoch(self, position: Position) -> None:
        """Be in the middle of an epoch, of which another process has done the beginning."""
        self.begin_epoch()
        self.batches, self.loss = position.batches, position.loss
        self.values.go_on_from(position.sums, position.gathered)
        self._start -= position.seconds

    def add(self, loss: float, batch: Batch) -> None:
        """Count a batch."""
        self.batches, self.loss = self.batches + 1, loss
        self.values.add(loss, batch)

    def end_epoch(self) -> None:
        """Be between two epochs."""
        self.in_epoch = False

    @property
    def seconds(self) -> float:
        """How long the epoch has taken."""
        return time.perf_counter() - self._start

    @contextlib.contextmanager
    def going(self) -> Iterator[None]:
        """Let checkpoints of the trainer be of this `fit`, until the end of the block."""
        trainer, sources = self._trainer, [self.training, self.validation]
        trainer._order = BatchOrder(trainer._rng, [each for each in sources if each is not None])
        if trainer._resumption is not None:
            trainer._resumption.with_data(self)
        trainer._running = self
        try:
            yield
        finally:
            trainer._running = None

    @cached_property
    def facts(self) -> dict[str, Any]:
        """What is known of the data."""
        found = facts_of(self.training, self.batch_size) | {"shuffle": self.shuffle}
        if self.validation is not None:
            rows = self.validation.evaluation_rows
            checked = facts_of(self.validation, rows)
            found |= {f"validation {name}": fact for name, fact in checked.items()}
        return found

    @cached_property
    def environment(self) -> dict[str, Any]:
        """Libraries, machine, and the threads of this `fit`."""
        return environment()
