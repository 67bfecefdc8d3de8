"""Which generators a source of batches draws from: a checkpoint keeps where they stand."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from minidl.errors import ArgumentTypeError


def generators_of(part: Any) -> list[np.random.Generator] | None:
    """Return the generators that a source, or a part of one, draws from; None if it cannot tell.

    minidl's own sources and transforms tell by their attribute `generators`, and so may those of
    users. Lists, tuples and arrays draw from none.
    """
    if isinstance(part, list | tuple | np.ndarray):
        return []
    found = getattr(part, "generators", None)
    if found is None:
        return None
    are_listed = isinstance(found, list | tuple)  # an iterator could be read only once
    if not (are_listed and all(isinstance(each, np.random.Generator) for each in found)):
        raise ArgumentTypeError(
            f"generators of a {type(part).__name__} must be a list of numpy.random.Generator, got "
            f"{found!r}."
        )
    return list(found)


def known_generators(*parts: Any) -> list[np.random.Generator]:
    """Return the generators of those parts that can tell; each of them once."""
    found: Iterable[np.random.Generator] = (g for part in parts for g in generators_of(part) or ())
    return list({id(generator): generator for generator in found}.values())
