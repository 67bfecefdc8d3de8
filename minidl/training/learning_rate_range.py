"""The learning-rate range test: which rates a model learns at, and from which on it diverges."""

from __future__ import annotations

import copy
import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from minidl.arguments import instance, positive_number, whole_number
from minidl.errors import ArgumentError, DivergenceError
from minidl.layers.base import Layer
from minidl.losses.base import Loss
from minidl.optimizers.base import Optimizer
from minidl.optimizers.sgd import SGD
from minidl.training.callbacks import Callback
from minidl.training.progress_bar import ProgressBar
from minidl.training.trainer import Trainer
from minidl.typing import Array, RNGLike

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SMOOTHING = 0.9  # of the loss: a mean over some ten steps
SETTLED = 10  # steps after which it is one


@dataclass(frozen=True, eq=False)
class LearningRateRange:
    """What `learning_rate_range_test` found.

    Attributes:
        rates: The learning rate of each step made, a vector.
        losses: The smoothed loss of each step, a vector.
        batch_losses: The loss of each step's batch, as it was, a vector.

    Example:
        >>> import numpy as np
        >>> rates, losses = np.array([0.01, 0.1, 1.0]), np.array([2.0, 1.0, 3.0])
        >>> round(LearningRateRange(rates, losses, losses).suggestion, 3)
        0.01
    """

    rates: Array
    losses: Array
    batch_losses: Array

    @property
    def suggestion(self) -> float:
        """A tenth of the rate at which the smoothed loss is smallest, behind the first ten steps.

        There the rate begins to be too high. The steepest descent, the other usual choice, depends
        on the difference of two noisy values, and on how far learning had got before.
        """
        first = SETTLED if len(self.losses) > SETTLED else 0
        return float(self.rates[first + np.argmin(self.losses[first:])]) / 10

    def plot(self) -> Figure:
        """Draw the loss over the rates, with the suggestion."""
        from minidl.plotting import plot_learning_rate_range

        return plot_learning_rate_range(self)


def learning_rate_range_test(
    model: Layer,
    loss: Loss,
    x: ArrayLike | Iterable[Any],
    y: ArrayLike | None = None,
    *,
    optimizer: Optimizer | None = None,
    lowest: float = 1e-6,
    highest: float = 10.0,
    steps: int = 100,
    batch_size: int = 32,
    rng: RNGLike = None,
) -> LearningRateRange:
    r"""Train for some steps with a learning rate that grows, and record the loss.

    The rate of step k of n is $\eta_k = a\, (b / a)^{k / (n - 1)}$. While it is too low the loss
    stays as it is, then it falls ever faster, and rises where the rate is too high. The test ends
    early when the smoothed loss is four times its minimum since the tenth step, or a loss is not
    finite.

    The smoothed loss is a moving average of the batches' losses, corrected for its start at zero:

    $$s_k = 0.9\, s_{k-1} + 0.1\, l_k, \qquad \text{losses}_k = s_k / (1 - 0.9^{k+1}) .$$

    It trails behind by some ten steps, which the suggestion, a tenth of the rate with the smallest
    smoothed loss, allows for. (fastai stops at four times the minimum, too, and smooths by 0.98.)

    Parameters, state and generators of the model are put back exactly; of the optimizer a copy is
    used. Ctrl-C ends the test with what it has found so far.

    Args:
        model: A built layer.
        loss: The loss; an instance.
        x: Inputs (N, *input_shape), or a source of batches `(x, y)`.
        y: Targets, as the loss takes them.
        optimizer: The rule to find a rate for; by default plain SGD.
        lowest: The first rate a.
        highest: The last rate b.
        steps: Number of steps n, at least 2; the data are gone through as often as that takes.
        batch_size: Rows of a batch; take that of the training to come.
        rng: Seed or generator for the order of the rows.

    Returns:
        The rates, the losses and a suggestion; `plot()` draws them.

    Raises:
        ArgumentError: If an argument is out of range.
        DataError: If the data are wrong.
        DivergenceError: If the loss is not finite at the lowest rate already.

    Example:
        >>> import minidl as dl
        >>> x, y = dl.synthetic_digits(300, rng=0)
        >>> model = dl.Sequential([dl.Dense(10), dl.Softmax()]).build((784,), rng=0)
        >>> found = dl.learning_rate_range_test(model, dl.CrossEntropy(), x, y, rng=0)
        >>> 0.01 < found.suggestion < 1
        True

    References:
        L. Smith, Cyclical learning rates for training neural networks, WACV 2017, arXiv:1506.01186.
    """
    who = "learning_rate_range_test"
    steps = whole_number(who, "steps", steps, 2)
    lowest = positive_number(who, "lowest", lowest)
    highest = positive_number(who, "highest", highest)
    if highest <= lowest:
        raise ArgumentError(f"{who}: highest must be above lowest, got {lowest:g} to {highest:g}.")
    rates = np.geomspace(lowest, highest, steps).tolist()
    rule = SGD(lowest) if optimizer is None else instance(who, "optimizer", optimizer, Optimizer)
    record, quiet = _Record(rates), ProgressBar(enabled=False)
    trainer = Trainer(model, loss, copy.deepcopy(rule), callbacks=[record, quiet], rng=rng)
    trainer.optimizer.learning_rate = rates[0]
    with model.preserved():
        try:
            while not trainer.history.stopped:  # one at a time: no warning of a network that dies
                trainer.fit(x, y, epochs=1, batch_size=batch_size)
        except DivergenceError:
            if not record.losses:
                raise
    made = len(record.losses)
    if not made:  # fit takes Ctrl-C for its end, but there is nothing to return yet
        raise KeyboardInterrupt
    return LearningRateRange(
        np.array(rates[:made]), np.array(record.losses), np.array(record.batch_losses)
    )


class _Record(Callback):
    """Sets the rate of every step, records the losses, and ends the test."""

    def __init__(self, rates: list[float]) -> None:
        self._rates, self._sum = rates, 0.0
        self.losses: list[float] = []
        self.batch_losses: list[float] = []

    def on_batch_end(self, trainer: Trainer, loss: float) -> None:
        self._sum = SMOOTHING * self._sum + (1 - SMOOTHING) * loss
        self.batch_losses.append(loss)
        made = len(self.batch_losses)
        self.losses.append(self._sum / (1 - SMOOTHING**made))
        smallest = min(self.losses[SETTLED:], default=math.inf)
        if made == len(self._rates) or self.losses[-1] > smallest + 3 * abs(smallest):
            trainer.stop("the range test is done", at_once=True)
        else:
            trainer.optimizer.learning_rate = self._rates[made]
