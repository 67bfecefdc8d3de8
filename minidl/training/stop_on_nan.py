"""End training, rather than raise, when the loss stops being finite."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from minidl.errors import DivergenceError
from minidl.finiteness import is_finite
from minidl.training.callbacks import Callback
from minidl.typing import Array

if TYPE_CHECKING:
    from minidl.training.trainer import Trainer


class StopOnNaN(Callback):
    r"""Where `fit` would raise a `DivergenceError`, end it and go back to the last good epoch.

    Parameters and state are then those of the end of the last complete epoch, or of the beginning
    of `fit`: those right before the step that failed are finite, but have mostly gone astray
    already. `history.stopped` has the diagnosis. For searches over settings, some of which are
    bound to diverge. A further run needs a new optimizer, because this one keeps what it has
    gathered, such as momentum.

    Example:
        >>> import minidl as dl
        >>> x, y = dl.synthetic_digits(100, rng=0)
        >>> model = dl.Sequential([dl.Dense(10), dl.ReLU(), dl.Dense(10), dl.Softmax()])
        >>> model = model.build((784,), rng=0)
        >>> trainer = dl.Trainer(
        ...     model, dl.CrossEntropy(), dl.SGD(1e20), callbacks=[dl.StopOnNaN()], rng=0
        ... )
        >>> reason = trainer.fit(x, y, epochs=3).stopped.splitlines()
        >>> print(reason[0], reason[-1], sep="\n")
        Trainer: the loss or its gradient stopped being finite in epoch 1, batch ...
        Parameters and state are those from before the first epoch.
    """

    def __init__(self) -> None:
        self._good: tuple[Array, Array, int] | None = None
        self._diverged = False

    def on_fit_begin(self, trainer: Trainer) -> None:
        self._good, self._diverged = None, False
        self.on_epoch_end(trainer)

    def on_epoch_end(self, trainer: Trainer) -> None:
        model = trainer.model
        if is_finite(model.params) and is_finite(model.state):
            self._good = model.params.copy(), model.state.copy(), trainer.epoch

    def on_divergence(self, trainer: Trainer, error: DivergenceError) -> None:
        reason = str(error).removesuffix("\nThis step has changed no parameter.")
        if self._good is not None:
            when = (
                f"the end of epoch {self._good[2]}" if self._good[2] else "before the first epoch"
            )
            reason += f"\nParameters and state are those from {when}."
        self._diverged = True
        trainer.stop(reason)

    def on_fit_end(self, trainer: Trainer) -> None:
        if self._diverged and self._good is not None:
            trainer.model.params, trainer.model.state, _ = self._good
        self._good = None

    def state_dict(self) -> dict[str, Any]:
        params, state, epoch = self._good or (None, None, 0)
        return {"params": params, "state": state, "epoch": epoch}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        kept = state["params"], state["state"], state["epoch"]
        self._good = None if kept[0] is None else kept
