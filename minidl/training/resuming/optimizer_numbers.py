"""What an optimizer keeps from step to step besides vectors, such as a product of numbers."""

from __future__ import annotations

import inspect
from typing import Any

import numpy as np

from minidl.errors import DataError
from minidl.optimizers.base import Optimizer
from minidl.training.resuming.generators import generator_state
from minidl.training.resuming.plain_data import restored

NOT_NUMBERS = {"steps", "state", "_kept"}  # of an optimizer


def own_numbers(optimizer: Optimizer) -> dict[str, Any]:
    """What an optimizer keeps from step to step besides vectors, such as a product of numbers.

    Of a generator that is where it stands, as a dict.
    """
    options = inspect.signature(type(optimizer)).parameters
    found = {}
    for name, value in vars(optimizer).items():
        if isinstance(value, np.random.Generator):
            found[name] = restored(generator_state(value))
        elif name not in NOT_NUMBERS and name not in options and _is_number(value):
            found[name] = value
    return found


def _is_number(value: Any) -> bool:
    if isinstance(value, tuple | list):
        return all(map(_is_number, value))
    return isinstance(value, bool | int | float | str)


def put_numbers_back(optimizer: Optimizer, saved: dict[str, Any]) -> None:
    """Give the optimizer the numbers that it keeps besides vectors, if it keeps such numbers."""
    for name, value in own_numbers(optimizer).items():
        found = saved.get(name, value)
        found = tuple(found) if isinstance(value, tuple) and isinstance(found, list) else found
        generator = vars(optimizer)[name]
        if isinstance(generator, np.random.Generator):
            _put_state_back(name, generator, found)
            continue
        if not _are_alike(value, found):
            raise DataError(
                f"from_checkpoint: the optimizer's {name} is {found!r:.80}, not one as {value!r}."
            )
        setattr(optimizer, name, found)


def _put_state_back(name: str, generator: np.random.Generator, state: Any) -> None:
    try:
        generator.bit_generator.state = state
    except Exception as error:  # whatever NumPy makes of a file's data
        raise DataError(
            f"from_checkpoint: the optimizer's {name} is no {generator!r} that stands at "
            f"{state!r:.80}."
        ) from error


def _are_alike(value: Any, found: Any) -> bool:
    """Whether both are numbers, or of one type; sequences item by item."""
    if isinstance(value, tuple | list) and isinstance(found, type(value)):
        return len(value) == len(found) and all(map(_are_alike, value, found))
    numbers = {int, float}
    return type(value) is type(found) or {type(value), type(found)} <= numbers
