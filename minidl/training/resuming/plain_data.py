"""Objects and numbers as plain data for a file, and back: nothing in a file names code to run."""

from __future__ import annotations

import inspect
import math
from collections.abc import Mapping
from types import ModuleType
from typing import Any

import numpy as np

from minidl import losses, optimizers
from minidl.arguments import call_text
from minidl.optimizers import schedules

Kinds = Mapping[str, type[Any]]


def _kinds(room: ModuleType) -> Kinds:
    named = {name: getattr(room, name) for name in room.__all__}
    return {
        name: kind
        for name, kind in named.items()
        if isinstance(kind, type) and not inspect.isabstract(kind)
    }


LOSSES, OPTIMIZERS, SCHEDULES = _kinds(losses), _kinds(optimizers), _kinds(schedules)
KNOWN = {*LOSSES.values(), *OPTIMIZERS.values(), *SCHEDULES.values()}


def plain(value: Any) -> Any:
    """Return a number, a text, a list, dict or array of such, or a schedule as JSON takes it.

    What a file cannot hold, such as a function, becomes `{"unsaved": "..."}` with its name.
    """
    if isinstance(value, np.ndarray | np.generic):
        value = value.tolist()
    if isinstance(value, float) and not math.isfinite(value):
        return {"float": repr(value)}
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, dict) and all(isinstance(name, str) for name in value):
        return {"dict": {name: plain(item) for name, item in value.items()}}
    if type(value) in SCHEDULES.values():
        return described(value)
    return {"unsaved": getattr(value, "__name__", type(value).__name__)}


def described(thing: Any) -> dict[str, Any]:
    """Return the name of an object's class, whether it is the user's, and its options."""
    kind = type(thing)
    options = {n: plain(getattr(thing, n, None)) for n in inspect.signature(kind).parameters}
    return {"class": kind.__name__, "own": kind not in KNOWN, "options": options}


def restored(data: Any) -> Any:
    """Return what `plain` was given; sequences as lists."""
    if isinstance(data, list):
        return [restored(item) for item in data]
    if not isinstance(data, dict):
        return data
    if set(data) == {"float"}:
        return {"nan": math.nan, "inf": math.inf, "-inf": -math.inf}[data["float"]]
    if set(data) == {"dict"}:
        return {name: restored(item) for name, item in data["dict"].items()}
    return made(data, SCHEDULES)


def made(description: Mapping[str, Any], kinds: Kinds) -> Any:
    """Return the object that `described` was given; only the classes of `kinds` can be made."""
    name = description["class"]
    if name not in kinds:
        raise ValueError(f"this version of minidl has none of the name {name!r:.80}")
    return kinds[name](**{k: restored(value) for k, value in description["options"].items()})


def is_own(description: Mapping[str, Any]) -> bool:
    """Whether only the user has the class, or an option that no file can hold."""
    return bool(description["own"]) or has_unsaved(description["options"])


def has_unsaved(data: Any) -> bool:
    """Whether there is something in the data that no file can hold."""
    if isinstance(data, list):
        return any(map(has_unsaved, data))
    return isinstance(data, dict) and ("unsaved" in data or any(map(has_unsaved, data.values())))


def differences(saved: Mapping[str, Any], given: Any) -> list[str]:
    """In what an object is not the one of the file, such as `momentum=0.9 there, 0.5 here`."""
    here = described(given)
    if (here["class"], here["own"]) != (saved["class"], saved["own"]):
        return [f"{saved['class']} there, {call_text(given)} here"]
    pairs = {
        name: (saved["options"].get(name), here["options"].get(name))
        for name in {**saved["options"], **here["options"]}
    }
    if all(isinstance(rate, float | int) for rate in pairs.get("learning_rate", [None])):
        del pairs["learning_rate"]  # callbacks change it; that of the file counts
    return [
        f"{name}={_text(there)} there, {_text(value)} here"
        for name, (there, value) in pairs.items()
        if there != value
    ]


def _text(data: Any) -> str:
    if isinstance(data, dict) and "unsaved" in data:
        return f"a function ({data['unsaved']})"
    if isinstance(data, dict) and "class" in data:
        return f"{data['class']}(...)"
    return repr(data)
