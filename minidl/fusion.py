"""Which models end in the activation that belongs to a loss, and which do not fit it."""

from __future__ import annotations

from minidl.containers.chain import Chain
from minidl.containers.nesting import computes_like, innermost_layers
from minidl.errors import ArgumentError
from minidl.layers.base import Layer
from minidl.layers.dense import Dense
from minidl.layers.log_softmax import LogSoftmax
from minidl.layers.relu import ReLU
from minidl.layers.sigmoid import Sigmoid
from minidl.layers.softmax import Softmax
from minidl.layers.softplus import Softplus
from minidl.losses.base import Loss
from minidl.losses.hinge import Hinge
from minidl.losses.poisson import Poisson


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


def refuse_unfit_outputs(model: Layer, loss: Loss) -> None:
    """Raise where the last layer cannot give what the loss expects: scores, rates or logarithms."""
    last = innermost_layers(model)[-1]
    name = type(last).__name__

    def ends_in(*kinds: type[Layer]) -> bool:
        return any(computes_like(last, kind) for kind in kinds)

    if isinstance(loss, Hinge) and ends_in(Sigmoid, Softmax, LogSoftmax):
        raise ArgumentError(
            f"Objective: {last.where} gives probabilities or their logarithms, but {loss} expects "
            f"scores of both signs. Remove {name}()."
        )
    if isinstance(loss, Poisson) and loss.log_input and ends_in(ReLU, Softplus):
        raise ArgumentError(
            f"Objective: {last.where} gives no negative numbers, but {loss} expects logarithms of "
            f"rates, which are negative for rates below 1. Remove {name}(), or use "
            "Poisson(log_input=False) behind Softplus()."
        )
    if isinstance(loss, Poisson) and not loss.log_input and ends_in(Dense):
        raise ArgumentError(
            f"Objective: {last.where} gives numbers of both signs, but {loss} expects rates. Add "
            "Softplus() as the last layer, or use Poisson(), which takes logarithms of rates."
        )


def fits_fused(model: Layer, loss: Loss) -> bool:
    """Whether the model ends in the loss's activation; raise where the two contradict."""
    refuse_unfit_outputs(model, loss)
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
    if loss.from_logits and (computes_like(last, Sigmoid) or computes_like(last, Softmax)):
        raise ArgumentError(
            f"Objective: {last.where} gives probabilities, but {loss} expects logits. Remove "
            f"{type(last).__name__}()."
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
        taker = type(loss).__name__ if activation is Softmax else "CrossEntropy"
        raise ArgumentError(
            f"Objective: {last.where} gives logarithms of probabilities, but {loss} expects "
            f"probabilities. Put {name}() in its place, or use {taker}(from_logits=True)."
        )
    return computes_like(last, activation)


def chain_of(model: Layer, fused: bool) -> Chain:
    """The model's layers, without the activation that a fused loss takes care of."""
    layers = innermost_layers(model)
    return Chain(model, layers[:-1] if fused else layers)
