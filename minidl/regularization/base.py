"""What every penalty and every constraint is."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import fields

import numpy as np

from minidl.arguments import number_within
from minidl.errors import ContractError
from minidl.typing import Array


class Penalty(ABC):
    r"""A function of a layer's weights that is added to the loss: a frozen dataclass.

    `Objective` adds it once a batch, value and gradient: it is part of the loss that training
    shows, of the gradient and of `history["loss"]`, but not of `Objective.value`, `evaluate`,
    `val_loss` or metrics, which measure the model alone. A batch whose weights are all 0 has its
    penalties as loss. The penalty of a frozen layer is left out: it is a constant.

    Example:
        >>> from dataclasses import dataclass
        >>> import numpy as np, minidl as dl
        >>> @dataclass(frozen=True)
        ... class TowardsOne(dl.Penalty):
        ...     strength: float
        ...     def value(self, w):
        ...         return self.strength * float(np.square(w - 1).sum())
        ...     def add_gradient(self, w, out):
        ...         out += 2 * self.strength * (w - 1)
        >>> layer = dl.Dense(1, weight_initializer=dl.Zeros(), weight_penalty=TowardsOne(0.5))
        >>> objective = dl.Objective(layer.build((3,), dtype=float), dl.MeanSquaredError())
        >>> loss, grads = objective.value_and_grad(np.ones((2, 3)), np.zeros((2, 1)))
        >>> loss, grads.tolist()
        (1.5, [-1.0, -1.0, -1.0, 0.0])
    """

    def __post_init__(self) -> None:
        for field in fields(self):  # type: ignore[arg-type]  # of the dataclass that calls this
            if field.type in ("float", float):
                value = number_within(type(self).__name__, field.name, getattr(self, field.name), 0)
                object.__setattr__(self, field.name, value)

    @abstractmethod
    def value(self, w: Array) -> float:
        """Return the penalty of an array of weights (..., M), one number."""

    @abstractmethod
    def add_gradient(self, w: Array, out: Array) -> None:
        """Add the gradient at `w` (..., M) to `out`, an array like it, in place."""


class Constraint(ABC):
    """A condition that a layer's weights are brought back to after every step.

    `Trainer` sees to it. In a loop of your own, `objective.constrain()` comes after the update:

    Example:
        >>> import numpy as np, minidl as dl
        >>> model = dl.Sequential([dl.Dense(2, weight_constraint=dl.MaxNorm(1.0))])
        >>> objective = dl.Objective(model.build((3,), rng=0), dl.MeanSquaredError())
        >>> optimizer = dl.SGD(0.5)
        >>> x, y = np.ones((8, 3), np.float32), np.full((8, 2), 9.0)
        >>> for xb, yb in dl.batches(x, y, batch_size=4, rng=0):
        ...     loss, grads = objective.value_and_grad(xb, yb)
        ...     optimizer.update(model.params, grads)
        ...     objective.constrain()
        >>> np.linalg.norm(model.layers[0].weight, axis=0).round(4)
        array([1., 1.], dtype=float32)
    """

    @abstractmethod
    def apply(self, w: Array) -> None:
        """Change an array of weights, in place, so that it fulfils the condition.

        Args:
            w: Weights (..., M), whose last axis counts the units.
        """


def penalty_of(w: Array, penalty: Penalty, gradient: Array) -> float:
    """Return the penalty of `w`, and add its gradient; one that breaks its contract is named."""
    value = np.asarray(penalty.value(w))
    if value.ndim or value.dtype.kind not in "fiu":
        raise ContractError(
            f"{penalty}: value must return one number, such as strength * float(np.abs(w).sum()), "
            f"got {f'an array of shape {value.shape}' if value.ndim else repr(value.item())}."
        )
    in_place(penalty, "add_gradient", "out", w, gradient)
    return float(value)


def in_place(held: Penalty | Constraint, method: str, name: str, *arrays: Array) -> None:
    """Call a method that is to change an array; what it would return would be lost."""
    if getattr(held, method)(*arrays) is not None:
        raise ContractError(
            f"{held}: {method} must change {name} in place, as with {name} += ... or "
            f"{name}[...] = ..., and return nothing."
        )
