"""Layers that treat every entry by itself: the formula of each, that of its slope, and numbers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from minidl.containers.nesting import computes_like
from minidl.explaining.blocks import Block, equation, formula, said
from minidl.explaining.expressions import Expression, Sign
from minidl.explaining.formulas import Row, fraction, power, row
from minidl.explaining.records import LayerPass
from minidl.explaining.rounding import Rounding
from minidl.layers.base import Layer
from minidl.layers.elu import ELU
from minidl.layers.leaky_relu import LeakyReLU
from minidl.layers.relu import ReLU
from minidl.layers.sigmoid import Sigmoid
from minidl.layers.silu import SiLU
from minidl.layers.softplus import Softplus
from minidl.layers.tanh import Tanh


@dataclass(frozen=True)
class Entrywise:
    """How a layer is written for one entry.

    Attributes:
        value: The output for an input z; of the layer's option, too.
        slope: Its derivative, of z, the output a and the option.
        option: The name of the number that the formula depends on, if there is one.
    """

    value: Callable[[Expression, Expression], Expression]
    slope: Callable[[Expression, Expression, Expression], Expression]
    option: str = ""


def _positive(z: Expression) -> Expression:
    return row("[", z, ">", "0", "]")


def _negative(z: Expression) -> Expression:
    return row("[", z, "≤", "0", "]")


def _e(*exponent: Expression | str) -> Expression:
    return power("e", row(*exponent))


def _logistic(z: Expression) -> Expression:
    return fraction(["1"], ["1", "+", _e("-", z)])


ENTRYWISE: dict[type[Layer], Entrywise] = {
    ReLU: Entrywise(
        lambda z, _: row("max", "(", z, ",", "0", ")"),
        lambda z, a, _: _positive(z),
    ),
    LeakyReLU: Entrywise(
        lambda z, k: row("max", "(", z, ",", k, "·", z, ")"),
        lambda z, a, k: row(_positive(z), "+", k, "·", _negative(z)),
        "negative_slope",
    ),
    ELU: Entrywise(
        lambda z, k: row(
            "max", "(", z, ",", "0", ")", "+", k, "·",
            "(", _e("min", "(", z, ",", "0", ")"), "-", "1", ")",
        ),
        lambda z, a, k: row(_positive(z), "+", k, "·", power("e", z), "·", _negative(z)),
        "alpha",
    ),
    Sigmoid: Entrywise(
        lambda z, _: _logistic(z),
        lambda z, a, _: row(a, "·", "(", "1", "-", a, ")"),
    ),
    Tanh: Entrywise(
        lambda z, _: row("tanh", "(", z, ")"),
        lambda z, a, _: row("1", "-", power(a, row("2"))),
    ),
    Softplus: Entrywise(
        lambda z, _: row("ln", "(", "1", "+", power("e", z), ")"),
        lambda z, a, _: _logistic(z),
    ),
    SiLU: Entrywise(
        lambda z, _: row(z, "·", _logistic(z)),
        lambda z, a, _: row(_logistic(z), "+", a, "·", "(", "1", "-", _logistic(z), ")"),
    ),
}  # fmt: skip


def formulas_of(layer: Layer) -> Entrywise | None:
    """The formulas of a layer, if it is one of these; a subclass with one of its own is not."""
    return next((f for kind, f in ENTRYWISE.items() if computes_like(layer, kind)), None)


def entrywise_forward(f: Entrywise, p: LayerPass, r: Rounding) -> list[Block]:
    """A = f(Z), entry by entry."""
    option, y = _option(f, p, r), r.matrix(p.y)
    return [
        equation(p.y_symbol, [f.value(p.x_symbol, option)], [y]),
        said("Each entry by itself. The first:"),
        formula(f.value(r.matrix(p.x).first, option), "=", y.first),
    ]


def entrywise_backward(f: Entrywise, p: LayerPass, r: Rounding) -> list[Block]:
    """Give dZ = dA times the slope of f, entry by entry."""
    option = _option(f, p, r)
    kind = type(p.layer)  # whose methods nobody listens to
    kind._forward(p.layer, p.x, training=True)
    slopes = r.matrix(np.asarray(kind._backward(p.layer, np.ones_like(p.dy), input_grad=True)))
    slope = f.slope(p.x_symbol, p.y_symbol, option)
    bare = not isinstance(slope, Row) or slope.parts[0] == Sign("[")  # without brackets
    return [
        equation(
            p.x_symbol.d,
            [p.y_symbol.d, "⊙", *([slope] if bare else ["(", slope, ")"])],
            [r.matrix(p.dy), "⊙", slopes],
            [r.matrix(p.dx)],
        ),
        said("The slope at the first entry:"),
        formula(f.slope(r.matrix(p.x).first, r.matrix(p.y).first, option), "=", slopes.first),
    ]


def _option(f: Entrywise, p: LayerPass, r: Rounding) -> Expression:
    return r.number(getattr(p.layer, f.option) if f.option else 0)
