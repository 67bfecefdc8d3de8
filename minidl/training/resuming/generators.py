"""The generators of a run: where they stand, and what they were made from, as plain data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from minidl.datasets.generators import known_generators
from minidl.layers.base import Layer
from minidl.training.resuming.plain_data import plain, restored

if TYPE_CHECKING:
    from minidl.training.validation import Source

KINDS = ("PCG64", "PCG64DXSM", "MT19937", "Philox", "SFC64")


def generator_state(generator: np.random.Generator) -> Any:
    """Return where a generator stands."""
    return plain(dict(generator.bit_generator.state))


def generator_at(state: Any) -> np.random.Generator:
    """Return a generator that stands where another one stood."""
    values = restored(state)
    kind = KINDS[KINDS.index(values["bit_generator"])]
    generator = np.random.Generator(getattr(np.random, kind)(0))
    generator.bit_generator.state = values
    return generator


def own_generators(layer: Layer) -> dict[str, np.random.Generator]:
    """Return the generators that a layer's author has made, by the names of their attributes."""
    return {
        name: value
        for name, value in vars(layer).items()
        if isinstance(value, np.random.Generator) and name != "_rng"
    }


def kinds_of(generators: Mapping[str, np.random.Generator]) -> dict[str, str]:
    """Return the algorithm of each."""
    return {name: type(each.bit_generator).__name__ for name, each in generators.items()}


def seed_data(seed: np.random.SeedSequence) -> Any:
    """Return what a seed sequence is made of."""
    return {
        "entropy": plain(seed.entropy),
        "spawn_key": plain(seed.spawn_key),
        "pool_size": seed.pool_size,
    }


def seed_from(data: Any) -> np.random.SeedSequence:
    """Return the seed sequence that `seed_data` was given."""
    size = data["pool_size"]
    if size not in range(4, 65):  # NumPy takes 4 and more; a larger one is memory asked for
        raise ValueError(f"a seed with a pool of {size!r}")
    return np.random.SeedSequence(data["entropy"], spawn_key=data["spawn_key"], pool_size=size)


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
        self._at_begin: list[Any] = []

    def begin_epoch(self) -> None:
        """Note where the generators stand: from there the same batches come again."""
        self._at_begin = self._now()  # made plain only if asked for: that takes longer than a step

    def states(self, *, in_epoch: bool) -> list[Any]:
        """Where they stood when the present epoch began, or stand now, if there is none."""
        return [plain(state) for state in (self._at_begin if in_epoch else self._now())]

    def _now(self) -> list[Any]:
        return [dict(generator.bit_generator.state) for generator in self.generators]
