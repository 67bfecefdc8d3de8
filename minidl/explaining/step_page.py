"""The page of a training step, from the parameters before it to the loss after it."""

from __future__ import annotations

from minidl.explaining.blocks import Block, Code, Heading, equations, formula, said
from minidl.explaining.expressions import Symbol
from minidl.explaining.formulas import row
from minidl.explaining.layer_sections import backward_blocks, forward_blocks
from minidl.explaining.loss_gradient import loss_gradient_blocks
from minidl.explaining.loss_section import loss_blocks
from minidl.explaining.records import LayerPass, StepRecord
from minidl.explaining.rounding import Rounding
from minidl.explaining.update_section import update_blocks
from minidl.losses.cross_entropy import CrossEntropy


def page_blocks(step: StepRecord, r: Rounding) -> list[Block]:
    """All parts of the page."""
    return [
        *_reading(step),
        Heading(2, ("Before the step",)),
        *_data(step, r),
        *_parameters(step, r),
        Heading(2, ("Forward",)),
        *(block for p in step.passes for block in [_title(p, "Layer"), *forward_blocks(p, r)]),
        Heading(2, ("The loss",)),
        *loss_blocks(step, r),
        Heading(2, ("Backward",)),
        Heading(3, ("From the loss",)),
        *loss_gradient_blocks(step, r),
        *_backward(step, r),
        Heading(2, ("Update",)),
        *update_blocks(step, r),
        Heading(2, ("After the step",)),
        *_after(step, r),
    ]


def _reading(step: StepRecord) -> list[Block]:
    n, w = len(step.outputs), Symbol("W", "1")
    count = "one sample" if n == 1 else f"{n} samples"
    blocks: list[Block] = [
        said(
            f"Samples are rows: this batch has {count}. The shape of an array stands under it. ",
            w.d, " is the derivative of the loss by ", w, " and has its shape; ", row("⊙"),
            " multiplies entry by entry.",
        ),
        said(
            "The numbers are the model's own, rounded. The computation goes on with all digits, "
            "so what is worked out from rounded numbers may differ in the last one."
        ),
    ]  # fmt: skip
    if any(p.y_symbol.primes for p in step.passes):
        words = "A letter with a prime is a new array, which a layer has made of the one without "
        blocks.append(said(words + "it."))
    if any(a.ndim > 2 for p in step.passes for a in (p.x, *(q.before for q in p.parameters))):
        words = "An array of more than two axes is written with one row for each place on the "
        blocks.append(said(words + "first."))
    return blocks


def _data(step: StepRecord, r: Rounding) -> list[Block]:
    first = step.passes[0]
    samples = first.x_symbol, r.matrix(first.x)
    targets = Symbol("Y"), r.matrix(step.target_rows)
    if not step.loss_is(CrossEntropy) or step.target.ndim > 1:
        return [said("The samples and their targets:"), equations(samples, targets)]
    words = "The samples, their labels (classes are counted from 0), and the labels as rows"
    words += " with a 1 in the place of the class:" if step.has_one_class_a_row else ", smoothed:"
    return [said(words), equations(samples, (Symbol("y"), r.matrix(step.target)), targets)]


def _parameters(step: StepRecord, r: Rounding) -> list[Block]:
    blocks: list[Block] = []
    for p in step.passes:
        if p.parameters:
            blocks.append(said(f"The parameters of layer {p.label}, ", _name(p), ":"))
            blocks.append(equations(*((q.symbol, r.matrix(q.before)) for q in p.parameters)))
    return blocks


def _backward(step: StepRecord, r: Rounding) -> list[Block]:
    blocks: list[Block] = []
    for p in reversed(step.passes[:-1] if step.fused else step.passes):
        if p.dy.size:
            blocks += [_title(p, "Back through layer"), *backward_blocks(p, r)]
    return blocks


def _after(step: StepRecord, r: Rounding) -> list[Block]:
    draws = any(inner._rng is not None for p in step.passes for inner in p.layer.walk())
    same = ", with the same draws," if draws else ""
    blocks: list[Block] = [
        said(f"The same samples{same} through the new parameters: the loss before and after."),
        formula(r.number(step.value), "→", r.number(step.value_after)),
    ]
    if step.value_after > step.value:
        blocks.append(said("It has grown: a smaller learning rate makes a shorter step."))
    return blocks


def _title(p: LayerPass, what: str) -> Heading:
    return Heading(3, (f"{what} {p.label}: ", _name(p)))


def _name(p: LayerPass) -> Code:
    text = " ".join(repr(p.layer).split())
    return Code(text if len(text) <= 60 else f"{type(p.layer).__name__}(...)")
