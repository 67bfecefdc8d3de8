"""Which layer is written in which way."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

from minidl.containers.nesting import computes_like
from minidl.explaining.blocks import Block, said
from minidl.explaining.dense import dense_backward, dense_forward
from minidl.explaining.entrywise import entrywise_backward, entrywise_forward, formulas_of
from minidl.explaining.other_layers import (
    any_backward,
    any_forward,
    dropout_backward,
    dropout_forward,
    flatten_backward,
    flatten_forward,
    normalization_backward,
    normalization_forward,
)
from minidl.explaining.records import LayerPass
from minidl.explaining.rounding import Rounding
from minidl.explaining.softmaxes import (
    log_softmax_backward,
    log_softmax_forward,
    softmax_backward,
    softmax_forward,
)
from minidl.layers.base import Layer
from minidl.layers.batch_norm import BatchNorm
from minidl.layers.dense import Dense
from minidl.layers.dropout import Dropout
from minidl.layers.flatten import Flatten
from minidl.layers.layer_norm import LayerNorm
from minidl.layers.log_softmax import LogSoftmax
from minidl.layers.softmax import Softmax

Writer = Callable[[LayerPass, Rounding], list[Block]]


class Way(NamedTuple):
    """How a kind of layer is written."""

    forward: Writer
    backward: Writer
    of_vectors: bool = False  # only where samples are vectors


WAYS: dict[type[Layer], Way] = {
    Dense: Way(dense_forward, dense_backward, of_vectors=True),
    Softmax: Way(softmax_forward, softmax_backward),
    LogSoftmax: Way(log_softmax_forward, log_softmax_backward),
    Flatten: Way(flatten_forward, flatten_backward),
    Dropout: Way(dropout_forward, dropout_backward),
    BatchNorm: Way(normalization_forward, normalization_backward, of_vectors=True),
    LayerNorm: Way(normalization_forward, normalization_backward, of_vectors=True),
}
ANY = Way(any_forward, any_backward)


def forward_blocks(p: LayerPass, r: Rounding) -> list[Block]:
    """How a layer makes its output."""
    return _way(p).forward(p, r)


def backward_blocks(p: LayerPass, r: Rounding) -> list[Block]:
    """How a layer hands the gradient on."""
    blocks = _way(p).backward(p, r) if p.parameters or p.dx.size else []
    if not p.dx.size:
        words = " is not needed: nothing that learns stands before this layer."
        blocks.append(said(p.x_symbol.d, words))
    return blocks


def _way(p: LayerPass) -> Way:
    if formulas := formulas_of(p.layer):
        return Way(partial(entrywise_forward, formulas), partial(entrywise_backward, formulas))
    if computes_like(p.layer, BatchNorm) and p.layer.frozen:  # by its running statistics
        return ANY
    for kind, way in WAYS.items():
        if computes_like(p.layer, kind) and (p.x.ndim == 2 or not way.of_vectors):
            return way
    return ANY
