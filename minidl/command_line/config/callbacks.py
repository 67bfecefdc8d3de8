"""The callbacks of a run: those of the file, and those that its outputs need."""

from __future__ import annotations

from collections.abc import Sequence

from minidl.command_line.config.nearest import nearest
from minidl.command_line.config.node import Node
from minidl.command_line.config.objects import made
from minidl.command_line.config.sections import OutputSection
from minidl.training import Callback, Checkpoint, CSVLog, ProgressBar


def callbacks_of(
    given: Sequence[Node], output: OutputSection, metrics: Sequence[str], validated: bool
) -> list[Callback]:
    """All callbacks; those of the file come last, so that they have the last word.

    Args:
        given: The elements of `[[callbacks]]`.
        output: The files that callbacks write.
        metrics: Names of the metrics.
        validated: Whether rows are held out.
    """
    callbacks: list[Callback] = []
    if output.history is not None:
        callbacks.append(CSVLog(output.history))
    if output.checkpoint is not None:
        callbacks.append(Checkpoint(output.checkpoint, "val_loss" if validated else "loss"))
    names = ["loss", *metrics]
    names += [f"val_{name}" for name in names] if validated else []
    for node in given:
        callback = made(node, Callback)
        _check_monitor(node, getattr(callback, "monitor", "loss"), names, validated)
        callbacks.append(callback)
    if not any(isinstance(callback, ProgressBar) for callback in callbacks):
        callbacks.append(ProgressBar())
    return callbacks


def _check_monitor(node: Node, monitor: str, names: Sequence[str], validated: bool) -> None:
    """Raise now, not when the data have been read, if a callback watches what is not there."""
    if monitor in names:
        return
    fix = "" if validated else " val_... comes with rows held out: data.validation_split = 0.1."
    place = node.table().get("monitor", node) if isinstance(node.value, dict) else node
    place.fail(f"{monitor!r} is not measured.{nearest(monitor, names)}{fix}")
