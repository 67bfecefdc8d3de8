"""What callbacks keep: taken from them for a file, and checked before it is given back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from minidl.errors import ArgumentTypeError, DataError
from minidl.training.callbacks import Callback
from minidl.training.resuming.plain_data import has_unsaved, plain
from minidl.training.resuming.saved_run import SavedCallback
from minidl.typing import Array

if TYPE_CHECKING:
    from minidl.training.trainer import Trainer

REAL = "biuf"  # kinds of arrays that a file holds


def callback_states(trainer: Trainer, tensors: dict[str, Array]) -> list[dict[str, Any]]:
    """What the callbacks keep, and which of them the hook that saves has yet to call."""
    found = []
    late = trainer._running.hooks.waiting if trainer._running is not None else []
    for number, callback in enumerate(trainer.callbacks):
        state, who = callback.state_dict(), f"{type(callback).__name__}.state_dict"
        if not isinstance(state, Mapping) or not all(isinstance(name, str) for name in state):
            raise ArgumentTypeError(
                f"save_checkpoint: {who} must return a dict from names to values, got {state!r}."
            )
        rest = {}
        for name, value in state.items():
            kind, is_array = type(value).__name__, isinstance(value, np.ndarray)
            if is_array and value.dtype.kind in REAL:
                tensors[f"callbacks.{number}.{name}"] = value
                continue
            rest[name] = plain(value)
            if is_array or has_unsaved(rest[name]):
                kind = f"{value.dtype} array" if is_array else kind
                raise ArgumentTypeError(
                    f"save_checkpoint: {who} gives {name!r} as a {kind}, which no file holds. Give "
                    "arrays of real numbers, numbers, texts, None, and lists and dicts of numbers "
                    "and texts."
                )
        waits = any(callback is each for each in late)
        found.append({"class": type(callback).__name__, "state": rest, "waits": waits})
    return found


def pairs_of(
    callbacks: list[Callback], saved: list[SavedCallback]
) -> list[tuple[Callback, SavedCallback]]:
    """The callbacks that a run had before: the first of a class is the first of that class."""
    left, pairs = list(saved), []
    for callback in callbacks:
        its = next((each for each in left if each.name == type(callback).__name__), None)
        if its is not None:
            left.remove(its)
            pairs.append((callback, its))
    return pairs


def check_state(trainer: Trainer, callback: Callback, state: dict[str, Any]) -> None:
    """Raise unless a state has the names and kinds of values that minidl's own callback keeps."""
    fresh, model = callback.state_dict(), trainer.model
    wrong = sorted(fresh.keys() ^ state.keys())
    for name in fresh.keys() & state.keys():
        value, found = fresh[name], state[name]
        if value is None or isinstance(value, np.ndarray):
            like = model.state if name == "state" else model.params
            is_like = isinstance(found, np.ndarray) and found.dtype == like.dtype
            fits = found is None or (is_like and found.shape == like.shape)
        else:
            fits = type(found) is type(value)
        if not fits:
            wrong.append(name)
    if wrong:
        raise DataError(
            f"from_checkpoint: what the checkpoint has for {type(callback).__name__} is not what "
            f"it keeps: {', '.join(wrong)}."
        )
