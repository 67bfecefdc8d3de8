"""The loss of each sample, and their mean."""

from __future__ import annotations

import numpy as np

from minidl.explaining.blocks import Block, Code, equation, formula, said
from minidl.explaining.expressions import Number, Symbol
from minidl.explaining.formulas import Fraction, Sum, fraction, joined, row
from minidl.explaining.loss_formulas import WAYS, Sample, Way
from minidl.explaining.records import StepRecord
from minidl.explaining.rounding import Rounding
from minidl.layers.sigmoid import Sigmoid

FEW_SAMPLES = 8  # up to which each sample's loss is worked out


def loss_blocks(step: StepRecord, r: Rounding) -> list[Block]:
    """The loss of each sample and the mean."""
    blocks: list[Block] = []
    if step.prediction_symbol == Symbol("P"):
        name = "sigma" if step.loss.activation is Sigmoid else "softmax"
        scores, p = step.passes[-1].y_symbol, r.matrix(step.predictions)
        words = " takes scores and turns them into probabilities itself:"
        blocks.append(said(Code(repr(step.loss)), words))
        blocks.append(equation(Symbol("P"), [name, "(", scores, ")"], [p]))
    write = next((write for kind, write in WAYS.items() if step.loss_is(kind)), None)
    if write:
        blocks += _each_sample(step, write(step, r), r)
    else:
        of = {3: "step", 4: "pixel"}.get(step.outputs.ndim, "sample")
        if len(step.values) == len(step.outputs):
            of = "sample"
        blocks.append(said(Code(repr(step.loss)), " of ", step.output_symbol, f", of each {of}:"))
        blocks.append(equation(Symbol("ell"), [r.matrix(step.values)]))
    return [*blocks, *_mean(step, r), *_penalties(step, r)]


def _each_sample(step: StepRecord, way: Way, r: Rounding) -> list[Block]:
    blocks: list[Block] = [way.said, equation(Symbol("ell", "n"), way.letters)]
    rows = list(zip(step.target_rows, step.predictions, step.values, strict=True))
    for n, (targets, predictions, value) in enumerate(rows[:FEW_SAMPLES], 1):
        symbol, sample = Symbol("ell", str(n)), way.sample(targets, predictions)
        if _works_out(sample, value, r):
            blocks.append(formula(symbol, "=", *sample.parts, "=", r.number(value)))
        else:
            words = "A probability is too near 0 or 1 for the digits of the data type. The loss "
            blocks.append(said(words + "goes another way:"))
            blocks.append(formula(symbol, "=", r.number(value)))
    if len(rows) > FEW_SAMPLES:
        blocks.append(said("The other samples go the same way."))
    return blocks


def _works_out(sample: Sample, value: float, r: Rounding) -> bool:
    """Whether a calculator gets the loss from the probabilities as they are shown."""
    with np.errstate(all="ignore"):
        terms = [-share * np.log(float(shown.text)) for share, shown in sample.shares]
    tolerance = 10.0 ** (1 - min(r.digits, 3))
    return not terms or bool(np.isclose(sum(terms), value, rtol=tolerance, atol=0))


def _mean(step: StepRecord, r: Rounding) -> list[Block]:
    value = r.number(step.value - sum(penalty for _, _, penalty in step.penalty_values))
    if step.weight is not None:
        words = "The mean over the steps that the mask lets count:"
        return [said(words), equation(Symbol("L"), [value])]
    n, added = len(step.values), joined([[r.number(v)] for v in step.values], "+")
    return [
        said(
            "The loss of the batch is their mean, with ", row("N", "=", str(n)),
            ". Because of the ", fraction(["1"], ["N"]),
            " the loss and its gradients are as large for a thousand samples as for two, and the ",
            "learning rate need not change with the size of the batch.",
        ),
        equation(
            Symbol("L"),
            [fraction(["1"], ["N"]), Sum(Symbol("n")), Symbol("ell", "n")],
            [Fraction(row("1"), Number(str(n))), "(", *added, ")"],
            [value],
        ),
    ]  # fmt: skip


def _penalties(step: StepRecord, r: Rounding) -> list[Block]:
    blocks: list[Block] = [
        said("Added for ", p.symbol, " by ", Code(repr(penalty)), ": ", r.number(value), ".")
        for p, penalty, value in step.penalty_values
    ]
    if blocks:
        blocks.append(said("With penalties the loss is ", r.number(step.value), "."))
    return blocks
