"""The training loop."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import ArrayLike

from minidl.arguments import flag, instance, whole_number
from minidl.errors import DivergenceError
from minidl.layers.base import Layer
from minidl.losses.base import Loss
from minidl.metrics import Metric
from minidl.objective import Objective
from minidl.optimizers.base import Optimizer
from minidl.randomness import child_seed, seed_sequence
from minidl.thread_policy import useful_workers
from minidl.threads import at_most_blas_threads
from minidl.training.callbacks import Callback
from minidl.training.epoch import run_epoch
from minidl.training.evaluation import evaluated, threads_for
from minidl.training.history import History
from minidl.training.hooks import Hooks
from minidl.training.parts import callbacks_of, metrics_of, with_progress_bar
from minidl.training.resuming.checkpoint_file import write_checkpoint
from minidl.training.resuming.generators import BatchOrder
from minidl.training.resuming.resumption import Resumption
from minidl.training.running_fit import RunningFit
from minidl.training.validation import source_of, training_and_validation
from minidl.training.warning_signs import WarningSigns
from minidl.typing import MetricFunction, RNGLike


class Trainer:
    """Fits a model to data, and keeps the state of the run: epoch, step, generator, history.

    Args:
        model: A built layer.
        loss: The loss; an instance.
        optimizer: The update rule; an instance.
        metrics: Functions `(y_true, y_pred) -> float`, such as `dl.accuracy` or scikit-learn's.
            For classifiers both arguments are integer labels; `Metric(f, needs="probabilities")`
            gets the model's outputs. Values are of a whole epoch, not means over batches. A weight
            of 0, such as that of a masked step, leaves a sample out; other weights are the loss's.
        callbacks: What is to happen in between; see `Callback`.
        workers: Threads that evaluate chunks of large batches where that is faster, as in wide
            layers. At the same number of BLAS threads any number gives the same bits. During `fit`
            and `evaluate` BLAS is held to as many threads as help, in the whole process: to one
            where workers have the cores.
        rng: Seed or generator for shuffling and for splitting off validation rows.

    Attributes:
        history: Values of all epochs so far.
        epoch: Number of epochs done.
        step: Number of updates made.
        extra_values: More values of the running epoch, by name, for the history; callbacks may add
            to them.

    Raises:
        StateError: If the model is not built.
        ArgumentTypeError: For a class in place of an instance.

    Example:
        >>> import minidl as dl
        >>> x, y = dl.synthetic_digits(500, rng=0)
        >>> model = dl.Sequential([dl.Dense(10), dl.ReLU(), dl.Dense(10), dl.Softmax()])
        >>> model = model.build((784,), rng=0)
        >>> optimizer = dl.SGD(0.1)
        >>> trainer = dl.Trainer(model, dl.CrossEntropy(), optimizer, metrics=[dl.accuracy], rng=0)
        >>> history = trainer.fit(x, y, epochs=5)
        >>> bool(history["loss"][-1] < history["loss"][0]), sorted(trainer.evaluate(x, y))
        (True, ['accuracy', 'loss'])
    """

    def __init__(
        self,
        model: Layer,
        loss: Loss,
        optimizer: Optimizer,
        *,
        metrics: Iterable[Metric | MetricFunction] = (),
        callbacks: Iterable[Callback] = (),
        workers: int = 1,
        rng: RNGLike = None,
    ) -> None:
        workers = whole_number("Trainer", "workers", workers)
        self.objective = Objective(model, loss, workers=workers)
        self.objective.workers = useful_workers(model, self.objective.chunk_rows, workers)
        self.model, self.loss = model, loss
        self.optimizer = instance("Trainer", "optimizer", optimizer, Optimizer)
        self.metrics, self.callbacks = metrics_of(metrics), callbacks_of(callbacks)
        seed = seed_sequence(rng)
        self._rng, self._split_seed = np.random.default_rng(seed), child_seed(seed, 0)
        self.history = History()
        self.epoch = self.step = self.last_epoch = 0
        self.steps_per_epoch: int | None = None
        self.measured: list[str] = []
        self.extra_values: dict[str, float] = {}
        self._stops_at_once = False
        self._order = BatchOrder(self._rng)
        self._running: RunningFit | None = None  # the fit that is going on
        self._damaged: Path | None = None  # a checkpoint that must not replace the one before it
        self._resumption: Resumption | None = None  # what the first fit after a checkpoint needs

    def fit(
        self,
        x: ArrayLike | Iterable[Any],
        y: ArrayLike | None = None,
        *,
        epochs: int,
        batch_size: int = 32,
        validation_data: tuple[ArrayLike, ...] | Iterable[Any] | None = None,
        validation_split: float = 0.0,
        sample_weight: ArrayLike | None = None,
        class_weight: Mapping[int, float] | Literal["balanced"] | None = None,
        shuffle: bool = True,
    ) -> History:
        """Train for some epochs, in addition to those done before.

        Args:
            x: Inputs (N, *input_shape), or a source of batches `(x, y)` that can be iterated again.
            y: Targets, as the loss takes them.
            epochs: Further epochs; in the first `fit` after `from_checkpoint` the total of the run.
            batch_size: Rows of a batch.
            validation_data: `(x, y)`, `(x, y, sample_weight)` or a source of batches, evaluated
                after every epoch.
            validation_split: Instead: this fraction of the rows, drawn at random and the same in
                every `fit` of this trainer, is held out.
            sample_weight: A weight for each row (N,), step (N, T) or pixel (N, H, W), at least 0.
                A source yields it with its batches, `(x, y, sample_weight)`.
            class_weight: A weight for each class in training, as a dict, 1 where not named; or for
                arrays "balanced", see `class_weights`. For one class a sample, step or pixel;
                multiplied with `sample_weight`. The validation loss is not weighted by classes.
            shuffle: Whether to shuffle the rows anew in every epoch.

        Returns:
            The history of all epochs so far. Ctrl-C ends training early and keeps everything.

        Raises:
            ShapeError: If data do not fit the model.
            DTypeError: If `x` is not floating.
            DataError: If targets are wrong, or data have NaN or infinity (rows and columns named).
            DivergenceError: If the loss or its gradient stops being finite although the data are.
                It names the layer and the operation where that began, and what helps; the
                parameters are those before that step. Also at the end of an epoch whose last step
                has left parameters that are not finite.

        Warns:
            TrainingWarning: If x looks like raw pixels, or no gradient reaches the first layers.
        """
        epochs = whole_number("fit", "epochs", epochs)
        batch_size = whole_number("fit", "batch_size", batch_size)
        shuffle = flag("fit", "shuffle", shuffle)
        training, validation = training_and_validation(
            self.objective,
            source_of(self.objective, x, y, sample_weight, "fit"),
            validation_data,
            validation_split,
            self._split_seed,
        )
        if class_weight is not None:
            training.weigh_classes(class_weight)
        names = ["loss", *(metric.name for metric in self.metrics)]
        self.measured = [*names, *(f"val_{name}" for name in names if validation), "seconds"]
        self.last_epoch = epochs if self._resumption else self.epoch + epochs
        self.steps_per_epoch = training.steps(batch_size)
        self.history.stopped, self._stops_at_once = "", False
        hooks, signs = Hooks(self, with_progress_bar(self.callbacks)), WarningSigns(self.model)
        threads = threads_for(self.objective, training, batch_size)
        running = RunningFit(self, training, validation, batch_size, shuffle, hooks)
        with running.going(), hooks.fitting(), at_most_blas_threads(threads):
            if self._resumption is not None:
                self._resumption.go_on(running)
            while self.epoch < self.last_epoch and (running.in_epoch or not self.history.stopped):
                try:
                    run_epoch(self, running, signs)
                except DivergenceError as error:
                    running.end_epoch()
                    self.history.stopped = ""
                    hooks.call("on_divergence", error)
                    if not self.history.stopped:
                        raise
        return self.history

    def save_checkpoint(self, path: str | os.PathLike[str]) -> None:
        """Write the model and all of the run's state to one file, to go on from there exactly.

        For use between two fits, or in the hooks of a callback; of those in the middle of an epoch,
        too. It holds parameters and state, the optimizer with its schedule, generators, epoch,
        step, the position within the epoch, the history, and what callbacks keep. It is a model
        file (`Layer.save`) with more in it, so `dl.load(path)` reads the model; nothing in it can
        run code. The data are not in it.

        The file is complete or not there at all, whenever the process or the machine stops. The one
        that was there stays beside it as `run.previous.ckpt` beside `run.ckpt`, until the next.

        Args:
            path: The file.

        Raises:
            OSError: If it cannot be written, as on a full disk. Both older files are as before.
            StateError: In the middle of a batch, where a run cannot go on from.
            ArgumentError: If the model cannot be made again from a file.
        """
        write_checkpoint(self, path)

    @classmethod
    def from_checkpoint(
        cls,
        path: str | os.PathLike[str],
        model: Layer | None = None,
        loss: Loss | None = None,
        optimizer: Optimizer | None = None,
        *,
        metrics: Iterable[Metric | MetricFunction] = (),
        callbacks: Iterable[Callback] = (),
        layers: Mapping[str, type] | None = None,
        workers: int = 1,
    ) -> Self:
        """Return a trainer that goes on where another one, in another process, has stopped.

        Give `fit` the same data and options again. In the first `fit`, `epochs` is the total of the
        run; what is done already is not done again. With the same versions, BLAS, threads and kind
        of machine the results have the same bits as those of a run that was never interrupted;
        elsewhere a warning says what differs. Batches of the epoch that were done are read, and
        transformed, once more and passed over. A source of batches or a transform of your own that
        draws random numbers names its generators in a list, its attribute `generators`.

        Args:
            path: The file, or the folder of a `Checkpoint`. If it is damaged or missing, the one
                before it is taken, with a warning.
            model: A built model to take the values, in place of a new one.
            loss: Needed only if it is of a class of your own.
            optimizer: Needed only if it, or its schedule, is your own. Its options must be those of
                the file; a learning rate that is a number comes from the file, where callbacks may
                have changed it. For another one set `trainer.optimizer.learning_rate` afterwards.
            metrics: As before; they are functions, which no file holds.
            callbacks: As before, in their order. They get back what they had kept.
            layers: Your own layers in the model, as for `dl.load`.
            workers: Threads.

        Raises:
            FileNotFoundError: If there is no such file.
            DataError: If neither the file nor the one before it is a good checkpoint. By `fit`: if
                the data differ and the run stands in the middle of an epoch.
            ArgumentError: If loss or optimizer is missing or not that of the file. By `fit`: if
                the run is to end before the epoch that it is in the middle of.
            ShapeError: If the given model has other parameters.

        Warns:
            TrainingWarning: If a file is damaged, callbacks or metrics are missing, or, by `fit`,
                data, environment or the order of batches differ.

        Example:
            >>> import tempfile, minidl as dl
            >>> x, y = dl.synthetic_digits(300, rng=0)
            >>> model = dl.Sequential([dl.Dense(10), dl.Softmax()]).build((784,), rng=0)
            >>> trainer = dl.Trainer(model, dl.CrossEntropy(), dl.Adam(0.01), rng=0)
            >>> history = trainer.fit(x, y, epochs=2)
            >>> folder = tempfile.TemporaryDirectory()
            >>> trainer.save_checkpoint(f"{folder.name}/run.ckpt")
            >>> again = dl.Trainer.from_checkpoint(f"{folder.name}/run.ckpt")
            >>> again.fit(x, y, epochs=3).epochs
            3
            >>> history = trainer.fit(x, y, epochs=1)
            >>> bool((again.model.params == trainer.model.params).all())
            True
            >>> folder.cleanup()
        """
        from minidl.training.resuming.from_checkpoint import trainer_from

        return trainer_from(
            *(cls, path, model, loss, optimizer, metrics, callbacks, layers, workers)
        )

    def __getstate__(self) -> dict[str, Any]:
        return vars(self) | {"_running": None}  # or a copy made in a hook would have all the data

    def stop(self, reason: str, *, at_once: bool = False) -> None:
        """End training after the present epoch; callbacks call this.

        Args:
            reason: What `history.stopped` is to say.
            at_once: Let the epoch end with the present batch. It counts as an epoch: its values
                are of its rows so far, validation data are evaluated, and `on_epoch_end` is called.
        """
        self.history.stopped = reason or "a callback asked for it"
        self._stops_at_once |= flag("stop", "at_once", at_once)

    def evaluate(
        self,
        x: ArrayLike | Iterable[Any],
        y: ArrayLike | None = None,
        *,
        sample_weight: ArrayLike | None = None,
    ) -> dict[str, float]:
        """Return loss and metrics on data, in inference mode; nothing is changed by it.

        Args:
            x: Inputs (N, *input_shape), or a source of batches `(x, y)`.
            y: Targets, as the loss takes them.
            sample_weight: A weight for each row (N,), step (N, T) or pixel (N, H, W), for the loss.
        """
        source = source_of(self.objective, x, y, sample_weight, "evaluate")
        with at_most_blas_threads(threads_for(self.objective, source)):
            return evaluated(self, source)
