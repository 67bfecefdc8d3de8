"""What each optimizer makes of a gradient."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from minidl.explaining.blocks import Block, equation, said
from minidl.explaining.expressions import Expression, Number, Symbol
from minidl.explaining.formulas import Fraction, Indexed, Parts, Root, power, row
from minidl.explaining.records import Parameter, StepRecord
from minidl.explaining.rounding import Rounding
from minidl.optimizers.adam import Adam
from minidl.optimizers.base import Optimizer
from minidl.optimizers.sgd import SGD


@dataclass(frozen=True)
class Change:
    """What is subtracted from a parameter, as letters, as arrays, and worked out for an entry."""

    letters: Parts
    arrays: Parts
    entry: Parts = ()  # if it is more than the arrays have


def rule_blocks(
    p: Parameter, step: StepRecord, g: Expression, r: Rounding
) -> tuple[list[Block], Change]:
    """What the rule keeps, and what it subtracts, for a gradient g."""
    optimizer: Any = step.optimizer
    if steps_like(optimizer, SGD):
        return _sgd(p, step, g, r)
    if steps_like(optimizer, Adam) and not optimizer.amsgrad:
        return _adam(p, step, g, r)
    name = type(optimizer).__name__
    s, numbers = Indexed(Symbol("s"), p.symbol), r.matrix(p.step, each=True)
    words = f"{name} makes of ", g, " a step by its own rule, which its documentation gives:"
    return [said(*words), equation(s, [numbers])], Change([s], [numbers])


def _sgd(p: Parameter, step: StepRecord, g: Expression, r: Rounding) -> tuple[list[Block], Change]:
    optimizer: Any = step.optimizer
    eta, grads = r.number(step.learning_rate), r.matrix(p.seen)
    if not optimizer.momentum:
        return [], Change(["eta", g], [eta, "·", grads])
    mu, v = r.number(optimizer.momentum), Indexed(Symbol("v"), p.symbol)
    before, after = r.matrix(p.kept_before["velocity"]), r.matrix(p.kept_after["velocity"])
    blocks: list[Block] = [
        equation(v, ["mu", v, "+", g], [mu, "·", before, "+", grads], [after], first="←")
    ]
    if not optimizer.nesterov:
        return blocks, Change(["eta", v], [eta, "·", after])
    return blocks, Change(
        ["eta", "(", g, "+", "mu", v, ")"],
        [eta, "·", "(", grads, "+", mu, "·", after, ")"],
    )


def _adam(p: Parameter, step: StepRecord, g: Expression, r: Rounding) -> tuple[list[Block], Change]:
    optimizer: Any = step.optimizer
    steps = Number(str(optimizer.steps))
    square, squares = power(row("(", g, ")"), row("2")), np.square(p.seen)
    blocks: list[Block] = []
    symbols, firsts, corrections = [], [], []
    for letter, name, decay, of, numbers in (
        ("m", "mean", optimizer.beta1, g, p.seen),
        ("v", "mean_square", optimizer.beta2, square, squares),
    ):
        symbol, kept, share = (
            Indexed(Symbol(letter), p.symbol),
            r.number(decay),
            r.number(1 - decay),
        )
        before, after, new = (
            r.matrix(a, each=True) for a in (p.kept_before[name], p.kept_after[name], numbers)
        )
        by_letters: Parts = [kept, "·", symbol, "+", share, "·", of]
        by_numbers: Parts = [kept, "·", before, "+", share, "·", new]
        blocks.append(equation(symbol, by_letters, by_numbers, [after], first="←"))
        symbols.append(symbol)
        firsts.append(after.first)
        corrections.append(row("1", "-", power(kept, steps)))
    words = "Both began at zero. Dividing by ", corrections[0], " and ", corrections[1]
    blocks.append(said(*words, " makes up for that:"))

    def quotient(m: Expression, v: Expression, epsilon: Expression) -> Expression:
        deviation = Root(Fraction(v, corrections[1]))
        return Fraction(Fraction(m, corrections[0]), row(deviation, "+", epsilon))

    letters: Parts = ["eta", "·", quotient(symbols[0], symbols[1], Symbol("epsilon"))]
    last = quotient(firsts[0], firsts[1], r.number(optimizer.epsilon))
    entry: Parts = [r.number(step.learning_rate), "·", last]
    return blocks, Change(letters, [r.matrix(p.step, each=True)], entry)


def steps_like(optimizer: Optimizer, kind: type[Optimizer]) -> bool:
    """Whether the rule is that of `kind`; a subclass with a rule of its own has another."""
    return type(optimizer).step is kind.step
