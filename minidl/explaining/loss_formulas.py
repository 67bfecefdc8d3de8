"""The formulas of losses, in letters and worked out for a sample."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from minidl.explaining.blocks import Block, said
from minidl.explaining.dense import of_row
from minidl.explaining.expressions import Expression, Number, Symbol
from minidl.explaining.formulas import Fraction, Parts, Sum, joined, power, row
from minidl.explaining.records import StepRecord
from minidl.explaining.rounding import Rounding
from minidl.losses.base import Loss
from minidl.losses.binary_cross_entropy import BinaryCrossEntropy
from minidl.losses.cross_entropy import CrossEntropy
from minidl.losses.mean_squared_error import MeanSquaredError
from minidl.typing import Array


@dataclass(frozen=True)
class Sample:
    """A loss worked out, with the probabilities in it and how much the logarithm of each counts."""

    parts: Parts
    shares: list[tuple[float, Number]]


@dataclass(frozen=True)
class Way:
    """How a loss is written: in words, in letters, and for the targets and predictions of a row."""

    said: Block
    letters: Parts
    sample: Callable[[Array, Array], Sample]


def _cross_entropy(step: StepRecord, r: Rounding) -> Way:
    a, y = step.prediction_symbol, Symbol("Y")
    words: tuple[str | Expression, ...] = (
        "Minus the logarithm of the probability that each sample's true class was given, which is "
        "the entry of ", a, " under the 1 of ", y, ":"
    )  # fmt: skip
    if not step.has_one_class_a_row:
        words = ("Minus the logarithms of ", a, " weighted by ", y, ":")

    def sample(targets: Array, predictions: Array) -> Sample:
        true = [
            (float(y), r.probability(p)) for y, p in zip(targets, predictions, strict=True) if y
        ]
        terms: list[Parts] = [["ln", p] if y == 1 else [r.number(y), "·", "ln", p] for y, p in true]
        parts = joined(terms, "+")
        return Sample(["-", *(parts if len(terms) == 1 else ["(", *parts, ")"])], true)

    letters: Parts = ["-", Sum(Symbol("c")), of_row(y, "nc"), "ln", of_row(a, "nc")]
    return Way(said(*words), letters, sample)


def _binary_cross_entropy(step: StepRecord, r: Rounding) -> Way:
    def term(a: Expression, y: Expression) -> Parts:
        return [y, "·", "ln", a, "+", "(", "1", "-", y, ")", "·", "ln", "(", "1", "-", a, ")"]

    def sample(targets: Array, predictions: Array) -> Sample:
        shown = [r.probability(p) for p in predictions]
        both = list(zip(map(float, targets), shown, strict=True))
        terms = [term(p, r.number(y)) for y, p in both]
        shares = both + [(1 - y, Number(str(1 - float(p.text)))) for y, p in both]
        parts = ["-", *share, "[", *joined(terms, "+"), "]"]
        return Sample(parts, [(y / len(targets), p) for y, p in shares])

    share, total, a, y = _over_outputs(step)
    words = said("Each entry is a question of its own:")
    return Way(words, ["-", *share, total, "[", *term(a, y), "]"], sample)


def _mean_squared_error(step: StepRecord, r: Rounding) -> Way:
    def term(a: Expression, y: Expression) -> Expression:
        return power(row("(", a, "-", y, ")"), row("2"))

    def sample(targets: Array, predictions: Array) -> Sample:
        both = zip(predictions, targets, strict=True)
        parts = joined([[term(r.number(p), r.number(y))] for p, y in both], "+")
        bracketed = ["[", *parts, "]"] if share and len(parts) > 1 else parts
        return Sample([*share, *bracketed], [])

    share, total, a, y = _over_outputs(step)
    words = said("Each output counts by its squared error:")
    return Way(words, [*share, total, term(a, y)], sample)


WAYS: dict[type[Loss], Callable[[StepRecord, Rounding], Way]] = {
    CrossEntropy: _cross_entropy,
    BinaryCrossEntropy: _binary_cross_entropy,
    MeanSquaredError: _mean_squared_error,
}


def _over_outputs(step: StepRecord) -> tuple[list[Expression], Sum, Symbol, Symbol]:
    """What a mean over M outputs begins with, and the letters of one of them."""
    m = step.outputs.shape[1]
    share: list[Expression] = [] if m == 1 else [Fraction(row("1"), Number(str(m)))]
    return share, Sum(Symbol("m")), of_row(step.prediction_symbol, "nm"), of_row(Symbol("Y"), "nm")
