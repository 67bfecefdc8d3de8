"""Whether a value of the history has become better: what callbacks that watch one share."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Literal

from minidl.errors import ArgumentError, ArgumentTypeError

if TYPE_CHECKING:
    from minidl.training.trainer import Trainer

Mode = Literal["min", "max"]

# Words in the names of values.
SMALLER_IS_BETTER = ("loss", "error", "mse", "mae", "perplexity", "deviance")
LARGER_IS_BETTER = ("accuracy", "precision", "recall", "f1", "auc", "r2")


def mode_of(who: str, monitor: Any, mode: Any) -> Mode:
    """Return "min" or "max": as given, or as the name of the value tells."""
    if not isinstance(monitor, str):
        raise ArgumentTypeError(
            f"{who}: monitor must be a name in the history, such as 'val_loss', got {monitor!r}."
        )
    if mode is None and any(word in monitor for word in SMALLER_IS_BETTER):
        return "min"
    if mode is None and any(word in monitor for word in LARGER_IS_BETTER):
        return "max"
    if mode is None:
        raise ArgumentError(
            f"{who}: say whether {monitor!r} should be small or large: mode='min' or mode='max'."
        )
    if mode not in ("min", "max"):
        raise ArgumentError(f"{who}: mode must be 'min' or 'max', got {mode!r}.")
    return "min" if mode == "min" else "max"


def check_measured(who: str, monitor: str, trainer: Trainer) -> None:
    """Raise unless the run that begins measures the value."""
    if monitor not in trainer.measured:
        raise ArgumentError(
            f"{who}: {monitor!r} is not measured, only {', '.join(trainer.measured)}. Values "
            "named val_... need validation_data or validation_split; metrics are named in "
            "Trainer(metrics=...)."
        )


def is_better(value: float, best: float, mode: Mode, min_delta: float) -> bool:
    """Whether `value` beats `best` by more than `min_delta`; anything beats NaN, which is none."""
    if math.isnan(best):
        return not math.isnan(value)
    gain = best - value if mode == "min" else value - best
    return gain > min_delta
