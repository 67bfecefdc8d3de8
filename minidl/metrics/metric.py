"""A metric of a Trainer: a function, what it is to be given, and its name."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Literal, TypeVar

from minidl.errors import ArgumentError, ArgumentTypeError
from minidl.typing import MetricFunction

Function = TypeVar("Function", bound=MetricFunction)


def needs_probabilities(function: Function) -> Function:
    """Mark a metric function that a Trainer is to give the model's outputs."""
    function.needs = "probabilities"  # type: ignore[attr-defined]
    return function


@dataclass(frozen=True)
class Metric:
    """A metric function, what it needs, and its name in the history.

    Args:
        function: `(y_true, y_pred) -> float`, such as `sklearn.metrics.log_loss`; options go into
            it with `functools.partial`.
        needs: `"labels"` (integer labels for both; for regression the outputs themselves) or
            `"probabilities"` (the model's outputs as predictions). By default what the function's
            attribute `needs` says, as those of `roc_auc` and `top_k_accuracy` do, or labels.
        name: Its name in the history; by default the function's, with the options of a partial.

    Raises:
        ArgumentTypeError: If `function` is none.
        ArgumentError: If `needs` is neither of the two.

    Example:
        >>> from functools import partial
        >>> import minidl as dl
        >>> Metric(dl.roc_auc).name, Metric(dl.roc_auc).needs
        ('roc_auc', 'probabilities')
        >>> Metric(partial(dl.f1_score, average="micro")).name
        'f1_score_micro'
        >>> Metric(partial(dl.top_k_accuracy, k=3)).name
        'top_k_accuracy_k3'
    """

    function: MetricFunction
    needs: Literal["labels", "probabilities"] | None = None
    name: str = ""

    def __post_init__(self) -> None:
        if not callable(self.function):
            raise ArgumentTypeError(
                f"Metric: expected a function (y_true, y_pred) -> float, got {self.function!r}, "
                "for example dl.accuracy."
            )
        function, options = self.function, {}
        if isinstance(self.function, functools.partial):
            function, options = self.function.func, self.function.keywords
        if self.needs is None:
            object.__setattr__(self, "needs", getattr(function, "needs", "labels"))
        if self.needs not in ("labels", "probabilities"):
            raise ArgumentError(
                f"Metric: needs must be 'labels' or 'probabilities', got {self.needs!r}."
            )
        if not self.name:
            name = getattr(function, "__name__", type(function).__name__)
            object.__setattr__(self, "name", "_".join([name, *map(_word, options.items())]))


def _word(option: tuple[str, object]) -> str:
    """An option as a part of a name: `micro` for average="micro", `k3` for k=3."""
    name, value = option
    return value if isinstance(value, str) else f"{name}{value}"
