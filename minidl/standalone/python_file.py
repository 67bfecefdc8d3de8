"""A program as one Python file."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterator

import numpy as np

from minidl.standalone.formulas import FORMULAS
from minidl.standalone.program import Program
from minidl.standalone.python_numbers import assignment
from minidl.standalone.trials import TEST_VECTORS, Trial

HEAD = '''\
"""A neural network, written by minidl: predict(x) for x of shape (N, {input}).

It needs NumPy only. `python` on this file compares the outputs for its test vectors with those of
the model that it was written from. Functions come first, then predict, then the numbers.
"""

from __future__ import annotations

import base64
{math}import sys
{callable}
import numpy as np

Array = np.ndarray
INPUT_SHAPE, OUTPUT_SHAPE, TOLERANCE = {input_shape}, {output_shape}, {tolerance}
'''

PREDICT = '''
def predict(x: Array) -> Array:
    """Return the outputs (N, {output}) for a batch x (N, {input})."""
    x = np.asarray(x{dtype})
    if x.shape[1:] != INPUT_SHAPE:
        raise ValueError(f"expected x of shape (N, *{{INPUT_SHAPE}}), got {{x.shape}}")
{calls}
    return {result}


def self_test() -> float:
    """Return the largest difference between outputs for the test vectors and those expected."""
    return float(np.abs(predict(TEST_INPUTS) - TEST_OUTPUTS).max())


def numbers(dtype: str, shape: tuple[int, ...], text: str) -> Array:
    """Decode an array from base64."""
    return np.frombuffer(base64.b64decode(text), dtype).reshape(shape)

'''

MAIN = """
if __name__ == "__main__":
    difference = self_test()
    print(f"self-test: largest difference {difference:.3g}, tolerance {TOLERANCE:.3g}")
    sys.exit(not difference <= TOLERANCE)
"""


def python_text(program: Program, trial: Trial, tolerance: float) -> str:
    """The whole file: formulas, predict, self-test, then the numbers."""
    shapes = {"input": program.input_shape, "output": program.shape(program.result)}
    lengths = {key: ", ".join(map(str, shape)) for key, shape in shapes.items()}
    formulas = _formulas(program)
    head = HEAD.format(
        **lengths,
        input_shape=shapes["input"],
        output_shape=shapes["output"],
        tolerance=f"{tolerance * trial.scale:.3g}",
        math="import math\n" if any("math." in text for text in formulas) else "",
        callable="from collections.abc import Callable\n"
        if any("Callable" in text for text in formulas)
        else "",
    )
    calls = [f"    {_call(program, index)}" for index in range(len(program.steps))]
    predict = PREDICT.format(
        **lengths,
        dtype="" if program.takes_indices else ", np.float32",
        calls="\n".join(calls),
        result=_name(program.result),
    )
    return "\n".join([head, *formulas, predict, *_numbers(program, trial), MAIN])


def _formulas(program: Program) -> list[str]:
    """The source of the formulas that a program needs, each behind those that it calls itself."""
    sources: dict[str, str] = {}

    def need(name: str) -> None:
        source = inspect.getsource(FORMULAS[name])
        names = {node.id for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Name)}
        for other in sorted(names & FORMULAS.keys()):
            need(other)
        sources[name] = f"\n{source}"

    for step in program.steps:
        need(step.function)
    return list(sources.values())


def _name(value: int) -> str:
    return f"h{value}" if value else "x"


def _call(program: Program, index: int) -> str:
    step = program.steps[index]
    inputs = [_name(value) for value in step.inputs]
    arrays = [f"{name}_{index + 1}" for name in step.arrays]
    numbers = [f"{name}={value!r}" for name, value in step.numbers.items()]
    arguments = ", ".join([*inputs, *arrays, *numbers])
    shape = ", ".join(map(str, step.shape))
    return f"{_name(index + 1)} = {step.function}({arguments})  # {step.layer}: (N, {shape})"


def _numbers(program: Program, trial: Trial) -> Iterator[str]:
    for index, step in enumerate(program.steps, 1):
        for name, values in step.arrays.items():
            yield assignment(f"{name}_{index}", values)
    n = min(TEST_VECTORS, len(trial.x))
    yield assignment("TEST_INPUTS", trial.x[:n])
    yield assignment("TEST_OUTPUTS", trial.expected[:n].astype(np.float32))
