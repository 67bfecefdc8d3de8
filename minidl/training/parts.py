"""What a trainer is put together from, checked where it is given."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable
from typing import Any

from minidl.arguments import instance
from minidl.errors import ArgumentError, ArgumentTypeError
from minidl.metrics import Metric
from minidl.training.callbacks import Callback
from minidl.training.progress_bar import ProgressBar, is_interactive
from minidl.typing import MetricFunction


def metrics_of(metrics: Iterable[Metric | MetricFunction]) -> list[Metric]:
    """Metrics of different names; functions become metrics."""
    found = [m if isinstance(m, Metric) else Metric(m) for m in _items("metrics", metrics)]
    names = [metric.name for metric in found]
    columns = ["seconds", *(f"{val}{name}" for val in ("", "val_") for name in ["loss", *names])]
    if len(set(columns)) < len(columns):
        raise ArgumentError(
            "Trainer: metrics need different names, and not 'loss' or 'seconds', also with 'val_' "
            f"before them; got {names}. Give a name: Metric(function, name=...)."
        )
    return found


def callbacks_of(callbacks: Iterable[Callback]) -> list[Callback]:
    """Callbacks as a list."""
    return [instance("Trainer", "callback", c, Callback) for c in _items("callbacks", callbacks)]


def with_progress_bar(callbacks: list[Callback]) -> list[Callback]:
    """The callbacks, and a progress bar where somebody is watching."""
    shown = any(isinstance(callback, ProgressBar) for callback in callbacks)
    return callbacks if shown or not is_interactive() else [*callbacks, ProgressBar()]


def _items(name: str, values: Any) -> list[Any]:
    with contextlib.suppress(TypeError):
        if not isinstance(values, str):
            return list(values)
    written = "dl.accuracy" if name == "metrics" else "dl.EarlyStopping()"  # where given a word
    if not isinstance(values, str):
        written = getattr(values, "__name__", f"{type(values).__name__}(...)")
        if str(getattr(values, "__module__", "")).startswith("minidl."):
            written = f"dl.{written}"
    raise ArgumentTypeError(
        f"Trainer: {name} must be a list, got {values!r}: write {name}=[{written}]."
    )
