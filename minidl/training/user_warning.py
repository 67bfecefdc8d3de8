"""Warnings that point at the user's own line."""

from __future__ import annotations

import sys
import warnings

from minidl.errors import TrainingWarning


def warn_user(message: str) -> None:
    """Warn at the line outside minidl that everything was called from, such as that of `fit`."""
    depth = 2
    while sys._getframe(depth).f_globals.get("__name__", "").startswith("minidl."):
        depth += 1
    warnings.warn(message, TrainingWarning, stacklevel=depth + 1)
