"""How an estimator's network is trained: by minidl's trainer, or by its solver."""

from __future__ import annotations

import copy
import warnings
from typing import Any

import numpy as np

from minidl.sklearn.convergence import Convergence, Report, ValidationScore
from minidl.sklearn.objective import PenalizedObjective, full_batch_penalty
from minidl.sklearn.order import Order
from minidl.sklearn.samples import Samples
from minidl.solvers import MinimizeResult, minimize
from minidl.training import Callback, ProgressBar, Trainer

ROWS_OF_A_BATCH = 200  # where batch_size is "auto"
FLATNESS = 1e7 * float(np.finfo(np.float64).eps)  # SciPy's own, of the loss, at which L-BFGS stops


def train(
    estimator: Any, samples: Samples, held_out: Samples | None, random: Any, epochs: int
) -> Trainer:
    """Train by minibatches until an estimator's stopping rule says so, or for all the epochs.

    Args:
        estimator: Whose network, loss, optimizer and parameters count.
        samples: What to train on.
        held_out: What to evaluate after every epoch, or None.
        random: What draws the order of the samples.
        epochs: The most epochs.
    """
    n = samples.x.shape[0]
    watched = "val_score" if estimator.early_stopping else "loss"
    convergence = Convergence(estimator, estimator._progress, n, watched)
    model, loss, optimizer = estimator.model_, estimator._loss, estimator._optimizer
    watching, own = _watching(estimator, held_out), _own_callbacks(estimator)
    trainer = Trainer(model, loss, optimizer, callbacks=[*watching, convergence, *own])
    trainer.objective = PenalizedObjective(trainer.objective, estimator.alpha)
    trainer._rng = Order(random)
    trainer.history, trainer.step = estimator.history_, optimizer.steps
    trainer.epoch = trainer.history.epochs
    trainer.fit(
        samples.x,
        samples.targets,
        epochs=epochs,
        batch_size=_batch_size(estimator, n),
        sample_weight=samples.weight,
        validation_data=None if held_out is None else held_out.as_validation_data(),
        shuffle=bool(estimator.shuffle),
    )
    return trainer


def solve(estimator: Any, samples: Samples, held_out: Samples | None) -> MinimizeResult:
    """Train on all samples at once, by L-BFGS; arguments as above."""
    with full_batch_penalty(estimator.model_, estimator.alpha, samples.total_weight):
        return minimize(
            estimator.model_,
            estimator._loss,
            samples.x,
            samples.targets,
            iterations=estimator.max_iter,
            tolerance=estimator.tol,
            sample_weight=samples.weight,
            validation_data=None if held_out is None else held_out.as_validation_data(),
            callbacks=[*_watching(estimator, held_out), *_own_callbacks(estimator)],
            options={"maxfun": estimator.max_fun, "ftol": FLATNESS},
        )


def _watching(estimator: Any, held_out: Samples | None) -> list[Callback]:
    """What measures and shows how training gets on."""
    callbacks: list[Callback] = []
    if held_out is not None:
        callbacks.append(ValidationScore(lambda: estimator._score_of(held_out)))
    if estimator.verbose:
        callbacks.append(Report())
    if not any(isinstance(callback, ProgressBar) for callback in estimator.callbacks or ()):
        callbacks.append(ProgressBar(enabled=False))  # or a trainer would show one in a terminal
    return callbacks


def _own_callbacks(estimator: Any) -> list[Callback]:
    """Copies of the user's callbacks: what they learn in a fit is no parameter."""
    estimator.callbacks_ = [copy.deepcopy(callback) for callback in estimator.callbacks or ()]
    own: list[Callback] = estimator.callbacks_
    return own


def _batch_size(estimator: Any, n: int) -> int:
    if estimator.batch_size == "auto":
        return min(ROWS_OF_A_BATCH, n)
    if estimator.batch_size > n:
        warnings.warn(
            f"batch_size={estimator.batch_size} is larger than the number of samples, {n}: they "
            "all make one batch.",
            stacklevel=6,  # where the user calls fit
        )
    return int(min(estimator.batch_size, n))
