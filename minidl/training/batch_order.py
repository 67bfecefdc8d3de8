"""What the order of batches comes from: generators, and where they stood when an epoch began."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from minidl.datasets.generators import known_generators
from minidl.training.plain_data import plain

if TYPE_CHECKING:
    from minidl.training.validation import Source


class BatchOrder:
    """The generators of a trainer and of the sources of its last `fit`.

    Args:
        own: The trainer's, which shuffles arrays.
        sources: Where batches come from.

    Attributes:
        generators: All of them, the trainer's first.
        sources_tell: Whether every source says what it draws from.
    """

    def __init__(self, own: np.random.Generator, sources: Sequence[Source] = ()) -> None:
        self.generators = [own, *known_generators(*sources)]
        self.sources_tell = all(source.generators is not None for source in sources)
        self._at_begin: list[Any] = []  # states as NumPy gives them

    def begin_epoch(self) -> None:
        """Note where the generators stand: from there the same batches come again."""
        self._at_begin = self._now()

    def end_epoch(self) -> None:
        """Forget that."""
        self._at_begin = []

    def states(self) -> list[Any]:
        """Where they stood when the present epoch began, or stand between two epochs."""
        return [plain(dict(state)) for state in self._at_begin or self._now()]

    def _now(self) -> list[Any]:
        return [generator.bit_generator.state for generator in self.generators]
