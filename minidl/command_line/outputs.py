"""What a model's outputs mean, as its last layer tells."""

from __future__ import annotations

from minidl.containers.nesting import computes_like, innermost_layers
from minidl.layers.base import Layer
from minidl.layers.log_softmax import LogSoftmax
from minidl.layers.sigmoid import Sigmoid
from minidl.layers.softmax import Softmax
from minidl.losses import BinaryCrossEntropy, CrossEntropy, Loss, MeanSquaredError


def last_layer(model: Layer) -> Layer:
    """The layer whose outputs are the model's."""
    return innermost_layers(model)[-1]


def ends_in(model: Layer, kind: type[Layer]) -> bool:
    """Whether a model's last layer is of a kind."""
    return computes_like(last_layer(model), kind)


def usual_loss(model: Layer) -> Loss:
    """The loss that belongs to the last layer."""
    if ends_in(model, Softmax):
        return CrossEntropy()
    if ends_in(model, LogSoftmax):
        return CrossEntropy(from_logits=True)
    if ends_in(model, Sigmoid):
        return BinaryCrossEntropy()
    return MeanSquaredError()


def usual_metrics(loss: Loss) -> list[str]:
    """Names of the metrics that people read beside a loss."""
    if isinstance(loss, CrossEntropy | BinaryCrossEntropy):
        return ["accuracy"]
    return ["mean_absolute_error", "r2_score"]
