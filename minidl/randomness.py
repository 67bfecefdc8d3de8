"""Where random numbers come from: seeds that split by place, never a global generator."""

from __future__ import annotations

import numpy as np

from minidl.errors import ArgumentError, ArgumentTypeError
from minidl.typing import RNGLike


def seed_sequence(rng: RNGLike) -> np.random.SeedSequence:
    """Turn a seed, a generator, a seed sequence or None into a seed sequence.

    A generator hands out its next spawned child, so that two calls with one generator give
    different streams, as two draws from it would. An integer gives the same stream every time.
    """
    if isinstance(rng, np.random.SeedSequence):
        return rng
    if isinstance(rng, np.random.Generator):
        parent = rng.bit_generator.seed_seq
        if not isinstance(parent, np.random.SeedSequence):
            raise ArgumentError(
                "rng: this generator was made without a seed sequence and cannot be split. "
                "Make it with np.random.default_rng(seed)."
            )
        return parent.spawn(1)[0]
    if rng is None:
        return np.random.SeedSequence()
    if isinstance(rng, int | np.integer) and not isinstance(rng, bool):
        if rng < 0:
            raise ArgumentError(f"rng: a seed must be at least 0, got {rng}.")
        return np.random.SeedSequence(int(rng))
    raise ArgumentTypeError(
        f"rng: expected a seed (int), a numpy.random.Generator, a SeedSequence or None, "
        f"got {type(rng).__name__}."
    )


def child_seed(seed: np.random.SeedSequence, *key: int) -> np.random.SeedSequence:
    """The descendant of `seed` at a place; the same place always gives the same stream."""
    return np.random.SeedSequence(
        seed.entropy, spawn_key=(*seed.spawn_key, *key), pool_size=seed.pool_size
    )
