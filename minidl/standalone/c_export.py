"""A model as one C header."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from minidl.arguments import instance, positive_number
from minidl.errors import ArgumentError, ContractError
from minidl.io.whole_files import make_folder_of
from minidl.layers.base import Layer
from minidl.standalone.c_file import c_text, weights_of
from minidl.standalone.c_functions import C_FUNCTIONS
from minidl.standalone.c_numbers import arrays_in
from minidl.standalone.c_prediction import Prediction
from minidl.standalone.compiled import run_self_test
from minidl.standalone.program import Program
from minidl.standalone.quantization import quantized
from minidl.standalone.report import ExportReport, write
from minidl.standalone.translation import program_of
from minidl.standalone.trials import Trial

TOLERANCES = {"float32": 1e-5, "int8": 0.1}


def export_c(
    model: Layer,
    path: str | os.PathLike[str],
    *,
    weights: Literal["float32", "int8"] = "float32",
    name: str | None = None,
    x: ArrayLike | None = None,
    y: ArrayLike | None = None,
    tolerance: float | None = None,
    compiler: str | None = "cc",
) -> ExportReport:
    r"""Write a trained model as one C99 header, for programs without Python.

    The header has the weights as static arrays, the functions of the model's layers, and

    - `digits_predict(x, y)`, which writes the `DIGITS_OUTPUTS` outputs for the `DIGITS_INPUTS`
      inputs at x to y, all float, one sample at a time, in row-major order: images are height x
      width x channels. `digits_predict_in(x, y, work)` is the same with a workspace of
      `DIGITS_WORKSPACE` floats that the caller gives; otherwise it lies on the stack, which ends
      at 1 to 8 MB on most systems and at a few KB on a microcontroller.
    - `digits_self_test()`, which compares outputs for three test vectors with those expected and
      returns how many are wrong: 0 on a machine where all is well. It runs in one thread.

    Everything is `static`, nothing is allocated, nothing is kept between calls, and of C's library
    it uses `math.h` alone (and the type `int8_t` of `stdint.h`). It compiles as C99 and C++ without
    warnings; an `int` must have 32 bits where arrays have more than 32,767 elements. Predictions
    may run in several threads at once.

    Layers: `Dense`, `Conv1D`, `Conv2D`, all activations, `Softmax`, `LogSoftmax`, `BatchNorm`,
    `LayerNorm`, `RMSNorm`, `Standardize`, `MaxPool1D`, `MaxPool2D`, `AveragePool2D`, the global
    pools, `UpSampling2D`, `Flatten`, `Reshape`, `Sequential`, `Residual` and `Parallel`. Dropout
    and noise, which do nothing in inference, are left out, and a `BatchNorm` directly behind a
    dense layer or convolution becomes part of its weights. A float64 model is computed in float32.

    **int8.** With `weights="int8"` the weights of dense layers and convolutions take a byte each:
    $W_{if} \approx s_f Q_{if}$ with $s_f = \max_i |W_{if}| / 127$ for each output f. Sums are
    $s_f \sum_i x_i Q_{if} + b_f$ in float32, and activations and biases stay float32. How much
    accuracy that costs depends on the network: give `x` and `y` to measure it.

    **The check.** Before anything is written the weights are read back from the text, and the
    outputs that they give are computed in NumPy by the same formulas in float32, and compared with
    the model's: on the rows `x`, or on 32 random ones. Where a C compiler is found, the header is
    compiled in a temporary folder and its self-test run as well. With int8 the self-test expects
    what int8 weights give, to 1e-5. A file is written whole or not at all.

    Args:
        model: A built model.
        path: The file; the names in it begin with its stem.
        weights: "float32" or "int8".
        name: What names begin with instead.
        x: Rows (N, ...) to compare on, such as test data. The first become the test vectors.
        y: Their labels (N,), or one-hot rows, to measure accuracy before and after. A single output
            means 1 if it is above 0, or above 1/2 where the model ends in `Sigmoid`.
        tolerance: The largest difference of outputs allowed, as a part of the largest output (or
            of 1, if all are smaller): by default 1e-5 for float32 and 0.1 for int8.
        compiler: The command of the C compiler; None for no compilation. Where there is no `cc`,
            the default, nothing is compiled; another one has to be there.

    Returns:
        Sizes and differences, and accuracies if labels were given.

    Raises:
        ArgumentError: If an argument is out of range, or the model has a layer that C files have
            not; the message names it.
        DataError: If weights, `x` or outputs are not finite in float32, or `y` are no labels.
        ContractError: If outputs differ too much, or the header does not compile.

    Example:
        >>> import numpy as np, minidl as dl, tempfile, pathlib
        >>> model = dl.Sequential([dl.Dense(8), dl.ReLU(), dl.Dense(3), dl.Softmax()])
        >>> model = model.build((4,), rng=0)
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     report = dl.export_c(model, pathlib.Path(folder, "iris.h"), compiler=None)
        ...     "iris_predict(const float *x, float *y)" in report.path.read_text()
        True
        >>> report.weight_bytes, report.workspace_bytes, report.largest_difference < 1e-5
        (268, 32, True)

    References:
        B. Jacob and others, Quantization and training of neural networks for efficient
        integer-arithmetic-only inference, CVPR 2018.
    """
    who = "export_c"
    instance(who, "model", model, Layer)
    if weights not in tuple(TOLERANCES):
        raise ArgumentError(f'{who}: weights must be "float32" or "int8", got {weights!r}.')
    if tolerance is None:
        tolerance = TOLERANCES[weights]
    tolerance = positive_number(who, "tolerance", tolerance)
    path = Path(path).expanduser()
    name = _identifier(path.stem if name is None else name)
    make_folder_of(path, who)
    program = program_of(model, who, C_FUNCTIONS)
    trial = Trial.of(who, model, program, x, y)
    if weights == "int8":
        program = quantized(program)
    outputs = program.run(trial.x)
    difference = trial.check(outputs, tolerance)
    workspace = 4 * Prediction(program).workspace
    summary = _summary(program, weights, workspace, tolerance, difference)
    if weights == "int8":  # the C has to come as near to these outputs as float32 comes
        in_c = outputs, TOLERANCES["float32"] * trial.scale
    else:
        in_c = trial.expected, tolerance * trial.scale
    text = c_text(name, program, summary, trial, *in_c)
    _check_numbers(text, name, program)
    compiled = run_self_test(text, name, compiler)
    figures = {"largest_difference": difference, "tolerance": tolerance, "compiled": compiled}
    return write(path, text, program, trial, outputs, workspace_bytes=workspace, **figures)


def _identifier(name: object) -> str:
    if not isinstance(name, str) or not re.fullmatch(r"[A-Za-z][A-Za-z0-9_]*", name):
        raise ArgumentError(
            f"export_c: names in the file begin with its own name, and {name!r} cannot begin a "
            'name in C. Call the file something like "digits.h", or give name="digits".'
        )
    return name


def _summary(
    program: Program, weights: str, workspace: int, tolerance: float, difference: float
) -> list[str]:
    sizes = [program.size(value) for value in (0, program.result)]
    shapes = [" x ".join(map(str, program.shape(value))) for value in (0, program.result)]
    return [
        f"input   {sizes[0]} numbers ({shapes[0]}), the last axis innermost",
        f"output  {sizes[1]} numbers ({shapes[1]})",
        f"weights {program.weight_bytes} bytes ({weights})",
        f"memory  {workspace} bytes, on the stack of @predict",
        "checked when written: outputs differ from the model's by at most",
        f"        {difference:.2g} of the largest output (tolerance {tolerance:g})",
    ]


def _check_numbers(text: str, name: str, program: Program) -> None:
    """Raise unless the weights, read back from the text, are what the outputs came from."""
    found = arrays_in(text)
    for key, values in weights_of(program).items():
        array = key.replace("@", f"{name}_")
        if array not in found or not np.array_equal(found[array], values.ravel()):
            raise ContractError(f"export_c: {array} is not read back as it was written.")
