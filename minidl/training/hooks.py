"""How callbacks are called, so that one that raises does not lose the run."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from minidl.training.callbacks import Callback

if TYPE_CHECKING:
    from minidl.training.trainer import Trainer

Raised = tuple[str, BaseException]  # who raised, and what
IN_AN_EPOCH = ("on_epoch_begin", "on_batch_end", "on_validation_begin", "on_epoch_end")


class Hooks:
    """The callbacks of one `fit`.

    A hook is called for all of them also if one raises; then the first error reaches the user,
    with notes of whose it is, of further ones, and of how to go on.

    Attributes:
        running: The hook that is being called, or an empty string.
        waiting: Those callbacks whose turn it is after the present one.
    """

    def __init__(
        self,
        trainer: Trainer,
        callbacks: Sequence[Callback],
        going_on: str = "trainer.fit(..., epochs={})",
    ) -> None:
        self._trainer, self._callbacks, self._going_on = trainer, callbacks, going_on
        self._begun: list[Callback] = []  # and so are to end
        self._called_before = ""  # the hook up to which a run that goes on has come,
        self._late: list[Callback] = []  # and those that have yet to be called there
        self.running, self.waiting = "", list[Callback]()

    @contextlib.contextmanager
    def fitting(self) -> Iterator[None]:
        """Begin all callbacks; end those that have begun, whatever happens in between."""
        raised: list[Raised] = []
        try:
            for callback in self._callbacks:
                _raise_first(self._call([callback], "on_fit_begin"))
                self._begun.append(callback)
        except BaseException as error:
            _raise_first([("", error), *self._call(self._begun, "on_fit_end")])
        try:
            yield
        except KeyboardInterrupt:
            self._trainer.stop(f"interrupted in epoch {self._trainer.epoch + 1}")
        except BaseException as error:
            raised.append(("", error))
        raised += self._call(self._begun, "on_fit_end")  # in their order, as all hooks
        _raise_first(raised)

    def call(self, hook: str, *arguments: object) -> None:
        """Call a hook of all callbacks; of a run that goes on only those not yet called."""
        callbacks = self.listeners(hook)
        if self._called_before and hook in IN_AN_EPOCH:
            ahead = IN_AN_EPOCH.index(hook) - IN_AN_EPOCH.index(self._called_before)
            if ahead < 0:
                return
            self._called_before = ""
            if not ahead:
                callbacks = [c for c in callbacks if any(c is late for late in self._late)]
        raised = self._call(callbacks, hook, *arguments)
        if raised:
            _raise_first(raised)

    def go_on_from(self, hook: str, late: list[Callback]) -> None:
        """Pass over the hooks of an epoch before this one, which is left for some callbacks."""
        self._called_before, self._late = hook, late

    def listeners(self, hook: str) -> list[Callback]:
        """Those callbacks that define a hook; others need no call a batch."""
        base = getattr(Callback, hook)
        return [c for c in self._begun if getattr(getattr(c, hook), "__func__", None) is not base]

    def _call(self, callbacks: Sequence[Callback], hook: str, *arguments: object) -> list[Raised]:
        raised: list[Raised] = []
        for number, callback in enumerate(callbacks, start=1):
            self.running, self.waiting = hook, list(callbacks[number:])
            try:
                getattr(callback, hook)(self._trainer, *arguments)
            except BaseException as error:
                who = f"{type(callback).__name__}.{hook}"
                error.add_note(f"raised by {who} {self._when(hook)}")
                raised.append((who, error))
        self.running = ""
        return raised

    def _when(self, hook: str) -> str:
        """What has happened until then, and how to go on."""
        epoch, left = self._trainer.epoch, self._trainer.last_epoch - self._trainer.epoch
        going_on = f" {self._going_on.format(left)} goes on from there." if left else ""
        if hook == "on_fit_begin":
            return "before the first batch"
        if hook in ("on_epoch_end", "on_fit_end"):
            return f"after epoch {epoch}, which is complete and in the history.{going_on}"
        return (
            f"in epoch {epoch + 1} after step {self._trainer.step}. The model keeps that step; the "
            f"epoch is not complete and not in the history.{going_on}"
        )


def _raise_first(raised: list[Raised]) -> None:
    """Raise the first error, and note the others on it; Ctrl-C comes after real errors."""
    ordered = sorted(raised, key=lambda each: isinstance(each[1], KeyboardInterrupt))
    for who, error in ordered[1:]:
        ordered[0][1].add_note(f"{who} raised as well: {type(error).__name__}: {error}")
    if ordered:
        raise ordered[0][1]
