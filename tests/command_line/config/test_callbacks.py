"""Which callbacks a run has, and in which order."""

from pathlib import Path

import pytest

import minidl as dl
from minidl.command_line.config.callbacks import callbacks_of
from minidl.command_line.config.node import Node
from minidl.command_line.config.sections import OutputSection


def output(tmp_path, *names):
    return OutputSection(Path("m"), *(tmp_path / name if name else None for name in names))


@pytest.mark.parametrize(("validated", "monitor"), [(True, "val_loss"), (False, "loss")])
def test_the_best_checkpoint_is_that_of_rows_held_out(tmp_path, validated, monitor):
    log, checkpoint, bar = callbacks_of([], output(tmp_path, "h", "", "run"), [], validated)
    assert (checkpoint.folder, checkpoint.monitor) == (tmp_path / "run", monitor)
    assert log.path == tmp_path / "h"
    assert isinstance(bar, dl.ProgressBar)


def test_those_of_the_file_come_last_and_a_bar_only_once(tmp_path):
    node = Node([{"type": "ProgressBar", "enabled": False}, "StopOnNaN"], (), tmp_path, {})
    found = callbacks_of(node.items(), output(tmp_path, "h", "", ""), [], False)
    assert [type(each).__name__ for each in found] == ["CSVLog", "ProgressBar", "StopOnNaN"]
    assert found[1].enabled is False
