"""The optimizer: how a gradient becomes a change of the parameters."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from minidl.arguments import call_text, number_within, positive_number
from minidl.errors import ArgumentError, ContractError, StateError
from minidl.optimizers.checks import check_params, check_rate_kind, check_vector
from minidl.optimizers.clipping import clipped_by_norm
from minidl.typing import Array

LearningRate = float | Callable[[int], float]


class Optimizer(ABC):
    r"""A rule $\theta \leftarrow \theta - s(g)$ for a vector of parameters and its gradient.

    A rule's author writes `step` and names in `slots` the vectors that it keeps from step to step.
    An optimizer owns no parameters: `update` works in place on the vectors that it is given, and
    what it keeps is allocated at the first call. It belongs to one run of one model; a new run
    begins with a new optimizer, or would inherit the old one's momentum.

    Args:
        learning_rate: A number, or any callable from the step's number (0, 1, ...) to one.
        weight_decay: Decoupled weight decay $\lambda$: each step also subtracts
            $\eta \lambda \theta$, where `decay` allows it.
        clip_norm: Largest norm c of the gradient: a longer one is multiplied by $c / \|g\|$ before
            the rule sees it. The norm is that of the whole vector, without frozen parameters.
            (PyTorch adds 1e-6 to the norm; Keras's `global_clipnorm` does not.)
        clip_value: Instead: the largest absolute value of an element of the gradient.

    Attributes:
        steps: Number of updates made.
        state: The vectors kept, by name.

    Example:
        >>> import numpy as np, minidl as dl
        >>> class SignDescent(dl.Optimizer):
        ...     def step(self, grads, learning_rate, out):
        ...         np.multiply(np.sign(grads), learning_rate, out=out)
        >>> params, optimizer = np.array([1.0, 2.0]), SignDescent(0.25)
        >>> optimizer.update(params, np.array([3.0, -0.1]))
        >>> params
        array([0.75, 2.25])
    """

    def __init__(
        self,
        learning_rate: LearningRate,
        *,
        weight_decay: float = 0.0,
        clip_norm: float | None = None,
        clip_value: float | None = None,
    ) -> None:
        check_rate_kind(type(self).__name__, "learning_rate", learning_rate)
        self.learning_rate = learning_rate
        self.weight_decay = self._number("weight_decay", weight_decay)
        self.clip_norm = None if clip_norm is None else self._positive("clip_norm", clip_norm)
        self.clip_value = None if clip_value is None else self._positive("clip_value", clip_value)
        if clip_norm is not None and clip_value is not None:
            raise ArgumentError(f"{type(self).__name__}: give clip_norm or clip_value, not both.")
        self.steps = 0
        self.state: dict[str, Array] = {}
        self._kept: dict[str, Array] = {}  # scratch memory, reused by every step
        if not callable(learning_rate):
            self.current_learning_rate()

    @property
    def slots(self) -> Sequence[str]:
        """Names of the vectors kept from step to step; they start at zero."""
        return ()

    @abstractmethod
    def step(self, grads: Array, learning_rate: float, out: Array) -> None:
        """Write into `out` what is to be subtracted from the parameters.

        Args:
            grads: The gradient (P,); not written to.
            learning_rate: That of this step.
            out: A vector (P,) to fill. `self.spare(out)` is another one, for intermediate values.
        """

    def spare(self, like: Array) -> Array:
        """A vector for intermediate values, of the size and dtype of `like`; holds anything."""
        return self._scratch("spare", like)

    def update(
        self,
        params: Array,
        grads: Array,
        *,
        decay: Array | None = None,
        trainable: Array | None = None,
    ) -> None:
        """Make one step, in place.

        Args:
            params: The parameters (P,), changed.
            grads: The gradient (P,).
            decay: 1 where weight decay applies, 0 elsewhere; None for all ones.
            trainable: 1 where a parameter may move, 0 where it is frozen; None for all ones.

        Raises:
            DTypeError: If an argument is no vector of numbers.
            ShapeError: If the vectors differ in length.
            StateError: If the optimizer has served a vector of another length.
            ContractError: If the rule's `step` writes nothing.
        """
        self._check(params, grads, decay, trainable)
        learning_rate = self.current_learning_rate()
        if len(self.state) < len(self.slots):
            for name in self.slots:
                self.state.setdefault(name, np.zeros_like(params))
        change = self._scratch("change", params)
        if trainable is not None:  # a frozen parameter gathers no momentum either
            grads = np.multiply(grads, trainable, out=self._scratch("grads", params))
        if self.clip_norm is not None:
            grads = clipped_by_norm(grads, self.clip_norm, change, self._scratch("grads", params))
        elif self.clip_value is not None:
            c = self.clip_value
            grads = np.clip(grads, -c, c, out=self._scratch("grads", params))
        if self.steps:
            self.step(grads, learning_rate, change)
        else:
            self._first_step(grads, learning_rate, change)
        if self.weight_decay:
            shrinkage = self._scratch("spare", params)
            np.multiply(params, learning_rate * self.weight_decay, out=shrinkage)
            if decay is not None:
                shrinkage *= decay
            change += shrinkage
        if trainable is not None:
            change *= trainable
        params -= change
        self.steps += 1

    def current_learning_rate(self) -> float:
        """The learning rate of the next step."""
        rate, scheduled = self.learning_rate, False
        if callable(rate):
            rate, scheduled = rate(self.steps), True
        try:
            value = math.nan if isinstance(rate, bool | str) else float(rate)
        except (TypeError, ValueError):
            value = math.nan
        if not (math.isfinite(value) and (value > 0 or (value == 0 and scheduled))):
            raise ArgumentError(
                f"{type(self).__name__}: learning_rate must be a positive number, got {rate!r} "
                f"at step {self.steps}."
            )
        return value

    def _first_step(self, grads: Array, learning_rate: float, out: Array) -> None:
        """Make a step, and see that the rule writes into `out`, or memory's content would count."""
        out.fill(np.nan)
        self.step(grads, learning_rate, out)
        if out.size and np.isnan(out).all() and np.isfinite(grads).all():
            raise ContractError(
                f"{self}: step leaves `out` as it was, or makes all of it NaN. It must write into "
                "it what is to be subtracted: out[...] = ..., or np.multiply(..., ..., out=out)."
            )

    def _check(
        self, params: Array, grads: Array, decay: Array | None, trainable: Array | None
    ) -> None:
        check_params(self, params)
        check_vector(self, params, "grads", grads)
        if decay is not None:
            check_vector(self, params, "decay", decay)
        if trainable is not None:
            check_vector(self, params, "trainable", trainable)
        for name, kept in self.state.items():
            if kept.shape != params.shape or kept.dtype != params.dtype:
                raise StateError(
                    f"{self}: keeps {name} for {kept.size:,} parameters of {kept.dtype}, got "
                    f"{params.size:,} of {params.dtype}. Each model needs an optimizer of its own."
                )

    def _scratch(self, name: str, like: Array) -> Array:
        """A vector of the size and dtype of `like`, the same one in every step."""
        kept = self._kept.get(name)
        if kept is None or kept.shape != like.shape or kept.dtype != like.dtype:
            kept = self._kept[name] = np.empty(like.shape, like.dtype)
        return kept

    def __getstate__(self) -> dict[str, Any]:
        return vars(self) | {"_kept": {}}

    def _number(self, name: str, value: float, high: float = math.inf) -> float:
        """An option as a number in [0, high)."""
        return number_within(type(self).__name__, name, value, 0.0, high)

    def _positive(self, name: str, value: float) -> float:
        return positive_number(type(self).__name__, name, value)

    def __repr__(self) -> str:
        return call_text(self)
