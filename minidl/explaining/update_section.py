"""How the optimizer moves every parameter."""

from __future__ import annotations

from typing import Any

import numpy as np

from minidl.explaining.blocks import Block, Code, equation, first_entry, said
from minidl.explaining.expressions import Expression, Symbol
from minidl.explaining.formulas import Fraction, Indexed, Parts, row
from minidl.explaining.records import Parameter, StepRecord
from minidl.explaining.rounding import Rounding
from minidl.explaining.update_rules import rule_blocks, steps_like
from minidl.optimizers.sgd import SGD
from minidl.typing import Array


def update_blocks(step: StepRecord, r: Rounding) -> list[Block]:
    """The update of each parameter."""
    blocks: list[Block] = [_settings(step, r), *_clipping(step, r)]
    for p in step.parameters:
        if p.layer.frozen:
            blocks.append(said(p.symbol, " is frozen and stays as it is."))
        else:
            blocks += [*_gradient(p, step, r), *_update(p, step, r)]
    return blocks


def _settings(step: StepRecord, r: Rounding) -> Block:
    optimizer: Any = step.optimizer
    words: list[str | Code | Expression] = [
        Code(repr(optimizer)),
        f", step {optimizer.steps} of this optimizer, with ",
        row("eta", "=", r.number(step.learning_rate)),
    ]
    if steps_like(optimizer, SGD) and optimizer.momentum:
        words += [", ", row("mu", "=", r.number(optimizer.momentum))]
    if optimizer.weight_decay:
        words += [", ", row("lambda", "=", r.number(optimizer.weight_decay))]
    return said(*words, ". Each parameter moves against its gradient.")


def _clipping(step: StepRecord, r: Rounding) -> list[Block]:
    optimizer = step.optimizer
    if optimizer.clip_norm is not None:
        gradients = [_with_penalty(p, step) for p in step.parameters if not p.layer.frozen]
        norm = sum(float(np.square(g, dtype=np.float64).sum()) for g in gradients) ** 0.5
        shown, limit = r.number(norm), r.number(optimizer.clip_norm)
        together = "All gradients together" + ", with those of penalties," * bool(step.penalties)
        words = f"{together} have the norm ", shown, ", and the limit is ", limit
        if norm > optimizer.clip_norm:
            return [said(*words, ": each is multiplied by ", Fraction(limit, shown), ".")]
        return [said(*words, ": they stay as they are.")]
    if optimizer.clip_value is not None:
        limit = r.number(optimizer.clip_value)
        return [said("Entries of gradients are cut off at ", row("-", limit), " and ", limit, ".")]
    return []


def _gradient(p: Parameter, step: StepRecord, r: Rounding) -> list[Block]:
    """The way from the loss's gradient to the one that the rule sees, where they differ."""
    blocks: list[Block] = []
    penalized = _with_penalty(p, step)
    for penalty in _penalties(p, step):
        parts: Parts = [r.matrix(p.gradient), "+", r.matrix(penalized - p.gradient)]
        blocks += [
            said(Code(repr(penalty)), " adds its own gradient to ", p.symbol.d, ":"),
            equation(_seen(p), parts, [r.matrix(penalized)]),
        ]
    if not np.array_equal(p.seen, penalized):
        blocks += [said("Clipped:"), equation(_seen(p), [r.matrix(p.seen)])]
    return blocks


def _update(p: Parameter, step: StepRecord, r: Rounding) -> list[Block]:
    g = p.symbol.d if np.array_equal(p.seen, p.gradient) else _seen(p)
    blocks, change = rule_blocks(p, step, g, r)
    eta, decay = r.number(step.learning_rate), step.optimizer.weight_decay
    w, updated = r.matrix(p.before), r.matrix(p.updated)
    letters, arrays, entry = change.letters, change.arrays, change.entry or change.arrays
    if decay and p.spec.decay:
        factor: Parts = ["-", eta, "·", r.number(decay), "·"]
        letters = [*letters, "-", "eta", "lambda", p.symbol]
        arrays, entry = [*arrays, *factor, w], [*entry, *factor, w]
    blocks += [
        equation(p.symbol, [p.symbol, "-", *letters], [w, "-", *arrays], [updated], first="←"),
        *first_entry(w, "-", *entry, "=", updated),
    ]
    if not np.array_equal(p.updated, p.after):
        blocks.append(said(Code(repr(p.spec.constraint)), " then changes it to"))
        blocks.append(equation(p.symbol, [r.matrix(p.after)]))
    return blocks


def _seen(p: Parameter) -> Expression:
    return Indexed(Symbol("g"), p.symbol)


def _penalties(p: Parameter, step: StepRecord) -> list[Any]:
    return [penalty for parameter, penalty in step.penalties if parameter is p]


def _with_penalty(p: Parameter, step: StepRecord) -> Array:
    gradient = p.gradient.copy()
    for penalty in _penalties(p, step):
        penalty.add_gradient(p.before, gradient)
    return gradient
