"""Parameters: what a layer asks for, and the vectors that they all live in.

The outermost layer owns three contiguous vectors: values, gradients and state (the arena). Every
`weight`, `bias` or `running_mean` is a view into one of them, so that an optimizer is a few vector
operations and copying a model is copying a vector.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import KW_ONLY, dataclass
from typing import Any, Literal

import numpy as np

from minidl.errors import DTypeError, ShapeError
from minidl.initializers import Initializer
from minidl.regularization import Constraint, Penalty
from minidl.typing import Array, Shape


@dataclass(frozen=True)
class ParameterSpec:
    """A parameter (or a state array) that a layer needs.

    Attributes:
        name: The attribute under which the layer finds it, such as `weight`.
        shape: Its shape; `()` for a single number.
        initializer: Its initial values.
        fan_in: Inputs that one output sums over, for initializers that depend on it.
        fan_out: Outputs that one input feeds.
        decay: Whether weight decay applies to it; not for biases and scales.
        order: Memory order, "C" or "F", of an array that a layer multiplies by.
        penalty: What is added to the loss for it, such as `L2(1e-4)`.
        constraint: What holds it after every step, such as `MaxNorm(2.0)`.
        unit_axis: The axis that counts the units, each of which a constraint looks at by itself.

    Example:
        >>> import minidl as dl
        >>> ParameterSpec("weight", (784, 10), dl.HeNormal(), fan_in=784, fan_out=10).size
        7840
    """

    name: str
    shape: Shape
    initializer: Initializer
    _: KW_ONLY
    fan_in: int | None = None
    fan_out: int | None = None
    decay: bool = True
    order: Literal["C", "F"] = "C"
    penalty: Penalty | None = None
    constraint: Constraint | None = None
    unit_axis: int = -1

    def __post_init__(self) -> None:
        object.__setattr__(self, "shape", tuple(self.shape))

    @property
    def size(self) -> int:
        """Number of elements."""
        return math.prod(self.shape)


def total_size(specs: Sequence[ParameterSpec]) -> int:
    """Number of elements of all specs together."""
    return sum(spec.size for spec in specs)


def carve(vector: Array, specs: Sequence[ParameterSpec]) -> dict[str, Array]:
    """Cut a vector into one view per spec, in order."""
    views, start = {}, 0
    for spec in specs:
        views[spec.name] = vector[start : start + spec.size].reshape(spec.shape, order=spec.order)
        start += spec.size
    return views


def copy_into(view: Array, value: object, name: str) -> None:
    """Copy `value` into `view`; the shape must match exactly, the values must be real numbers."""
    array = np.asarray(value)
    if array.shape != view.shape:
        fix = "Assignment copies into the existing array, so the shape must be the same."
        if array.ndim in (2, 3) and array.shape == view.shape[::-1]:
            fix = "It is transposed."
        elif array.ndim == 4 and array.transpose(2, 3, 1, 0).shape == view.shape:
            fix = "It is in PyTorch's order: assign w.transpose(2, 3, 1, 0)."
        raise ShapeError(f"{name}: expected shape {view.shape}, got {array.shape}. {fix}")
    if not np.can_cast(array.dtype, view.dtype, casting="same_kind"):
        raise DTypeError(f"{name}: expected real numbers, got dtype {array.dtype}.")
    if array is not view:
        np.copyto(view, array, casting="same_kind")


class Gradients(dict[str, Array]):
    """A layer's gradients by parameter name; assignment copies into the existing array.

    So both `np.matmul(x.T, dy, out=self.gradients["weight"])` and
    `self.gradients["beta"] = np.sum(dy * s)` write where the optimizer reads.
    """

    def __init__(self, owner: str, views: Mapping[str, Array]) -> None:
        super().__init__(views)
        self._owner = owner

    def __setitem__(self, name: str, value: object) -> None:
        view = self.get(name)
        if view is None:
            raise KeyError(
                f"{self._owner} has no parameter {name!r}, only {', '.join(self) or 'none'}; "
                "parameter_specs must name it."
            )
        copy_into(view, value, f"{self._owner}: gradients[{name!r}]")

    def update(self, *values: Any, **more: Any) -> None:
        """Assign several gradients; each is copied."""
        for name, value in dict(*values, **more).items():
            self[name] = value
