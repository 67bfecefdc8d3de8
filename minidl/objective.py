"""Where a model and a loss meet: the value of a batch and its gradient at the parameters."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from minidl.arguments import instance, whole_number
from minidl.chunks import Chunks
from minidl.containers.chain import Chain
from minidl.containers.lost_masks import makers_of_lost_masks
from minidl.containers.masks import output_mask
from minidl.containers.nesting import innermost_layers
from minidl.errors import ArgumentError
from minidl.finiteness import is_finite, raise_for_non_finite
from minidl.fusion import chain_of, fits_fused, refuse_constant_outputs
from minidl.layers import calls
from minidl.layers.base import Layer
from minidl.layers.checks import check_input
from minidl.layers.planning import make_plan
from minidl.losses.base import Loss
from minidl.losses.sample_weight import check_weight
from minidl.regularization.base import in_place, penalty_of
from minidl.sparse import is_sparse
from minidl.thread_policy import worth_reading_ahead
from minidl.typing import Array


class Objective:
    r"""The mean loss of a model over a batch, $L(\theta)$, and its gradient.

    Three things are arranged here so that neither layers nor losses have to know of them:

    - **Fusion.** Where the model ends in the activation that belongs to the loss (`Softmax` with
      `CrossEntropy`, `Sigmoid` with `BinaryCrossEntropy`), training leaves the activation out and
      takes the loss from the logits. The gradient there is exactly $(A - Y) / N$.
    - **Chunks.** A batch of more than `chunk_rows` rows is evaluated in chunks that fit the cache,
      unless a layer couples rows or changes its state. Boundaries depend on shapes only and
      gradients are added in the chunks' order, so any number of workers gives the same bits.
    - **Penalties** of layers (`weight_penalty=L2(1e-4)`) are added once a batch, to the value and
      to the gradient of training alone. Layers are asked for their options when the objective is
      made; that a layer is frozen, so that its penalty is left out, counts from batch to batch.

    Args:
        model: A built layer.
        loss: The loss; an instance.
        workers: Threads that chunks are spread over, each with a replica of the model.
        chunk_rows: Rows of a chunk; by default as many as fit the cache.

    Raises:
        StateError: If the model is not built.
        ArgumentError: If model and loss do not fit, such as softmax before a loss for logits.

    Example:
        >>> import numpy as np, minidl as dl
        >>> model = dl.Sequential([dl.Dense(2), dl.Softmax()]).build((3,), rng=0, dtype=float)
        >>> objective = dl.Objective(model, dl.CrossEntropy())
        >>> loss, grads = objective.value_and_grad(np.zeros((4, 3)), np.array([0, 1, 0, 1]))
        >>> round(loss, 4), grads is model.grads
        (0.6931, True)
    """

    def __init__(
        self, model: Layer, loss: Loss, *, workers: int = 1, chunk_rows: int | None = None
    ) -> None:
        self.model = instance("Objective", "model", model, Layer)
        instance("Objective", "loss", loss, Loss)
        self.workers = whole_number("Objective", "workers", workers)
        plan = model.bound.plan
        self.chunk_rows, self.sparse_chunk_rows = plan.chunk_rows, plan.sparse_chunk_rows
        if chunk_rows is not None:
            self.chunk_rows = whole_number("Objective", "chunk_rows", chunk_rows)
            self.sparse_chunk_rows = self.chunk_rows
        loss.check_prediction_shape(model.bound.output_shape, f"{loss} after {model.where}")
        self.loss = loss
        refuse_constant_outputs(model)
        self.fused = fits_fused(model, loss)
        self._loss = loss.with_logits() if self.fused else loss  # what the outputs are measured by
        self._chain = chain_of(model, self.fused)
        # State that several chunks change would depend on their order in time.
        self._whole = any(
            layer.couples_rows or (layer.bound.plan.state_specs and not layer.state_is_fixed)
            for layer in model.walk()
        )
        ahead = worth_reading_ahead(model, self.chunk_rows)
        self._chunks = Chunks(model, self.fused, ahead)
        self._find_held()
        self._layers = innermost_layers(model)
        self._check_masks()

    def value_and_grad(
        self, x: Array, y: ArrayLike, *, sample_weight: ArrayLike | None = None
    ) -> tuple[float, Array]:
        """Return the mean loss of a batch in training mode with penalties, and `model.grads`.

        Args:
            x: Input (N, *input_shape) of the model's dtype.
            y: Targets, as the loss takes them.
            sample_weight: A weight for each row (N,), step (N, T) or pixel (N, H, W).

        Returns:
            The loss, and the live vector of gradients, overwritten by the next call.

        Raises:
            ShapeError: If `x` or `y` does not fit the model.
            DTypeError: If `x` has another dtype than the model.
            DataError: If the targets are wrong, or `x` has NaN or infinity.
        """
        target, weight, total = self.check_batch(x, y, sample_weight)
        state = self.model.state.copy()
        value = self.differentiate(x, target, weight, total)
        if not (np.isfinite(value) and is_finite(self.model.grads)):
            self.model.state = state  # or one bad batch would spoil running statistics for good
            raise_for_non_finite(x, f"{self.model.where}: x")
        return value, self.model.grads

    def value(self, x: Array, y: ArrayLike, *, sample_weight: ArrayLike | None = None) -> float:
        """Return the mean loss of a batch in inference mode, without penalties; changes nothing.

        Args:
            x: Input (N, *input_shape) of the model's dtype.
            y: Targets, as the loss takes them.
            sample_weight: A weight for each row (N,), step (N, T) or pixel (N, H, W).

        Raises:
            ShapeError: If `x` or `y` does not fit the model.
            DTypeError: If `x` has another dtype than the model.
            DataError: If the targets are wrong, or `x` has NaN or infinity.
        """
        target, weight, total = self.check_batch(x, y, sample_weight)
        if not is_finite(x):
            raise_for_non_finite(x, f"{self.model.where}: x")
        return self.evaluate(x, target, weight, total)

    def constrain(self) -> None:
        """Bring weights with a constraint, such as `MaxNorm`, back to it; after each update.

        `Trainer` calls it by itself. Frozen layers are left as they are.
        """
        for layer, name, constraint, unit_axis in self.constrained:
            if not layer.frozen:
                w = np.moveaxis(layer._views[name], unit_axis, -1)
                in_place(constraint, "apply", "w", w)

    @property
    def chunked(self) -> bool:
        """Whether batches larger than `chunk_rows` are evaluated in chunks."""
        return not self._whole

    def rows_at_a_time(self, x: Array) -> int:
        """How many rows of `x` (N, *input_shape) a chunk has."""
        return self.sparse_chunk_rows if is_sparse(x) else self.chunk_rows

    def check_batch(
        self, x: Array, y: ArrayLike, sample_weight: ArrayLike | None
    ) -> tuple[Array, Array | None, float]:
        """Check a batch, or a whole data set once.

        Args:
            x: Input (N, *input_shape) of the model's dtype.
            y: Targets, as the loss takes them.
            sample_weight: A weight for each row (N,), step (N, T) or pixel (N, H, W), or None.

        Returns:
            Checked targets, the weights with the model's mask in them, and their sum.
        """
        check_input(self.model, x)
        shape = (x.shape[0], *self.model.output_shape_of(x))
        target = self.loss.check_target(y, shape)
        weight, total = check_weight(sample_weight, shape)
        mask = output_mask(self._layers, x)
        if mask is None:
            return target, weight, total
        weight = np.ones(len(mask)) if weight is None else weight
        axes = max(weight.ndim, 2)  # (N,) or (N, T) or (N, T, ...) * (N, T)
        w, m = (a.reshape(a.shape + (1,) * (axes - a.ndim)) for a in (weight, mask))
        weight = w * m
        return target, weight, float(weight.sum())

    def differentiate(
        self,
        x: Array,
        target: Array,
        weight: Array | None,
        total: float,
        outputs: Array | None = None,
    ) -> float:
        """Compute value and gradient of a batch that has been checked, with penalties.

        Args:
            x: Input (N, *input_shape).
            target: What `check_batch` returned, or rows of it.
            weight: Weights of these rows, or of their steps, or None.
            total: Sum of the weights of these rows.
            outputs: Filled with the outputs if given (logits where fused; see `probabilities`).
        """

        def step(chain: Chain, rows: slice, part: Array) -> float:
            w = None if weight is None else weight[rows]
            with np.errstate(all="ignore"):  # what is not finite is found and explained afterwards
                y = chain.forward(part)
                self._check_output(y)
                if outputs is not None:
                    outputs[rows] = y
                value, dy = self._loss.weighted(y, target[rows], w, total)
                chain.backward(dy)
            return value

        model = self.model
        calls.begin_training_pass(model)
        try:
            size = self.rows_at_a_time(x)
            if x.shape[0] <= size or self._whole:
                value = step(self._chain, slice(None), x)
            else:
                self._chain.check_lists()
                value = self._chunks.differentiate(step, x, size, self.workers)
            return value + self._penalize() if self.penalized else value
        finally:
            model.bound.expected_dy = None
            calls.end_training_pass(model)

    def _find_held(self) -> None:
        """List the arrays that have a penalty and those that have a constraint."""
        plans = make_plan(self.model, self.model.input_shape).walk()  # options as they are now
        specs = [(plan.layer, spec) for plan in plans for spec in plan.specs]
        self.penalized = [
            (layer, spec.name, spec.penalty) for layer, spec in specs if spec.penalty is not None
        ]
        self.constrained = [
            (layer, spec.name, spec.constraint, spec.unit_axis)
            for layer, spec in specs
            if spec.constraint is not None
        ]

    def _penalize(self) -> float:
        """Add the penalties' gradients to those of the loss, and return the sum of their values."""
        value = 0.0
        with np.errstate(all="ignore"):
            for layer, name, penalty in self.penalized:
                if not layer.frozen:
                    value += penalty_of(layer._views[name], penalty, layer.gradients[name])
        return value

    def _check_masks(self) -> None:
        """Raise where a mask for the loss would be known only in the middle of a pass."""
        several_steps = len(self.model.bound.output_shape) > 1
        for layer in self._layers[1:]:
            if several_steps and layer.makes_mask:
                raise ArgumentError(
                    f"Objective: {layer.where} makes a mask, and the loss counts single steps, so "
                    "it must know the mask before the pass: put that layer first."
                )
        for layer in makers_of_lost_masks(self.model):
            raise ArgumentError(
                f"Objective: {layer.where} makes a mask that gets lost behind the Residual or "
                "Parallel that it is inside of: put that layer in front of it."
            )

    def evaluate(
        self,
        x: Array,
        target: Array,
        weight: Array | None,
        total: float,
        outputs: Array | None = None,
    ) -> float:
        """Compute the value of a batch that has been checked, in inference mode.

        Args:
            x: Input (N, *input_shape).
            target: What `check_batch` returned, or rows of it.
            weight: Weights of these rows, or of their steps, or None.
            total: Sum of the weights of these rows.
            outputs: Filled with the outputs if given (logits where fused; see `probabilities`).
        """

        def run(_: int, rows: slice, part: Array) -> float:
            w = None if weight is None else weight[rows]
            with np.errstate(all="ignore"):
                y = self._chain.infer(part)
                self._check_output(y)
                if outputs is not None:
                    outputs[rows] = y
                return self._loss.weighted(y, target[rows], w, total)[0]

        return sum(self._chunks.each(run, x, self.rows_at_a_time(x), self.workers))

    def predicted_labels(self, outputs: Array) -> Array:
        """What collected outputs (N, ...) say: labels for classifiers, the values otherwise."""
        return self._loss.predicted_labels(outputs)

    def probabilities(self, outputs: Array) -> Array:
        """Collected outputs (N, ...) as predictions: for logits, those of the activation.

        Example:
            >>> import numpy as np, minidl as dl
            >>> model = dl.Sequential([dl.Dense(2), dl.Softmax()]).build((3,), rng=0)
            >>> dl.Objective(model, dl.CrossEntropy()).probabilities(np.zeros((1, 2)))
            array([[0.5, 0.5]])
        """
        return self._loss.from_logits_to_predictions(outputs) if self._loss.from_logits else outputs

    def _check_output(self, y: Array) -> None:
        # Whether these are logits was settled by structure; a row of them may look like anything.
        if not self._loss.from_logits:
            self._loss.check_prediction(y)

    def __getstate__(self) -> dict[str, Any]:
        return vars(self) | {"_chain": None, "_layers": [], "penalized": [], "constrained": []}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)
        self._chain = chain_of(self.model, self.fused)
        self._layers = innermost_layers(self.model)
        self._find_held()
