"""Which models end in the activation that belongs to a loss."""

from __future__ import annotations

from minidl.containers.nesting import computes_like, innermost_layers
from minidl.errors import ArgumentError
from minidl.layers.base import Layer
from minidl.layers.dense import Dense
from minidl.layers.log_softmax import LogSoftmax
from minidl.layers.softmax import Softmax
from minidl.losses.base import Loss


def _definer(kind: type, name: str) -> type:
    """The class among the bases that a method comes from."""
    return next(base for base in kind.__mro__ if name in vars(base))


def refuse_constant_outputs(model: Layer) -> None:
    """Raise where a softmax has one output only, behind which nothing could be learned."""
    for layer in innermost_layers(model):
        for kind, constant in ((Softmax, 1), (LogSoftmax, 0)):
            if computes_like(layer, kind) and layer.bound.output_shape[-1] == 1:
                raise ArgumentError(
                    f"Objective: {layer.where}: {kind.__name__} over one output is always "
                    f"{constant}. Use Sigmoid() with BinaryCrossEntropy()."
                )


def fits_fused(model: Layer, loss: Loss) -> bool:
    """Whether the model ends in the loss's activation; raise where the two contradict."""
    if loss.activation is None:
        return False
    if _definer(type(loss), "per_sample") is not _definer(type(loss), "with_logits"):
        return False  # a subclass with a formula of its own, written for predictions
    *before, last = innermost_layers(model)
    name, activation = loss.activation.__name__, loss.activation
    if computes_like(last, activation) and loss.from_logits:
        raise ArgumentError(
            f"Objective: {last.where} turns logits into probabilities, but {loss} expects logits: "
            f"{name} would be applied twice. Use {type(loss).__name__}(), or remove {name}()."
        )
    if computes_like(last, activation) and before and computes_like(before[-1], activation):
        raise ArgumentError(
            f"Objective: {last.where} comes directly after another {name}: {name} is applied "
            "twice. Remove one of them."
        )
    if computes_like(last, Dense) and not loss.from_logits:
        raise ArgumentError(
            f"Objective: {last.where} gives logits, but {loss} expects probabilities. "
            f"Add {name}() as the last layer, or use {type(loss).__name__}(from_logits=True)."
        )
    if computes_like(last, LogSoftmax) and not loss.from_logits:
        raise ArgumentError(
            f"Objective: {last.where} gives logarithms of probabilities, but {loss} expects "
            f"probabilities. Put {name}() in its place, or use CrossEntropy(from_logits=True)."
        )
    return computes_like(last, activation)
