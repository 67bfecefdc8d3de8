"""How many threads there is room for."""

from __future__ import annotations

import os


def usable_cores() -> int:
    """Return the number of cores that the system may run this process on."""
    if hasattr(os, "sched_getaffinity"):  # not on macOS and Windows
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
