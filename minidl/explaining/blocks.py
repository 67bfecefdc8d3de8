"""The parts of a page, headings, sentences and formulas, in Markdown and in HTML."""

from __future__ import annotations

import re
from dataclasses import dataclass
from html import escape
from typing import TypeAlias

from minidl.explaining.expressions import Expression
from minidl.explaining.formulas import Parts, Row, row
from minidl.explaining.tables import Lines, Matrix


@dataclass(frozen=True)
class Code:
    """A piece of a program within a sentence."""

    text: str

    @property
    def markdown(self) -> str:
        text = " ".join(self.text.split())
        fence = "`" * (1 + max(map(len, re.findall("`+", text)), default=0))
        return f"{fence}{text}{fence}"

    @property
    def html(self) -> str:
        return f"<code>{escape(self.text)}</code>"


Words: TypeAlias = tuple[str | Code | Expression, ...]


@dataclass(frozen=True)
class Heading:
    """A title; level 2 is a chapter of the page, 3 a section in it."""

    level: int
    words: Words

    @property
    def markdown(self) -> str:
        return f"{'#' * self.level} {_in_markdown(self.words)}"

    @property
    def html(self) -> str:
        return f"<h{self.level}>{_in_html(self.words)}</h{self.level}>"


@dataclass(frozen=True)
class Paragraph:
    """Sentences."""

    words: Words

    @property
    def markdown(self) -> str:
        return _in_markdown(self.words)

    @property
    def html(self) -> str:
        return f"<p>{_in_html(self.words)}</p>"


@dataclass(frozen=True)
class Formula:
    """A formula on lines of its own."""

    expression: Expression

    @property
    def markdown(self) -> str:
        return f"$$\n{self.expression.latex}\n$$"

    @property
    def html(self) -> str:
        inside = self.expression.html.replace(">", ' display="block">', 1)
        return (
            '<div class="formula" tabindex="0" role="group" aria-label="formula">'
            + inside
            + "</div>"
        )


Block: TypeAlias = Heading | Paragraph | Formula


def said(*words: str | Code | Expression) -> Paragraph:
    """A paragraph."""
    return Paragraph(words)


def formula(*parts: Expression | str) -> Formula:
    """A formula on one line."""
    return Formula(row(*parts))


def equation(left: Expression, *rights: Parts, first: str = "=") -> Formula:
    """An equation whose right side is written several times, one below the other."""
    signs = [first, *"=" * (len(rights) - 1)]
    lines = [row(sign, *right) for sign, right in zip(signs, rights, strict=True)]
    return Formula(Lines(tuple((Row(()) if i else left, line) for i, line in enumerate(lines))))


def equations(*pairs: tuple[Expression, Expression]) -> Formula:
    """Equations of several things, one below the other."""
    return Formula(Lines(tuple((left, row("=", right)) for left, right in pairs)))


def first_entry(*parts: Expression | str) -> list[Block]:
    """What stands in a row of arrays, for the first entry of each."""
    firsts = (part.first if isinstance(part, Matrix) else part for part in parts)
    return [said("First entry:"), formula(*firsts)]


def _in_markdown(words: Words) -> str:
    return "".join(word if isinstance(word, str) else word.markdown for word in words)


def _in_html(words: Words) -> str:
    return "".join(escape(word) if isinstance(word, str) else word.html for word in words)
