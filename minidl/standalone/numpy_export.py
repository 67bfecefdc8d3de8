"""A model as one Python file that needs NumPy only."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from numpy.typing import ArrayLike

from minidl.arguments import instance, positive_number
from minidl.io.whole_files import make_folder_of
from minidl.layers.base import Layer
from minidl.standalone.formulas import FORMULAS
from minidl.standalone.program import in_parts
from minidl.standalone.python_file import python_text
from minidl.standalone.report import ExportReport, write
from minidl.standalone.translation import program_of
from minidl.standalone.trials import Trial


def export_numpy(
    model: Layer,
    path: str | os.PathLike[str],
    *,
    x: ArrayLike | None = None,
    y: ArrayLike | None = None,
    tolerance: float = 1e-5,
) -> ExportReport:
    """Write a trained model as one Python file that needs NumPy only.

    The file is written to be read: a function of a few lines for each kind of layer, `predict(x)`,
    which calls them one after the other, and the weights, long ones in base64. `predict` takes a
    batch (N, ...) and computes in float32. Run as a program, the file compares its outputs for
    three test vectors with the model's and ends with status 0 if they are right.

    Layers: those of `export_c`, and `SimpleRNN`, `LSTM`, `GRU`, `Bidirectional` and `Embedding`.
    Lengths must be fixed, and there are no masks. A float64 model is computed in float32.

    Before it is written the file's own text is executed, and its outputs are compared with the
    model's: on the rows `x`, or on 32 random ones. It is written whole or not at all, and made of
    numbers and formulas of minidl alone: no name from the model or of the file gets into it.

    Args:
        model: A built model.
        path: The file.
        x: Rows (N, ...) to compare on, such as test data. The first become the test vectors.
        y: Their labels (N,), or one-hot rows, to measure accuracy before and after. A single output
            means 1 if it is above 0, or above 1/2 where the model ends in `Sigmoid`.
        tolerance: The largest difference of outputs allowed, as a part of the largest output (or
            of 1, if all are smaller).

    Returns:
        Sizes and differences, and accuracies if labels were given.

    Raises:
        ArgumentError: If an argument is out of range, or the model has a layer that such files
            have not; the message names it.
        ShapeError: If the model was built with an open length.
        DataError: If weights, `x` or outputs are not finite in float32, or `y` are no labels.
        ContractError: If outputs differ too much.

    Example:
        >>> import numpy as np, minidl as dl, tempfile, pathlib, runpy
        >>> model = dl.Sequential([dl.Dense(8), dl.ReLU(), dl.Dense(3), dl.Softmax()])
        >>> model, x = model.build((4,), rng=0), np.ones((2, 4), np.float32)
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     report = dl.export_numpy(model, pathlib.Path(folder, "iris.py"))
        ...     predict = runpy.run_path(str(report.path))["predict"]
        >>> np.allclose(predict(x), model(x), atol=1e-6)
        True
    """
    who, path = "export_numpy", Path(path).expanduser()
    instance(who, "model", model, Layer)
    tolerance = positive_number(who, "tolerance", tolerance)
    make_folder_of(path, who)
    program = program_of(model, who, FORMULAS)
    trial = Trial.of(who, model, program, x, y)
    text = python_text(program, trial, tolerance)
    namespace: dict[str, Any] = {"__name__": "exported"}
    exec(compile(text, path.name, "exec"), namespace)  # made of numbers and formulas of our own
    outputs = in_parts(namespace["predict"], trial.x, program.rows_at_a_time)
    difference = trial.check(outputs, tolerance)
    figures = {"largest_difference": difference, "tolerance": tolerance}
    return write(path, text, program, trial, outputs, **figures)
