r"""Penalties and constraints: what holds the weights of a layer down while it learns.

Layers take them as options, `Dense(10, weight_penalty=dl.L2(1e-4))`, for all of their arrays that
weight decay applies to: never for biases and scales. A layer of your own hands them to its
`ParameterSpec(..., penalty=..., constraint=...)`.
"""

from minidl.regularization.base import Constraint, Penalty
from minidl.regularization.l1 import L1
from minidl.regularization.l1_l2 import L1L2
from minidl.regularization.l2 import L2
from minidl.regularization.max_norm import MaxNorm

__all__ = ["L1", "L1L2", "L2", "Constraint", "MaxNorm", "Penalty"]
