"""Flatten, Dropout, normalization; and any other layer, shown by what goes in and out."""

from __future__ import annotations

from dataclasses import replace

from minidl.containers.nesting import computes_like
from minidl.explaining.blocks import Block, Code, equation, equations, first_entry, said
from minidl.explaining.dense import column_sums, of_row
from minidl.explaining.expressions import Symbol
from minidl.explaining.formulas import Fraction, Parts, Root, Sum, fraction, row
from minidl.explaining.records import LayerPass
from minidl.explaining.rounding import Rounding
from minidl.layers.batch_norm import BatchNorm


def flatten_forward(p: LayerPass, r: Rounding) -> list[Block]:
    """The same numbers in one row a sample."""
    return [
        said("The numbers of each sample are laid end to end:"),
        equation(p.y_symbol, [r.matrix(p.y)]),
    ]


def flatten_backward(p: LayerPass, r: Rounding) -> list[Block]:
    """The same numbers in the shape of the input."""
    return [
        said(p.y_symbol.d, " gets the shape of ", p.x_symbol, " again:"),
        equation(p.x_symbol.d, [r.matrix(p.dx)]),
    ]


def dropout_forward(p: LayerPass, r: Rounding) -> list[Block]:
    """X' = X times the mask."""
    mask, rate = _made_on_the_way(p, "M"), r.number(p.layer.rate)  # type: ignore[attr-defined]
    kept = fraction(["1"], ["1", "-", rate])
    words = ("An entry is dropped, times 0, or kept, times ", kept, ". The draw of this step is ")
    rights: tuple[Parts, ...] = (
        [p.x_symbol, "⊙", mask],
        [r.matrix(p.x), "⊙", r.matrix(p.saved[0])],
        [r.matrix(p.y)],
    )
    return [said(*words, mask, ":"), equation(p.y_symbol, *rights)]


def dropout_backward(p: LayerPass, r: Rounding) -> list[Block]:
    """Give dX = dX' times the same mask."""
    by_letters: Parts = [p.y_symbol.d, "⊙", _made_on_the_way(p, "M")]
    by_numbers: Parts = [r.matrix(p.dy), "⊙", r.matrix(p.saved[0])]
    return [equation(p.x_symbol.d, by_letters, by_numbers, [r.matrix(p.dx)])]


def normalization_forward(p: LayerPass, r: Rounding) -> list[Block]:
    """S = (X - m) / sqrt(v + epsilon), Y = gamma S + beta."""
    by_batch = computes_like(p.layer, BatchNorm)
    axis, what = (0, "column") if by_batch else (1, "row")
    m, v = r.matrix(p.x.mean(axis=axis)), r.matrix(p.x.var(axis=axis))
    s, (gamma, beta) = _made_on_the_way(p, "S"), p.parameters
    numbers, y = r.matrix(p.saved[0]), r.matrix(p.y)
    scale, shift = r.matrix(gamma.before), r.matrix(beta.before)
    epsilon = r.number(p.layer.epsilon)  # type: ignore[attr-defined]
    root = Root(row("v", "+", epsilon))
    return [
        said(f"Mean m and variance v of each {what}:"),
        equations((Symbol("m"), m), (Symbol("v"), v)),
        said(
            f"Each {what} less its mean, over its deviation; ",
            row("epsilon", "=", epsilon),
            " is there for one whose numbers are all alike:",
        ),
        equation(s, [Fraction(row(p.x_symbol, "-", "m"), root)], [numbers]),
        said("Then each column is scaled and shifted:"),
        equation(
            p.y_symbol,
            [gamma.symbol, "⊙", s, "+", beta.symbol],
            [scale, "⊙", numbers, "+", shift],
            [y],
        ),
        *first_entry(scale, "·", numbers, "+", shift, "=", y),
    ]


def normalization_backward(p: LayerPass, r: Rounding) -> list[Block]:
    """The gradients of gamma, beta and X; m and v depend on X, too."""
    gamma, beta = p.parameters
    s, dy, root = _made_on_the_way(p, "S"), p.y_symbol.d, Root(row("v", "+", "epsilon"))
    products: Parts = [Sum(Symbol("n")), of_row(dy, "n"), "⊙", of_row(s, "n")]
    blocks: list[Block] = [
        equation(gamma.symbol.d, products, [r.matrix(gamma.gradient)]),
        column_sums(beta.symbol.d, dy, p.dy, beta.gradient, r),
    ]
    if p.dx.size:
        g, what = replace(s, letter="G"), "column" if computes_like(p.layer, BatchNorm) else "row"
        words = " counts three times: by itself, through m and through v. With "
        scaled = row(g, "=", dy, "⊙", gamma.symbol)
        means = row("mean", "(", g, ")"), row("mean", "(", g, "⊙", s, ")")
        right = Fraction(row(g, "-", means[0], "-", s, "⊙", means[1]), root)
        blocks += [
            said(p.x_symbol, words, scaled, f", and means over each {what}:"),
            equation(p.x_symbol.d, [right], [r.matrix(p.dx)]),
        ]
    return blocks


def any_forward(p: LayerPass, r: Rounding) -> list[Block]:
    """The output alone."""
    return [
        said(Code(type(p.layer).__name__), " takes ", p.x_symbol, " and gives ", p.y_symbol, ":"),
        equation(p.y_symbol, [r.matrix(p.y)]),
    ]


def any_backward(p: LayerPass, r: Rounding) -> list[Block]:
    """The gradients alone."""
    gradients = [(each.symbol.d, r.matrix(each.gradient)) for each in p.parameters]
    if p.dx.size:
        gradients.append((p.x_symbol.d, r.matrix(p.dx)))
    words = Code(type(p.layer).__name__), " turns ", p.y_symbol.d, " into"
    return [said(*words), equations(*gradients)]


def _made_on_the_way(p: LayerPass, letter: str) -> Symbol:
    """An array between what goes in and what comes out, with the primes of what goes in."""
    return replace(p.y_symbol, letter=letter, primes=p.y_symbol.primes - 1)
