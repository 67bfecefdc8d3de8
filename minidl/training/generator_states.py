"""Where generators stand, and the seeds they were made from, as plain data."""

from __future__ import annotations

from typing import Any

import numpy as np

from minidl.training.plain_data import plain, restored

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
