"""An exponential moving average of the parameters, for evaluation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from minidl.arguments import number_within
from minidl.errors import ArgumentError, ShapeError
from minidl.optimizers.checks import check_params
from minidl.training.callbacks import Callback
from minidl.typing import Array

if TYPE_CHECKING:
    from minidl.training.trainer import Trainer


class MovingAverage(Callback):
    r"""An exponential moving average of the parameters: often better than those of any one step.

    The average of n steps' parameters $\theta_1, \dots, \theta_n$ is

    $$\bar\theta_1 = \theta_1, \qquad
      \bar\theta_n = \bar\theta_{n-1} + (1 - d_n)(\theta_n - \bar\theta_{n-1}), \qquad
      d_n = \min\left(d, \frac{n}{n + 9}\right) .$$

    Steps of SGD scatter around a minimum, and their mean lies nearer to it, as if the learning rate
    had fallen. $d_n$ is the warm-up: while there are few steps the average forgets within a ninth
    of them, so that the first parameters weigh little in a short run, too.

    As a callback it takes the parameters after every step. From the end of an epoch's batches until
    the next epoch begins the model holds the average, so that validation is of the average.
    Training then goes on from its own parameters. After `fit` the model holds the average, after
    Ctrl-C or an error as well. **Put it first in the list of callbacks**, so that `EarlyStopping`
    and whatever saves the model come after it. A further `fit` goes on from the training's own
    parameters, unless the model's have been changed since, by `EarlyStopping` or by hand: then all
    begins anew.

    State such as `BatchNorm`'s running statistics is not averaged. It is that of training, a moving
    average already, and fits the average of the parameters where these move slowly.

    Conventions: PyTorch's `get_ema_avg_fn` and Keras's `use_ema` start at $\theta_1$, too, but do
    not warm up. The warm-up is that of TensorFlow's `ExponentialMovingAverage`, $(1 + k) / (10 +
    k)$ at k = n - 1.

    Args:
        decay: d, in [0, 1); forgets within some $1 / (1 - d)$ steps, 0 takes the last parameters.

    Attributes:
        values: The average (P,); empty before the first update.
        updates: n, the number of parameters taken in.

    Raises:
        ArgumentError: If the decay is out of range, or a trainer has more than one.

    Example:
        >>> import minidl as dl
        >>> x, y = dl.synthetic_digits(300, rng=0)
        >>> model = dl.Sequential([dl.Dense(10), dl.Softmax()]).build((784,), rng=0)
        >>> callbacks = [dl.MovingAverage(0.99)]
        >>> trainer = dl.Trainer(
        ...     model, dl.CrossEntropy(), dl.SGD(0.1), callbacks=callbacks, rng=0
        ... )
        >>> history = trainer.fit(x, y, epochs=2)
        >>> bool((model.params == callbacks[0].values).all())
        True

        In a loop written by hand:

        >>> average, optimizer = dl.MovingAverage(0.99), dl.SGD(0.1)
        >>> objective = dl.Objective(model, dl.CrossEntropy())
        >>> for xb, yb in dl.batches(x, y, batch_size=32, rng=0):
        ...     loss, grads = objective.value_and_grad(xb, yb)
        ...     optimizer.update(model.params, grads)
        ...     average.update(model.params)
        >>> model.params = average.values

    References:
        B. Polyak, A. Juditsky, Acceleration of stochastic approximation by averaging, SIAM Journal
        on Control and Optimization 30, 1992.
    """

    def __init__(self, decay: float = 0.999) -> None:
        self.decay = number_within("MovingAverage", "decay", decay, 0.0, 1.0)
        self.values: Array = np.empty(0)
        self.updates = 0
        self._difference: Array = np.empty(0)  # scratch memory
        self._own: Array | None = None  # training's parameters while the model holds the average

    def update(self, params: Array) -> None:
        """Take a step's parameters into the average.

        Args:
            params: The parameters (P,), such as `model.params`; not written to.

        Raises:
            DTypeError: If they are no vector of floating numbers.
            ShapeError: If there were more or fewer of them before.
        """
        check_params("MovingAverage", params)
        if not self.updates:
            self.values, self._difference = params.copy(), np.empty_like(params)
        if params.shape != self.values.shape:
            raise ShapeError(
                f"MovingAverage: averages {self.values.size:,} parameters, got {params.size:,}. "
                "Each model needs an average of its own."
            )
        self.updates += 1
        decay = min(self.decay, self.updates / (self.updates + 9))
        np.subtract(params, self.values, out=self._difference)
        self._difference *= 1 - decay
        self.values += self._difference

    def on_fit_begin(self, trainer: Trainer) -> None:
        if sum(isinstance(callback, MovingAverage) for callback in trainer.callbacks) > 1:
            raise ArgumentError(  # one would take another's average for training's parameters
                "MovingAverage: expected one in the list of callbacks, got more: the model can "
                "hold only one average. Call update(trainer.model.params) of the others in a "
                "callback of your own."
            )
        if self._own is None or not np.array_equal(trainer.model.params, self.values):
            self.updates, self._own = 0, None

    def on_epoch_begin(self, trainer: Trainer) -> None:
        if self._own is not None:
            trainer.model.params, self._own = self._own, None

    def on_batch_end(self, trainer: Trainer, loss: float) -> None:
        self.update(trainer.model.params)

    def on_validation_begin(self, trainer: Trainer) -> None:
        self._own, trainer.model.params = trainer.model.params.copy(), self.values

    def on_fit_end(self, trainer: Trainer) -> None:
        if self._own is None and self.updates:  # the last epoch was not finished
            self.on_validation_begin(trainer)

    def state_dict(self) -> dict[str, Any]:
        values = self.values if self.updates else None
        return {"values": values, "updates": self.updates, "own": self._own}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        values, self.updates, self._own = state["values"], state["updates"], state["own"]
        self.values = np.empty(0) if values is None else values.copy()
        self._difference = np.empty_like(self.values)
