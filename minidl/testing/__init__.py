"""Proofs for layers of your own."""

from minidl.testing.gradients import numerical_gradient
from minidl.testing.layer_checks import LayerReport, check_layer
from minidl.testing.passes import CheckError

__all__ = ["CheckError", "LayerReport", "check_layer", "numerical_gradient"]
