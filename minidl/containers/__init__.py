"""Containers: layers made of layers."""

from minidl.containers.bidirectional import Bidirectional
from minidl.containers.parallel import Parallel
from minidl.containers.residual import Residual
from minidl.containers.sequential import Sequential

__all__ = ["Bidirectional", "Parallel", "Residual", "Sequential"]
