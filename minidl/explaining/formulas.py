"""Formulas put together of parts: rows, fractions, powers, sums."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from minidl.explaining.expressions import Expression, Name, Number, Sign, Symbol

Parts = Sequence[Expression | str]

TERMS = 8  # of a sum, up to which all of it is shown
OPERATORS = (Sign("+"), Sign("-"), Sign("·"), Sign("⊙"))
NAMES = ("softmax", "tanh", "max", "min", "ln", "mean")
SIGNS = ("=", "+", "-", "·", "⊙", "←", "→", "⋯", "(", ")", "[", "]", ",", ">", "≤")
TALL = {"(": r"\left(", ")": r"\right)", "[": r"\left[", "]": r"\right]"}


@dataclass(frozen=True)
class Row(Expression):
    """Parts next to each other."""

    parts: tuple[Expression, ...]

    @property
    def latex(self) -> str:
        tall = any(part.tall for part in self.parts)
        texts = [part.latex for part in self.parts]
        return " ".join(TALL.get(text, text) if tall else text for text in texts)

    @property
    def mathml(self) -> str:
        return f"<mrow>{''.join(part.mathml for part in self.parts)}</mrow>"


class Composed(Expression):
    """Parts in the places that a command of LaTeX and an element of MathML have for them."""

    in_latex: ClassVar[str]
    in_mathml: ClassVar[str]

    @property
    def latex(self) -> str:
        return self.in_latex.format(*(f"{{{part.latex}}}" for part in vars(self).values()))

    @property
    def mathml(self) -> str:
        return self.in_mathml.format(*(part.mathml for part in vars(self).values()))


@dataclass(frozen=True)
class Fraction(Composed):
    """One part over another."""

    top: Expression
    bottom: Expression
    tall = True
    in_latex, in_mathml = r"\frac{}{}", "<mfrac>{}{}</mfrac>"


@dataclass(frozen=True)
class Root(Composed):
    """A square root."""

    inside: Expression
    in_latex, in_mathml = r"\sqrt{}", "<msqrt>{}</msqrt>"


@dataclass(frozen=True)
class Power(Composed):
    """Something with a smaller one above it."""

    base: Expression
    exponent: Expression
    in_latex, in_mathml = "{}^{}", "<msup>{}{}</msup>"


@dataclass(frozen=True)
class Indexed(Composed):
    """Something with a smaller one below it."""

    base: Expression
    index: Expression
    in_latex, in_mathml = "{}_{}", "<msub>{}{}</msub>"


@dataclass(frozen=True)
class Sum(Composed):
    """A sum over an index."""

    index: Expression
    in_latex, in_mathml = r"\sum_{}", "<munder><mo>∑</mo>{}</munder>"


def row(*parts: Expression | str) -> Row:
    """Parts next to each other; texts are signs, numbers, names of functions, or letters.

    A negative number behind an operator is put into brackets, and so is a power of ten behind ln.
    """
    made: list[Expression] = []
    for part in map(_part, parts):
        text, before = part.text if isinstance(part, Number) else "", made[-1:]
        if (text.startswith("-") and before and before[0] in OPERATORS) or (
            "e" in text and before == [Name("ln")]
        ):
            made += [Sign("("), part, Sign(")")]
        else:
            made.append(part)
    return Row(tuple(made))


def power(base: Expression | str, exponent: Expression) -> Power:
    """A power, of which a base that is negative or has a power of ten stands in brackets."""
    if isinstance(base, Number) and (base.text.startswith("-") or "e" in base.text):
        base = row("(", base, ")")
    return Power(_part(base), exponent)


def transposed(a: Expression) -> Power:
    """The transpose of a matrix."""
    return Power(a, Sign("transpose"))


def fraction(top: Parts, bottom: Parts) -> Fraction:
    """A fraction of rows."""
    return Fraction(row(*top), row(*bottom))


def joined(terms: Sequence[Parts], sign: str) -> list[Expression | str]:
    """The parts of terms with a sign between them; of many terms only the first and the last."""
    if len(terms) > TERMS:
        terms = [*terms[: TERMS - 2], ["⋯"], terms[-1]]
    return [part for i, term in enumerate(terms) for part in ([sign, *term] if i else term)]


def _part(part: Expression | str) -> Expression:
    if not isinstance(part, str):
        return part
    if part in SIGNS:
        return Sign(part)
    if part[0].isdigit():
        return Number(part)
    return Name(part) if part in NAMES else Symbol(part)
