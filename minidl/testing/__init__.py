"""Proofs for layers, losses and optimizers of your own."""

from minidl.testing.gradients import numerical_gradient
from minidl.testing.layer_checks import LayerReport, check_layer
from minidl.testing.loss_checks import check_loss
from minidl.testing.optimizer_checks import check_optimizer
from minidl.testing.passes import CheckError

__all__ = [
    "CheckError",
    "LayerReport",
    "check_layer",
    "check_loss",
    "check_optimizer",
    "numerical_gradient",
]
