"""Dense layers: matrix products, each with its first entry worked out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from minidl.explaining.blocks import Block, equation, formula, said
from minidl.explaining.expressions import Expression, Number, Symbol
from minidl.explaining.formulas import Parts, Sum, joined, transposed
from minidl.explaining.records import LayerPass
from minidl.explaining.rounding import Rounding
from minidl.explaining.tables import Matrix
from minidl.typing import Array

FEW_ROWS = 4  # up to which a sum over samples is written out


def dense_forward(p: LayerPass, r: Rounding) -> list[Block]:
    """Z = X W + b."""
    weight, *bias = (each.symbol for each in p.parameters)
    w, *b = (r.matrix(each.before) for each in p.parameters)
    x, z = r.matrix(p.x), r.matrix(p.y)
    plus = ["+"] * len(bias)
    also: list[str | Expression] = [" plus the first number of ", *bias] if bias else []
    return [
        equation(p.y_symbol, [p.x_symbol, weight, *plus, *bias], [x, w, *plus, *b], [z]),
        said("First entry: row 1 of ", p.x_symbol, " times column 1 of ", weight, *also, ":"),
        formula(*_dot(x.rows[0], w.columns[0]), *plus, *(m.first for m in b), "=", z.first),
    ]


def dense_backward(p: LayerPass, r: Rounding) -> list[Block]:
    """Give dW = X^T dZ, db = sum over samples of dZ, dX = dZ W^T."""
    dz, dz_numbers = p.y_symbol.d, r.matrix(p.dy)
    weight, *bias = p.parameters
    x_t, dw = r.matrix(p.x.T), r.matrix(weight.gradient)
    blocks: list[Block] = [
        equation(weight.symbol.d, [transposed(p.x_symbol), dz], [x_t, dz_numbers], [dw]),
        said("First entry: column 1 of ", p.x_symbol, " times column 1 of ", dz, ":"),
        formula(*_dot(x_t.rows[0], dz_numbers.columns[0]), "=", dw.first),
        *(column_sums(each.symbol.d, dz, p.dy, each.gradient, r) for each in bias),
    ]
    if p.dx.size:
        w_t, dx = r.matrix(weight.before.T), r.matrix(p.dx)
        blocks += [
            equation(p.x_symbol.d, [dz, transposed(weight.symbol)], [dz_numbers, w_t], [dx]),
            said("First entry: row 1 of ", dz, " times row 1 of ", weight.symbol, ":"),
            formula(*_dot(dz_numbers.rows[0], w_t.columns[0]), "=", dx.first),
        ]
    return blocks


def column_sums(result: Symbol, summed: Symbol, values: Array, sums: Array, r: Rounding) -> Block:
    """A sum over samples, written out where they are few."""
    rights: list[Parts] = [[Sum(Symbol("n")), of_row(summed, "n")]]
    if 1 < len(values) <= FEW_ROWS:
        rows = r.matrix(values).rows
        rights.append(joined([[Matrix((numbers,), f"({len(numbers)},)")] for numbers in rows], "+"))
    return equation(result, *rights, [r.matrix(sums)])


def of_row(symbol: Symbol, n: int | str) -> Symbol:
    """Row n of a matrix."""
    return replace(symbol, index=f"{symbol.index},{n}" if symbol.index else str(n))


def _dot(left: Sequence[Number], right: Sequence[Number]) -> list[Expression | str]:
    return joined([[a, "·", b] for a, b in zip(left, right, strict=True)], "+")
