"""Arrays as tables of numbers, and equations below each other."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeVar

from minidl.explaining.expressions import Expression, Number, Sign, tag

Item = TypeVar("Item")

ROWS, COLUMNS = 10, 12  # of a matrix, up to which all of it is shown


@dataclass(frozen=True)
class Matrix(Expression):
    """An array as a table of numbers, with its shape written under it."""

    rows: tuple[tuple[Number, ...], ...]
    shape: str
    tall = True

    @property
    def first(self) -> Number:
        """The first entry."""
        return self.rows[0][0]

    @property
    def columns(self) -> list[tuple[Number, ...]]:
        """The numbers column by column."""
        return list(zip(*self.rows, strict=True))

    @property
    def shown(self) -> list[list[Expression]]:
        """The numbers, without the middle of long rows and columns."""
        gap: list[Expression] = [Sign("⋮")] * len(self.rows[0])
        every: list[list[Expression]] = [list(numbers) for numbers in self.rows]
        rows = _without_middle(every, ROWS, gap)
        dots: Expression = Sign("⋯")
        return [_without_middle(cells, COLUMNS, dots) for cells in rows]

    @property
    def latex(self) -> str:
        rows = [" & ".join(cell.latex for cell in cells) for cells in self.shown]
        table = r" \\ ".join(rows)
        table = rf"\begin{{array}}{{{'r' * len(self.shown[0])}}} {table} \end{{array}}"
        return rf"\underset{{{self.shape}}}{{\left[\!{table}\!\right]}}"

    @property
    def mathml(self) -> str:
        """As a table that the page's styles put into brackets.

        Without a mathematical font, as on many phones, brackets of text do not grow.
        """
        table = _table("matrix", "right", "", self.shown)
        return f"<munder>{table}{tag('mtext', self.shape)}</munder>"


@dataclass(frozen=True)
class Lines(Expression):
    """Equations below each other, split in two where they are aligned."""

    lines: tuple[tuple[Expression, Expression], ...]

    @property
    def latex(self) -> str:
        texts = [(left.latex, right.latex) for left, right in self.lines]
        if len(texts) == 1:
            return " ".join(texts[0])
        lines = " \\\\[0.5em]\n".join(f"{left} &{right}" for left, right in texts)
        return rf"\begin{{aligned}}{chr(10)}{lines}{chr(10)}\end{{aligned}}"

    @property
    def mathml(self) -> str:
        return _table("lines", "right left", ' displaystyle="true"', self.lines)


def _table(kind: str, sides: str, more: str, rows: Iterable[Iterable[Expression]]) -> str:
    """A table; `columnalign` is for browsers that know it, the page's styles for the others."""
    cells = [[f"<mtd>{cell.mathml}</mtd>" for cell in cells] for cells in rows]
    inside = "".join(f"<mtr>{''.join(texts)}</mtr>" for texts in cells)
    return f'<mtable class="{kind}" columnalign="{sides}"{more}>{inside}</mtable>'


def _without_middle(items: list[Item], most: int, gap: Item) -> list[Item]:
    return items if len(items) <= most else [*items[: most - 3], gap, *items[-2:]]
