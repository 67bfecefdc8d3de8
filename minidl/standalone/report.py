"""What an export was found to be: sizes, differences, accuracy."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from minidl.io.whole_files import replacing
from minidl.standalone.program import Program
from minidl.standalone.trials import Trial
from minidl.typing import Array


@dataclass(frozen=True)
class ExportReport:
    """Figures of a file that `export_c` or `export_numpy` wrote.

    Attributes:
        path: The file.
        file_bytes: Its size.
        weight_bytes: Bytes of all weights in the running program.
        workspace_bytes: Bytes that a prediction needs for values in between; of C only.
        rows: How many rows were compared.
        largest_difference: The largest difference between an output and the model's, divided by
            the largest output, or by 1 if that is smaller.
        tolerance: What it was not allowed to exceed.
        compiled: Whether the C compiler was found and the compiled self-test passed.
        model_accuracy: Fraction of the given rows that the model predicts right, if labels were
            given.
        accuracy: The same of what was written.

    Example:
        >>> import numpy as np, minidl as dl, tempfile, pathlib
        >>> model = dl.Sequential([dl.Dense(3), dl.Softmax()]).build((4,), rng=0)
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     report = dl.export_c(model, pathlib.Path(folder, "iris.h"), compiler=None)
        >>> report.weight_bytes, report.compiled
        (60, False)
    """

    path: Path
    file_bytes: int
    weight_bytes: int
    rows: int
    largest_difference: float
    tolerance: float
    workspace_bytes: int | None = None
    compiled: bool = False
    model_accuracy: float | None = None
    accuracy: float | None = None


def write(
    path: Path, text: str, program: Program, trial: Trial, outputs: Array, **figures: Any
) -> ExportReport:
    """Write a file that has been checked, and say what is known of it."""
    data = text.encode()
    with replacing(path) as target:
        target.write(data)
    return ExportReport(
        path=path,
        file_bytes=len(data),
        weight_bytes=program.weight_bytes,
        rows=len(trial.x),
        model_accuracy=trial.accuracy(trial.expected),
        accuracy=trial.accuracy(outputs),
        **figures,
    )
