"""Show how training gets on."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from minidl.arguments import flag
from minidl.training.callbacks import Callback

if TYPE_CHECKING:
    from minidl.training.trainer import Trainer


class ProgressBar(Callback):
    """A bar for the running epoch, and a line for each one that is done.

    The bar (tqdm) is drawn in terminals and notebooks only; the lines are printed anywhere. In a
    terminal or a notebook a Trainer shows one by itself, unless its callbacks hold one already.

    Args:
        enabled: False to show nothing, also where a Trainer would add one by itself.

    Example:
        >>> import minidl as dl
        >>> x, y = dl.synthetic_digits(100, rng=0)
        >>> model = dl.Sequential([dl.Dense(10), dl.Softmax()]).build((784,), rng=0)
        >>> trainer = dl.Trainer(
        ...     model, dl.CrossEntropy(), dl.SGD(0.1), callbacks=[dl.ProgressBar()], rng=0
        ... )
        >>> history = trainer.fit(x, y, epochs=2)
        epoch 1/2  loss ... s
        epoch 2/2  loss ... s
    """

    def __init__(self, *, enabled: bool = True) -> None:
        self.enabled = flag("ProgressBar", "enabled", enabled)
        self._bar: Any = None

    def on_epoch_begin(self, trainer: Trainer) -> None:
        if self.enabled and is_interactive():
            self._open(trainer, 0)

    def on_batch_end(self, trainer: Trainer, loss: float) -> None:
        running = trainer._running
        if self._bar is None and running is not None and self.enabled and is_interactive():
            self._open(trainer, running.batches - 1)  # of an epoch that another process began
        if self._bar is not None and self._bar.update():  # True when it has been drawn anew
            self._bar.set_postfix_str(f"loss {loss:.4f}", refresh=False)

    def on_epoch_end(self, trainer: Trainer) -> None:
        self._close()
        if self.enabled:
            values = trainer.history.last()
            seconds = values.pop("seconds")
            width = len(str(trainer.last_epoch))
            numbers = "  ".join(f"{name} {_text(value)}" for name, value in values.items())
            print(
                f"epoch {trainer.epoch:{width}}/{trainer.last_epoch}  {numbers}  {seconds:.2f} s",
                flush=True,
            )

    def on_fit_end(self, trainer: Trainer) -> None:
        self._close()
        if self.enabled and trainer.history.stopped:
            print(f"stopped after epoch {trainer.epoch}: {trainer.history.stopped}", flush=True)

    def _open(self, trainer: Trainer, done: int) -> None:
        self._bar = _tqdm()(
            total=trainer.steps_per_epoch,
            initial=done,
            desc=f"epoch {trainer.epoch + 1}/{trainer.last_epoch}",
            unit="batch",
            leave=False,
        )

    def _close(self) -> None:
        if self._bar is not None:
            self._bar.close()
            self._bar = None

    def __getstate__(self) -> dict[str, Any]:
        return vars(self) | {"_bar": None}


def _text(value: float) -> str:
    small = 0 < abs(value) < 1e-3  # such as a learning rate
    return f"{value:.1e}" if small else f"{value:.4f}"


def is_interactive() -> bool:
    """Whether somebody is watching: a terminal, or a notebook."""
    return "ipykernel" in sys.modules or sys.stderr.isatty()


def _tqdm() -> Any:
    if "ipykernel" in sys.modules and "ipywidgets" in sys.modules:
        from tqdm.notebook import tqdm as notebook_tqdm

        return notebook_tqdm
    from tqdm.std import tqdm

    return tqdm
