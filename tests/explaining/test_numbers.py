"""The numbers of the page: worked out again from the page itself, and against the real step."""

import re

import numpy as np
import pytest
from explaining.calculator import formulas, numeric_sides
from explaining.cases import CASES, page_of

import minidl as dl

each_case = pytest.mark.parametrize("case", CASES, ids=str)
NUMBER = re.compile(r"\d+\.?\d*(?: \\cdot 10\^\{-?\d+\})?")


def last_values(page, start, end):
    """What each letter of a chapter is in the end."""
    chapter = page[page.index(f"## {start}") : page.index(f"## {end}")]
    values = {}
    for left, sides in formulas(chapter):
        for value in list(numeric_sides(sides))[-1:]:
            values[left] = value
    return values


@each_case
def test_a_reader_who_calculates_gets_the_same_numbers(case):
    checked = 0
    for left, sides in formulas(page_of(str(case)).markdown):
        first, *others = list(numeric_sides(sides)) or [None]
        for other in others:
            np.testing.assert_allclose(other, first, rtol=1e-8, atol=1e-9, err_msg=left)
            checked += 1
    assert checked >= 6


@each_case
def test_numbers_are_those_of_the_real_step(case):
    page = page_of(str(case)).markdown
    model, x, y, loss, optimizer = case.build()
    specs = specs_of(model)
    before = last_values(page, "Before the step", "Forward")
    names = [name for name in before if name not in ("X", "y", "Y")]

    def agree(values, chapter, arrays):
        for name, (layer, _), array in zip(names, specs, arrays, strict=True):
            if not (layer.frozen and chapter == "Update"):
                shown = values[f"d{name}" if chapter == "Backward" else name]
                np.testing.assert_allclose(shown, array, rtol=0, atol=1e-10, err_msg=name)

    agree(before, "Before", [layer._views[spec.name] for layer, spec in specs])
    output = model.forward(x, training=True)
    shown = last_values(page, "Forward", "The loss")
    assert any(np.shape(a) == output.shape and np.allclose(a, output) for a in shown.values())

    model, x, y, loss, optimizer = case.build()  # whose generators have drawn nothing
    objective = dl.Objective(model, loss)
    value, grads = objective.value_and_grad(x, y)
    specs = specs_of(model)
    gradients = [layer.gradients[spec.name].copy() for layer, spec in specs]
    for (layer, spec), gradient in zip(specs, gradients, strict=True):
        if spec.penalty is not None:  # the page has it apart from the loss's gradient
            spec.penalty.add_gradient(-layer._views[spec.name], gradient)
    agree(last_values(page, "Backward", "Update"), "Backward", gradients)
    optimizer.update(model.params, grads, decay=model.decay_mask, trainable=model.trainable_mask)
    objective.constrain()
    after = [layer._views[spec.name] for layer, spec in specs]
    agree(last_values(page, "Update", "After the step"), "Update", after)
    first, second = map(float, re.findall(r"\n([\d.]+) \\to ([\d.]+)\n", page)[0])
    assert first == pytest.approx(value, abs=1e-10)
    assert (second > first) == ("It has grown" in page)


def specs_of(model):
    return [(layer, spec) for layer in model.walk() for spec in layer.bound.plan.specs]


@each_case
def test_fewer_digits_are_the_same_numbers_rounded(case):
    short, long = (NUMBER.findall(page_of(str(case), digits).markdown) for digits in (4, 12))
    assert len(short) == len(long) > 100
    for few, many in zip(short, long, strict=True):
        mantissa, *power = few.split(r" \cdot ")
        exact, *more = many.split(r" \cdot ")
        decimals = len(mantissa.partition(".")[2])
        assert power == more
        assert abs(float(mantissa) - float(exact)) <= 0.5000001 * 10.0**-decimals


@pytest.mark.parametrize("case", CASES[::8], ids=str)
def test_float32_models_have_the_same_page(case):
    page = dl.explain_step(*case.build(np.float32)).markdown
    short, long = NUMBER.findall(page), NUMBER.findall(page_of(str(case), 4).markdown)
    assert len(short) == len(long)
    assert [float(a.split()[0]) for a in short] == pytest.approx(
        [float(a.split()[0]) for a in long], rel=1e-3, abs=2e-4
    )


def test_loss_after_the_step_is_that_of_the_new_parameters():
    model, x, y, loss, optimizer = CASES[0].build()
    page = dl.explain_step(model, x, y, loss, optimizer, digits=10).markdown
    objective = dl.Objective(model, loss)
    optimizer.update(model.params, objective.value_and_grad(x, y)[1])
    assert page.rstrip().endswith(f"\\to {objective.value(x, y):.10f}\n$$")
