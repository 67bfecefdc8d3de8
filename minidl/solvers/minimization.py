"""Full-batch minimization by SciPy's solvers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike

from minidl.arguments import instance, number_within, whole_number
from minidl.errors import ArgumentError, DTypeError
from minidl.layers.base import Layer
from minidl.losses.base import Loss
from minidl.metrics import Metric
from minidl.solvers.descent import Descent, SciPySolver
from minidl.threads import at_most_blas_threads
from minidl.training.callbacks import Callback
from minidl.training.evaluation import threads_for
from minidl.training.history import History
from minidl.training.hooks import Hooks
from minidl.training.sources import ArraySource
from minidl.training.trainer import Trainer
from minidl.training.validation import training_and_validation
from minidl.typing import MetricFunction

METHODS = ("L-BFGS-B", "CG", "trust-ncg")


@dataclass(frozen=True, eq=False)
class MinimizeResult:
    """How `minimize` ended.

    Attributes:
        loss: The loss, with penalties, after the last iteration.
        converged: Whether the solver stopped by itself, at what it takes for a minimum.
        message: Why it stopped: SciPy's words, or the reason that a callback gave.
        iterations: Number of iterations.
        evaluations: Number of passes forward and backward over all rows, besides a first one over
            two rows, which shows whether a layer draws random numbers.
        history: The values of each iteration.

    Example:
        >>> from minidl.training import History
        >>> MinimizeResult(0.5, True, "converged", 3, 4, History()).evaluations
        4
    """

    loss: float
    converged: bool
    message: str
    iterations: int
    evaluations: int
    history: History


def minimize(
    model: Layer,
    loss: Loss,
    x: ArrayLike,
    y: ArrayLike,
    *,
    method: Literal["L-BFGS-B", "CG", "trust-ncg"] = "L-BFGS-B",
    iterations: int = 200,
    tolerance: float = 1e-5,
    sample_weight: ArrayLike | None = None,
    validation_data: tuple[ArrayLike, ...] | None = None,
    metrics: Iterable[Metric | MetricFunction] = (),
    callbacks: Iterable[Callback] = (),
    workers: int = 1,
    options: Mapping[str, Any] | None = None,
) -> MinimizeResult:
    r"""Minimize the loss over all rows by one of SciPy's solvers; the model keeps the result.

    What is minimized is the loss of `Objective` with its penalties, as a function of the parameters
    that are trainable. There is no learning rate to choose, and the same call gives the same bits.
    It suits small networks on some thousand rows, and convex problems (one `Dense` layer), of which
    it finds the minimum to many digits. Large data are better served by minibatches: they learn
    from every batch, a solver from every pass over all rows.

    - `"L-BFGS-B"` models the curvature by the last 10 steps and gradients; the first choice.
    - `"CG"`, nonlinear conjugate gradients, needs less memory and more evaluations.
    - `"trust-ncg"`, Newton's method in a trust region, takes few iterations, each of several
      Hessian-vector products, and finds its way out of saddle points.

    Such a product is the difference of two gradients,

    $$H v \approx \frac{\lVert v \rVert}{2 h} \left( \nabla L(\theta + h u) -
      \nabla L(\theta - h u) \right), \qquad u = v / \lVert v \rVert, \qquad
      h = \epsilon^{1/3} \max(\lVert \theta \rVert, 1),$$

    and so needs float64. Beside the Hessian of softmax regression, which is known exactly, its
    relative error is some 1e-10, at most 5e-10 where it was measured. It is larger where a kink of
    a ReLU lies in between.

    SciPy computes in float64. A float32 model gets its parameters rounded, and its loss is a step
    function with steps of relative size 1e-7: solvers come to a halt there. For more digits build
    the model with `dtype=float`.

    Layers that draw random numbers in training (`Dropout`) are refused: no line search survives
    that. `BatchNorm` computes with all rows at once; its running statistics take one step in each
    iteration. A trial step to where the loss is not finite counts as one uphill.

    Callbacks get what they get from a `Trainer`, one iteration being an epoch of one batch, but no
    learning rate. What they write into the parameters does not reach the solver; `EarlyStopping`
    restores the best at the end. `history` has `loss`, `gradient_norm` (the largest element of the
    gradient), `seconds`, and `val_loss` with validation data. Ctrl-C keeps the parameters of the
    last iteration, which are the best so far.

    Rows are evaluated in chunks, so that memory is that of one chunk and of the solver's vectors,
    in float64: 20 for L-BFGS-B, a few for the others. A memory-mapped x is read as a whole before.

    Args:
        model: A built layer.
        loss: The loss; an instance.
        x: Inputs (N, *input_shape).
        y: Targets, as the loss takes them.
        method: Name of the solver.
        iterations: The most iterations.
        tolerance: The largest element of the gradient (for trust-ncg its Euclidean norm) at which
            the minimum counts as reached.
        sample_weight: A weight for each row (N,).
        validation_data: `(x, y)`, evaluated after every iteration.
        metrics: As a `Trainer` takes them; each iteration then takes one more pass forward.
        callbacks: What is to happen between iterations; see `Callback`.
        workers: Threads that evaluate chunks, where that is faster; see `Trainer`.
        options: Further options of SciPy's solver, such as `{"maxcor": 20}`.

    Returns:
        Loss, history, whether and why it ended, and what it took.

    Raises:
        ArgumentError: If an argument is out of range, a layer draws random numbers or has a
            constraint, or there is nothing to train.
        DTypeError: For trust-ncg with a float32 model.
        DataError: If the data are wrong.
        DivergenceError: If the loss at the first parameters is not finite.

    Example:
        >>> import minidl as dl
        >>> x, y = dl.synthetic_digits(300, rng=0)
        >>> softmax = [dl.Dense(10, weight_penalty=dl.L2(1e-3)), dl.Softmax()]
        >>> model = dl.Sequential(softmax).build((784,), rng=0, dtype=float)
        >>> result = dl.minimize(model, dl.CrossEntropy(), x, y, iterations=500)
        >>> result.converged, bool(result.history["gradient_norm"][-1] <= 1e-5)
        (True, True)

    References:
        J. Nocedal, S. Wright, Numerical optimization, 2006, chapters 5 and 7. R. Byrd, P. Lu,
        J. Nocedal, C. Zhu, A limited memory algorithm for bound constrained optimization, SIAM
        Journal on Scientific Computing 16, 1995.
    """
    from scipy import optimize  # before BLAS is held: it brings one of its own

    if method not in METHODS:
        raise ArgumentError(f"minimize: method must be one of {METHODS}, got {method!r}.")
    iterations = whole_number("minimize", "iterations", iterations)
    tolerance = number_within("minimize", "tolerance", tolerance, 0.0)
    if y is None:
        raise ArgumentError(
            "minimize: y is missing. It takes all rows at once, as the arrays x and y; Trainer "
            "takes batches."
        )
    options = dict(instance("minimize", "options", {} if options is None else options, Mapping))
    trainer = Trainer(
        model, loss, SciPySolver(), metrics=metrics, callbacks=callbacks, workers=workers
    )
    training = ArraySource(trainer.objective, x, y, sample_weight, "minimize")
    _check_model(trainer, training, method)
    _, validation = training_and_validation(
        trainer.objective, training, validation_data, 0.0, np.random.SeedSequence()
    )
    names = ["loss", *(metric.name for metric in trainer.metrics)]
    measured = [*names, *(f"val_{name}" for name in names if validation)]
    trainer.measured = [*measured, "gradient_norm", "seconds"]
    trainer.last_epoch, trainer.steps_per_epoch = iterations, 1
    hooks = Hooks(trainer, trainer.callbacks, "minimize(..., iterations={})")
    descent = Descent(trainer, training, validation, hooks)
    settings = {"maxiter": iterations, "gtol": tolerance}
    if method == "L-BFGS-B":  # less than this is noise
        settings["ftol"] = float(np.finfo(model.dtype).eps)
    history, converged, message = trainer.history, False, ""
    threads = threads_for(trainer.objective, training, len(training))
    with hooks.fitting(), at_most_blas_threads(threads):
        try:
            found = optimize.minimize(
                descent.loss_and_gradient,
                descent.point.params,
                jac=True,
                hessp=descent.hessian_product if method == "trust-ncg" else None,
                method=method,
                callback=descent.end_iteration,
                options=settings | options,
            )
        finally:
            descent.end()
        converged, message = bool(found.success), str(found.message)
        if trainer.epoch < iterations and not history.stopped:
            history.stopped = message
    return MinimizeResult(
        descent.point.loss,
        converged,
        history.stopped or message,
        trainer.epoch,
        descent.evaluations,
        history,
    )


def _check_model(trainer: Trainer, training: ArraySource, method: str) -> None:
    """Raise unless the loss is a smooth function of free parameters that a solver can work with."""
    model = trainer.model
    if method == "trust-ncg" and model.dtype != np.float64:
        raise DTypeError(
            f"minimize: trust-ncg takes differences of gradients, which needs float64, got a model "
            f"of {model.dtype}. Build it with dtype=float, or use L-BFGS-B."
        )
    mask = model.trainable_mask
    if not model.params.size or (mask is not None and not mask.any()):
        raise ArgumentError(f"minimize: {model.where} has no parameters that are trainable.")
    for layer, name, constraint, _ in trainer.objective.constrained:
        if not layer.frozen:
            raise ArgumentError(
                f"minimize: {name} of {layer.where} has the constraint {constraint}, which SciPy's "
                "solvers do not keep to. Use Trainer, or a weight_penalty instead."
            )
    with model.preserved():
        for layer in model.walk():
            layer._rng = None  # made when a layer draws
        n = min(len(training), 2)  # as few as batch normalization takes
        trainer.objective.differentiate(training.x[:n], training.target[:n], None, float(n))
        drawing = [layer for layer in model.walk() if layer._rng is not None]
    for layer in drawing:
        raise ArgumentError(
            f"minimize: {layer.where} draws random numbers in training, so that the loss differs "
            "from pass to pass, and no line search survives that. Leave it out, with "
            "weight_penalty=L2(...) against overfitting, or use Trainer."
        )
