"""A function of the C file: its text, and how a step calls it."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from minidl.standalone.program import Step
from minidl.typing import Shape

Number = int | float
Sizes = Callable[[Step, Shape], Sequence[Number]]


@dataclass(frozen=True)
class CFunction:
    """One function in C.

    Attributes:
        name: Its name behind the file's prefix.
        text: Its definition, with @ for the prefix.
        sizes: What a call gives behind inputs, output and weights, from the step and the shape of
            its first input.
        in_place: Whether its output may lie where its first input does.
    """

    name: str
    text: str
    sizes: Sizes
    in_place: bool = False


def rows_and_channels(step: Step, shape: Shape) -> Sequence[Number]:
    """How many rows a sample has, and how long they are."""
    return [math.prod(shape[:-1]), shape[-1]]
