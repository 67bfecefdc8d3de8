"""Softmax and its logarithm, which act on each row."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np

from minidl.explaining.blocks import Block, equation, said
from minidl.explaining.dense import of_row
from minidl.explaining.expressions import Expression, Symbol
from minidl.explaining.formulas import Fraction, Parts, Row, Sum, joined, power, row
from minidl.explaining.records import LayerPass
from minidl.explaining.rounding import Rounding
from minidl.typing import Array

ROWS_SHOWN = 3  # each of which is worked out
SAFE = 30.0  # e to the power of less needs no shift


def softmax_forward(p: LayerPass, r: Rounding) -> list[Block]:
    """A = softmax(Z), row by row."""
    return [
        equation(
            p.y_symbol,
            ["softmax", "(", p.x_symbol, ")"],
            ["softmax", r.matrix(p.x)],
            [r.matrix(p.y)],
        ),
        said("Row by row: e to the power of each score, divided by the sum of the row."),
        *_each_row(p, r, _softmax_row),
    ]


def log_softmax_forward(p: LayerPass, r: Rounding) -> list[Block]:
    """A = Z minus the logarithm of the sum of its exponentials, row by row."""
    return [
        equation(p.y_symbol, ["ln", "softmax", "(", p.x_symbol, ")"], [r.matrix(p.y)]),
        said("Row by row: each score, less the logarithm of the sum of e to all of them."),
        *_each_row(p, r, _log_softmax_row),
    ]


def softmax_backward(p: LayerPass, r: Rounding) -> list[Block]:
    """Give dZ = A (dA - sum of dA A), row by row."""
    a, entry = of_row(p.y_symbol, "n"), of_row(p.y_symbol, "nc")
    total = row(Sum(Symbol("c")), entry.d, entry)
    return _rows_back(p, r, [a, "⊙", "(", a.d, "-", total, ")"])


def log_softmax_backward(p: LayerPass, r: Rounding) -> list[Block]:
    """Give dZ = dA - exp(A) times the sum of dA, row by row."""
    a, entry = of_row(p.y_symbol, "n"), of_row(p.y_symbol, "nc")
    return _rows_back(p, r, [a.d, "-", power("e", a), "·", row(Sum(Symbol("c")), entry.d)])


def _rows_back(p: LayerPass, r: Rounding, right: Parts) -> list[Block]:
    return [
        equation(of_row(p.x_symbol, "n").d, right),
        equation(p.x_symbol.d, [r.matrix(p.dx)]),
    ]


def _softmax_row(z: Array, r: Rounding) -> list[Parts]:
    numbers = [r.number(v) for v in np.exp(z)]
    total = r.number(np.exp(z).sum())
    powers = _powers(z, r)
    return [
        [Fraction(_listed(powers), row(*_added(powers)))],
        [Fraction(_listed(numbers), total)],
    ]


def _log_softmax_row(z: Array, r: Rounding) -> list[Parts]:
    scores = _listed(map(r.number, z))
    total = r.number(np.log(np.exp(z).sum()))
    return [[scores, "-", "ln", "(", *_added(_powers(z, r)), ")"], [scores, "-", total]]


def _each_row(
    p: LayerPass, r: Rounding, work_out: Callable[[Array, Rounding], list[Parts]]
) -> list[Block]:
    """The first rows in full; sequences and images have one row for each step or pixel."""
    z, a = (values.reshape(-1, values.shape[-1]) for values in (p.x, p.y))
    blocks: list[Block] = []
    if np.abs(z).max() > SAFE:
        blocks.append(
            said(
                "The largest score of a row is taken from all its scores first, which cancels in "
                "the fraction: e to the power of a large number would overflow."
            )
        )
    for n, scores in enumerate(z[:ROWS_SHOWN].astype(float)):
        if np.abs(scores).max() > SAFE:
            scores = scores - scores.max()
        result = _listed(map(r.number, a[n]))
        blocks.append(equation(of_row(p.y_symbol, n + 1), *work_out(scores, r), [result]))
    if len(z) > ROWS_SHOWN:
        blocks.append(said("The other rows go the same way."))
    return blocks


def _powers(z: Array, r: Rounding) -> list[Expression]:
    return [power("e", r.number(v)) for v in z]


def _added(parts: list[Expression]) -> Parts:
    return joined([[part] for part in parts], "+")


def _listed(parts: Iterable[Expression]) -> Row:
    return row("(", *joined([[part] for part in parts], ","), ")")
