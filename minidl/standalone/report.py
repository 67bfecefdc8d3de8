"""What an export was found to be: sizes, differences, accuracy."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


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
