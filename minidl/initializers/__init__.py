r"""Initial values of parameters.

An initializer is called as `init(rng, shape, fan_in, fan_out)` and returns an array. `fan_in` is
the number of inputs that one output sums over, `fan_out` the number of outputs that one input
feeds; the layer knows both. A sum of `fan_in` independent terms has `fan_in` times the variance of
one, so weights of variance about $1/\text{fan\_in}$ keep the scale of a signal from layer to layer:
He's before `ReLU` and its kin, Glorot's before `Tanh` and `Sigmoid`, LeCun's before `SELU`.
"""

from minidl.initializers.base import Initializer
from minidl.initializers.constants import Constant, Ones, Zeros
from minidl.initializers.distributions import Normal, TruncatedNormal, Uniform
from minidl.initializers.orthogonal import Orthogonal
from minidl.initializers.scaled_by_fans import (
    GlorotNormal,
    GlorotUniform,
    HeNormal,
    HeUniform,
    LeCunNormal,
    LeCunUniform,
    VarianceScaling,
)

__all__ = [
    "Constant",
    "GlorotNormal",
    "GlorotUniform",
    "HeNormal",
    "HeUniform",
    "Initializer",
    "LeCunNormal",
    "LeCunUniform",
    "Normal",
    "Ones",
    "Orthogonal",
    "TruncatedNormal",
    "Uniform",
    "VarianceScaling",
    "Zeros",
]
