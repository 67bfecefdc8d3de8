"""The file of a checkpoint, and the one before it, which is there if the last is damaged."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from minidl.errors import ArgumentError, DataError
from minidl.io.model_file import contents_of
from minidl.io.tensor_file import TensorFile, reading, write
from minidl.io.whole_files import followed, previous_of, remove_unfinished
from minidl.training.resuming.saving import run_state
from minidl.training.user_warning import warn_user

if TYPE_CHECKING:
    from minidl.training.trainer import Trainer

Content = TypeVar("Content")
LAST = "last.safetensors"  # in the folder of a `Checkpoint`
MOST_TEXT = 2**19  # that will be read again, whatever it says


def write_checkpoint(trainer: Trainer, path: str | os.PathLike[str]) -> None:
    """Write a trainer's run; `Trainer.save_checkpoint` says more."""
    arrays, run = run_state(trainer)
    tensors, metadata = contents_of(trainer.model)
    file = followed(Path(path).expanduser())
    remove_unfinished(file)
    metadata["training"] = text = json.dumps(run, allow_nan=False)
    if len(text) > MOST_TEXT:
        raise ArgumentError(
            f"save_checkpoint: all that is no array has {len(text):,} characters, expected at most "
            f"{MOST_TEXT:,}. Let state_dict of your callbacks give long lists as arrays."
        )
    is_good = file.resolve() != trainer._damaged
    write(file, {**tensors, **arrays}, metadata, keep_previous=is_good)
    trainer._damaged = trainer._damaged if is_good else None


def read_last_good(
    path: str | os.PathLike[str], read: Callable[[TensorFile], Content]
) -> tuple[Content, Path | None]:
    """Return what is read from a checkpoint, or from the one before it with the damaged one's path.

    Args:
        path: The file, or the folder of a `Checkpoint`.
        read: Makes something of the open file, or raises DataError.
    """
    last = Path(path).expanduser()
    last = followed(last / LAST if last.is_dir() else last)
    previous = previous_of(last)
    try:
        return _read_intact(last, read), None
    except (DataError, FileNotFoundError) as error:
        problem = error
    try:
        found = _read_intact(previous, read)
    except FileNotFoundError:
        raise problem from None
    except DataError as error:
        problem.add_note(f"The checkpoint before it is no better: {error}")
        raise problem from None
    why = f"{last} is missing." if isinstance(problem, FileNotFoundError) else str(problem)
    warn_user(
        f"from_checkpoint: {why} The run goes on from the checkpoint before it, {previous}: what "
        "came after that one is lost, and done again."
    )
    return found, last.resolve()


def _read_intact(path: Path, read: Callable[[TensorFile], Content]) -> Content:
    """Return what is read from a file that is, bit for bit, what was written: an exact run."""
    with reading(path) as file:
        file.check_content(required=True)
        return read(file)
