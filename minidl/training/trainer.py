"""The training loop."""

from __future__ import annotations

import contextlib
import math
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from minidl.arguments import flag, instance, number_within, whole_number
from minidl.errors import ArgumentError, ArgumentTypeError
from minidl.finiteness import is_finite
from minidl.layers.base import Layer
from minidl.losses.base import Loss
from minidl.metrics import Metric
from minidl.objective import Objective
from minidl.optimizers.base import Optimizer
from minidl.randomness import child_seed, seed_sequence
from minidl.sparse import is_sparse
from minidl.thread_policy import useful_blas_threads, useful_workers
from minidl.threads import at_most_blas_threads, usable_cores
from minidl.training.callbacks import Callback
from minidl.training.diagnosis import raise_for_bad_evaluation, raise_for_bad_step
from minidl.training.epoch_values import EpochValues
from minidl.training.history import History
from minidl.training.progress_bar import ProgressBar, is_interactive
from minidl.training.sources import ArraySource, BatchSource
from minidl.typing import MetricFunction, RNGLike


class Trainer:
    """Fits a model to data, and keeps the state of the run: epoch, step, generator, history.

    Args:
        model: A built layer.
        loss: The loss; an instance.
        optimizer: The update rule; an instance.
        metrics: Functions `(y_true, y_pred) -> float`, such as `dl.accuracy` or scikit-learn's.
            For classifiers both arguments are integer labels; `Metric(f, needs="probabilities")`
            gets the model's outputs. Values are of a whole epoch, not means over batches.
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
        self.metrics = [
            m if isinstance(m, Metric) else Metric(m) for m in _items("metrics", metrics)
        ]
        names = [metric.name for metric in self.metrics]
        if len({*names, "loss", "seconds"}) < len(names) + 2:
            raise ArgumentError(
                f"Trainer: metrics need different names, and not 'loss' or 'seconds'; got {names}. "
                "Give a name: Metric(function, name=...)."
            )
        self.callbacks = [
            instance("Trainer", "callback", c, Callback) for c in _items("callbacks", callbacks)
        ]
        seed = seed_sequence(rng)
        self._rng, self._split_seed = np.random.default_rng(seed), child_seed(seed, 0)
        self.history = History()
        self.epoch = self.step = self.last_epoch = 0
        self.steps_per_epoch: int | None = None
        self.measured: list[str] = []

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
        class_weight: Mapping[int, float] | None = None,
        shuffle: bool = True,
    ) -> History:
        """Train for some epochs, in addition to those done before.

        Args:
            x: Inputs (N, *input_shape), or a source of batches `(x, y)` that can be iterated again.
            y: Targets, as the loss takes them.
            epochs: Further epochs.
            batch_size: Rows of a batch.
            validation_data: `(x, y)`, evaluated after every epoch.
            validation_split: Instead: this fraction of the rows, drawn at random and the same in
                every `fit` of this trainer, is held out.
            sample_weight: A weight for each row (N,).
            class_weight: A weight for each class in training, as a dict; 1 where not named.
            shuffle: Whether to shuffle the rows anew in every epoch.

        Returns:
            The history of all epochs so far. Ctrl-C ends training early and keeps everything.

        Raises:
            ShapeError: If data do not fit the model.
            DTypeError: If `x` is not floating.
            DataError: If targets are wrong, or data have NaN or infinity (rows and columns named).
            DivergenceError: If the loss stops being finite although the data are; the parameters
                are those before that step.
        """
        epochs = whole_number("fit", "epochs", epochs)
        batch_size = whole_number("fit", "batch_size", batch_size)
        rng = self._rng if flag("fit", "shuffle", shuffle) else None
        training = self._source(x, y, sample_weight, "fit")
        training, validation = self._validation(training, validation_data, validation_split)
        if class_weight is not None:
            if not isinstance(training, ArraySource):
                raise ArgumentError("fit: class_weight goes with arrays.")
            training.weigh_classes(class_weight)
        names = ["loss", *(metric.name for metric in self.metrics)]
        self.measured = [*names, *(f"val_{name}" for name in names if validation), "seconds"]
        self.last_epoch = self.epoch + epochs
        self.steps_per_epoch = training.steps(batch_size)
        self.history.stopped = ""
        callbacks: list[Callback] = []  # those that have begun, and so are to end
        try:
            for callback in self._active_callbacks():
                callback.on_fit_begin(self)
                callbacks.append(callback)
            with at_most_blas_threads(self._blas_threads(training, batch_size)):
                while self.epoch < self.last_epoch and not self.history.stopped:
                    self._run_epoch(training, validation, batch_size, rng, callbacks)
        except KeyboardInterrupt:
            self.stop(f"interrupted in epoch {self.epoch + 1}")
        finally:
            with contextlib.ExitStack() as stack:  # all of them end, also if one raises
                for callback in reversed(callbacks):
                    stack.callback(callback.on_fit_end, self)
        return self.history

    def stop(self, reason: str) -> None:
        """End training after the present epoch; callbacks call this."""
        self.history.stopped = reason or "a callback asked for it"

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
            sample_weight: A weight for each row (N,), for the loss.
        """
        source = self._source(x, y, sample_weight, "evaluate")
        with at_most_blas_threads(self._blas_threads(source)):
            return self._evaluate(source)

    def _run_epoch(
        self,
        training: ArraySource | BatchSource,
        validation: ArraySource | BatchSource | None,
        batch_size: int,
        rng: np.random.Generator | None,
        callbacks: list[Callback],
    ) -> None:
        start = time.perf_counter()
        for callback in callbacks:
            callback.on_epoch_begin(self)
        on_batch_end = _overriding(callbacks, "on_batch_end")
        decay, trainable = self.model.decay_mask, self.model.trainable_mask
        params, grads = self.model.params, self.model.grads
        collected = EpochValues(self.objective, self.metrics)
        state = self.model.state
        for batch in training.batches(batch_size, rng):
            before = state.copy() if state.size else state
            outputs = collected.room_for(batch)
            loss = self.objective.differentiate(
                batch.x, batch.target, batch.weight, batch.total, outputs
            )
            if not (math.isfinite(loss) and is_finite(grads)):
                self.model.state = before
                raise_for_bad_step(self, batch, loss)
            self.optimizer.update(params, grads, decay=decay, trainable=trainable)
            self.step += 1
            collected.add(loss, batch)
            for hook in on_batch_end:
                hook(self, loss)
        values = collected.values()
        if validation is not None:
            found = self._evaluate(validation)
            values |= {f"val_{name}": value for name, value in found.items()}
        self.epoch += 1
        self.history.append(values | {"seconds": time.perf_counter() - start})
        for callback in callbacks:
            callback.on_epoch_end(self)

    def _blas_threads(
        self, source: ArraySource | BatchSource, batch_size: int | None = None
    ) -> int:
        """One where workers have the cores, otherwise as many as the batches are worth."""
        objective = self.objective
        if isinstance(source, BatchSource):  # whose batches may have any size
            return usable_cores()
        if batch_size is None:
            batch_size = len(source)
        rows = objective.rows_at_a_time(source.x)
        in_chunks = objective.chunked and batch_size > rows
        if in_chunks and objective.workers > 1:
            return 1
        return useful_blas_threads(self.model, rows if in_chunks else batch_size)

    def _evaluate(self, source: ArraySource | BatchSource) -> dict[str, float]:
        collected = EpochValues(self.objective, self.metrics)
        whole = len(source) if isinstance(source, ArraySource) else 1
        for batch in source.batches(whole, None):
            outputs = collected.room_for(batch)
            loss = self.objective.evaluate(
                batch.x, batch.target, batch.weight, batch.total, outputs
            )
            if not (math.isfinite(loss) and is_finite(batch.x)):
                raise_for_bad_evaluation(self, batch, loss)
            collected.add(loss, batch)
        return collected.values()

    def _source(self, x: Any, y: Any, sample_weight: Any, name: str) -> ArraySource | BatchSource:
        if y is not None or isinstance(x, np.ndarray) or is_sparse(x):
            return ArraySource(self.objective, x, y, sample_weight, name)
        if sample_weight is not None:
            raise ArgumentError(
                f"{name}: sample_weight goes with arrays; a source of batches yields (x, y, "
                "sample_weight)."
            )
        return BatchSource(self.objective, x, name)

    def _validation(
        self, training: ArraySource | BatchSource, data: Any, split: float
    ) -> tuple[ArraySource | BatchSource, ArraySource | BatchSource | None]:
        """Make the validation source, cutting its rows off the training source if so asked."""
        if data is not None and split:
            raise ArgumentError("fit: give validation_data or validation_split, not both.")
        if data is not None:
            if isinstance(data, tuple) and len(data) in (2, 3):
                weight = data[2] if len(data) == 3 else None
                return training, self._source(data[0], data[1], weight, "validation_data")
            pair = isinstance(data, list) and data and not isinstance(data[0], tuple | list)
            if pair or isinstance(data, np.ndarray) or is_sparse(data):
                raise ArgumentTypeError(
                    "fit: validation_data must be a tuple or batches: write validation_data=(x, y)."
                )
            return training, BatchSource(self.objective, data, "validation_data")
        split = number_within("fit", "validation_split", split, 0.0, 1.0)
        if not split:
            return training, None
        if not isinstance(training, ArraySource):
            raise ArgumentError("fit: validation_split goes with arrays; give validation_data.")
        held_out = round(split * len(training))
        if not 0 < held_out < len(training):
            raise ArgumentError(
                f"fit: validation_split must leave rows on both sides, got {split!r} of "
                f"{len(training):,} rows."
            )
        # The same rows in every fit, so that none is trained on in one and tested on in another.
        order = np.random.default_rng(self._split_seed).permutation(len(training))
        parts = order[held_out:], order[:held_out]
        return training.take(parts[0], "fit"), training.take(parts[1], "validation_split")

    def _active_callbacks(self) -> list[Callback]:
        shown = any(isinstance(callback, ProgressBar) for callback in self.callbacks)
        return self.callbacks if shown or not is_interactive() else [*self.callbacks, ProgressBar()]


def _overriding(callbacks: list[Callback], hook: str) -> list[Callable[..., None]]:
    """The bound hooks of those callbacks that define them; others need no call a batch."""
    base = getattr(Callback, hook)
    return [getattr(c, hook) for c in callbacks if getattr(type(c), hook) is not base]


def _items(name: str, values: Any) -> list[Any]:
    with contextlib.suppress(TypeError):
        if not isinstance(values, str):
            return list(values)
    written = "dl.accuracy" if name == "metrics" else "dl.EarlyStopping()"  # where given a word
    if not isinstance(values, str):
        written = getattr(values, "__name__", f"{type(values).__name__}(...)")
        if str(getattr(values, "__module__", "")).startswith("minidl."):
            written = f"dl.{written}"
    raise ArgumentTypeError(
        f"Trainer: {name} must be a list, got {values!r}: write {name}=[{written}]."
    )
