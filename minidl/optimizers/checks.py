"""What an optimizer is given: is it a learning rate, are these vectors?"""

from __future__ import annotations

from typing import Any

import numpy as np

from minidl.errors import ArgumentTypeError, DTypeError, ShapeError
from minidl.layers.base import Layer


def check_rate_kind(who: str, name: str, rate: Any) -> None:
    """Raise unless a learning rate is a number, of any value, or a function of the step."""
    is_number = isinstance(rate, int | float | np.number)
    if (is_number or callable(rate)) and not isinstance(rate, type | Layer):
        return
    fix = ""
    if isinstance(rate, type):
        fix = f" Write {rate.__name__}(...), with its arguments."
    elif isinstance(rate, Layer | np.ndarray):
        fix = " The optimizer gets parameters in update(), not here."
    raise ArgumentTypeError(
        f"{who}: {name} must be a number or a function of the step, got {rate!r}.{fix}"
    )


def check_params(who: object, params: Any) -> None:
    """Raise unless parameters are a vector of floating numbers; `who` is shown as a string."""
    if not isinstance(params, np.ndarray) or params.ndim != 1 or params.dtype.kind != "f":
        raise DTypeError(
            f"{who}: expected params as a vector of floating numbers, such as model.params, got "
            f"{_kind(params)}."
        )


def check_vector(who: object, params: Any, name: str, vector: Any) -> None:
    """Raise unless a gradient or mask is a vector of numbers of the length of `params`."""
    if not isinstance(vector, np.ndarray) or vector.dtype.kind not in "biuf":
        usual = name if name == "grads" else f"{name}_mask"
        raise DTypeError(
            f"{who}: expected {name} as a vector of numbers, such as model.{usual}, got "
            f"{_kind(vector)}."
        )
    if vector.shape != params.shape:
        raise ShapeError(
            f"{who}: params has shape {params.shape} and {name} {vector.shape}; all must be "
            "vectors of one length, such as model.params and model.grads."
        )


def _kind(value: object) -> str:
    """What a value is, for messages."""
    if isinstance(value, np.ndarray):
        return f"{value.dtype} {value.shape}"
    return "None" if value is None else f"a {type(value).__name__}"
