"""The gradient that backward begins with."""

from __future__ import annotations

from minidl.explaining.blocks import Block, Code, equation, first_entry, said
from minidl.explaining.expressions import Expression
from minidl.explaining.formulas import Parts, fraction, row
from minidl.explaining.records import StepRecord
from minidl.explaining.rounding import Rounding
from minidl.losses.binary_cross_entropy import BinaryCrossEntropy
from minidl.losses.cross_entropy import CrossEntropy
from minidl.losses.mean_squared_error import MeanSquaredError


def loss_gradient_blocks(step: StepRecord, r: Rounding) -> list[Block]:
    """How the loss changes with what it was measured by."""
    n, m = str(len(step.outputs)), str(step.outputs.shape[-1])
    outputs = row("M", "=", m)
    by_outputs = [n] if m == "1" else [n, "·", m]
    if step.loss_is(CrossEntropy) and step.loss.from_logits:
        words: tuple[str | Expression, ...] = (
            "Softmax and cross-entropy are differentiated together. The logarithm undoes the "
            "exponential, and what is left for each score is probability minus truth; the mean "
            "puts ", fraction(["1"], ["N"]), " before it:",
        )  # fmt: skip
        return [said(*words), *_difference(step, r, "1", ["N"], [n])]
    if step.loss_is(BinaryCrossEntropy) and step.loss.from_logits:
        words = (
            "Sigmoid and binary cross-entropy are differentiated together, and what is left for "
            "each score is probability minus truth; the mean over samples and outputs, with ",
            outputs, ", puts ", fraction(["1"], ["N", "M"]), " before it:",
        )  # fmt: skip
        return [said(*words), *_difference(step, r, "1", ["N", "M"], by_outputs)]
    if step.loss_is(MeanSquaredError):
        words = (
            "The derivative of a square is twice what is squared; the mean over samples and "
            "outputs, with ",
            outputs,
            ", is in the factor before it:",
        )
        return [said(*words), *_difference(step, r, "2", ["N", "M"], by_outputs)]
    words = (", with ", fraction(["1"], ["N"]), " in it:")
    if step.weight is not None:
        words = (", as a mean over the steps that the mask lets count:",)
    return [
        said("From ", Code(repr(step.loss)), *words),
        equation(step.output_symbol.d, [r.matrix(step.d_outputs)]),
    ]


def _difference(step: StepRecord, r: Rounding, top: str, n: Parts, numbers: Parts) -> list[Block]:
    """A factor times predictions less targets, and the first entry of that."""
    letters, factor = fraction([top], n), fraction([top], numbers)
    a, y, result = map(r.matrix, (step.predictions, step.target_rows, step.d_outputs))
    return [
        equation(
            step.output_symbol.d,
            [letters, "(", step.prediction_symbol, "-", "Y", ")"],
            [factor, "(", a, "-", y, ")"],
            [result],
        ),
        *first_entry(factor, "(", a, "-", y, ")", "=", result),
    ]
