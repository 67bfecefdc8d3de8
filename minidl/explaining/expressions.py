"""Parts of formulas; each can be written in LaTeX and in MathML, which needs no script."""

from __future__ import annotations

import re
import unicodedata
from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from html import escape
from typing import ClassVar

MINUS, PRIME = "\N{MINUS SIGN}", "\N{PRIME}"
GREEK = {
    name: (rf"\{name}", unicodedata.lookup(f"GREEK SMALL LETTER {name.upper()}"))
    for name in ("alpha", "beta", "gamma", "eta", "mu", "sigma")
} | {
    "epsilon": (r"\varepsilon", "\N{GREEK SMALL LETTER EPSILON}"),
    "lambda": (r"\lambda", "\N{GREEK SMALL LETTER LAMDA}"),
    "ell": (r"\ell", "\N{SCRIPT SMALL L}"),
}
IN_LATEX = {
    "·": r"\cdot", "⊙": r"\odot", "←": r"\leftarrow", "→": r"\to", "⋯": r"\cdots", "⋮": r"\vdots",
    "≤": r"\le", "transpose": r"\top", ",": r",\;",
}  # fmt: skip
IN_MATHML = {"-": MINUS, "transpose": "\N{DOWN TACK}"}


class Expression(ABC):
    """A formula, or a part of one."""

    tall: ClassVar[bool] = False  # so that brackets around it grow

    @property
    @abstractmethod
    def latex(self) -> str:
        """As far as KaTeX and MathJax know it."""

    @property
    @abstractmethod
    def mathml(self) -> str:
        """As elements within `math`."""

    @property
    def markdown(self) -> str:
        """Within a sentence."""
        return f"${self.latex}$"

    @property
    def html(self) -> str:
        """Within a sentence."""
        return f'<math xmlns="http://www.w3.org/1998/Math/MathML">{self.mathml}</math>'


@dataclass(frozen=True)
class Symbol(Expression):
    r"""A letter, such as $dW_1'$: what it counts as, a number below, primes, a d before it."""

    letter: str
    index: str = ""
    primes: int = 0
    derivative: bool = False

    @property
    def d(self) -> Symbol:
        """The derivative of the loss by it."""
        return replace(self, derivative=True)

    @property
    def latex(self) -> str:
        escaped = re.sub(r"([_%&#$])", r"\\\1", self.letter)
        word = self.letter if len(self.letter) == 1 else rf"\text{{{escaped}}}"
        letter, _ = GREEK.get(self.letter, (word, ""))
        index = f"_{{{self.index}}}" if self.index else ""
        return "d" * self.derivative + letter + index + "'" * self.primes

    @property
    def mathml(self) -> str:
        _, letter = GREEK.get(self.letter, ("", self.letter))
        base = tag("mi" if len(letter) == 1 else "mtext", letter)
        index, primes = tag("mn", self.index), tag("mo", PRIME * self.primes)
        if self.index and self.primes:
            base = f"<msubsup>{base}{index}{primes}</msubsup>"
        elif self.index:
            base = f"<msub>{base}{index}</msub>"
        elif self.primes:
            base = f"<msup>{base}{primes}</msup>"
        return f"<mrow><mi>d</mi>{base}</mrow>" if self.derivative else base


@dataclass(frozen=True)
class Number(Expression):
    """A number as it is shown, such as -0.25 or 1.5e-08."""

    text: str

    @property
    def latex(self) -> str:
        mantissa, _, exponent = self.text.partition("e")
        return rf"{mantissa} \cdot 10^{{{int(exponent)}}}" if exponent else mantissa

    @property
    def mathml(self) -> str:
        mantissa, _, exponent = self.text.partition("e")
        number = tag("mn", mantissa.replace("-", MINUS))
        if not exponent:
            return number
        power = tag("mn", str(int(exponent)).replace("-", MINUS))
        return f"<mrow>{number}<mo>·</mo><msup><mn>10</mn>{power}</msup></mrow>"


@dataclass(frozen=True)
class Sign(Expression):
    """An operator, a relation or a bracket."""

    text: str

    @property
    def latex(self) -> str:
        return IN_LATEX.get(self.text, self.text)

    @property
    def mathml(self) -> str:
        return tag("mo", IN_MATHML.get(self.text, self.text))


@dataclass(frozen=True)
class Name(Expression):
    """A function by its name, such as max."""

    text: str

    @property
    def latex(self) -> str:
        known = self.text in ("max", "min", "ln", "tanh")
        return rf"\{self.text}" if known else rf"\operatorname{{{self.text}}}"

    @property
    def mathml(self) -> str:
        return tag("mi", self.text) + "<mo>&#x2061;</mo>"


def tag(name: str, text: str) -> str:
    """An element with a text in it."""
    return f"<{name}>{escape(text)}</{name}>"
