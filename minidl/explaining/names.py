"""Which letter every array of a step gets: X, W1, b1, Z1, A1, W2, ..."""

from __future__ import annotations

from dataclasses import replace

from minidl.containers.nesting import computes_like
from minidl.explaining.entrywise import formulas_of
from minidl.explaining.expressions import Symbol
from minidl.explaining.records import LayerPass
from minidl.layers.batch_norm import BatchNorm
from minidl.layers.layer_norm import LayerNorm
from minidl.layers.log_softmax import LogSoftmax
from minidl.layers.softmax import Softmax

LETTERS = {"weight": "W", "bias": "b"}


def give_names(passes: list[LayerPass]) -> None:
    """Name what goes in and out of each layer, and its parameters.

    A layer with weights begins a new number, and gives Z; an activation makes A of it. What any
    other layer gives has the name of what it takes, with a prime more.
    """
    stage, used, x = 0, {Symbol("X")}, Symbol("X")
    for each in passes:
        layer = each.layer
        normalizes = computes_like(layer, BatchNorm) or computes_like(layer, LayerNorm)
        bends = formulas_of(layer) or computes_like(layer, Softmax)
        each.x_symbol = x
        if each.parameters and not normalizes:
            stage += 1
            x = _unused(Symbol("Z", str(stage)), used)
        elif bends or computes_like(layer, LogSoftmax):
            x = _unused(Symbol("A", str(stage)), used)
        else:
            x = _unused(x, used)
        each.y_symbol = x
        for parameter in each.parameters:
            name = parameter.spec.name
            parameter.symbol = _unused(Symbol(LETTERS.get(name, name), str(stage)), used)


def _unused(symbol: Symbol, used: set[Symbol]) -> Symbol:
    while symbol in used:
        symbol = replace(symbol, primes=symbol.primes + 1)
    used.add(symbol)
    return symbol
