r"""Initial values of parameters.

An initializer is called as `init(rng, shape, fan_in, fan_out)` and returns an array. `fan_in` is
the number of inputs that one output sums over, `fan_out` the number of outputs that one input
feeds; the layer knows both. A sum of `fan_in` independent terms has `fan_in` times the variance of
one, so weights of variance about $1/\text{fan\_in}$ keep the scale of a signal from layer to layer.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np

from minidl.errors import ArgumentError
from minidl.typing import Array, Shape


class Initializer(ABC):
    """Base of all initializers: a frozen dataclass with one method."""

    @abstractmethod
    def __call__(
        self, rng: np.random.Generator, shape: Shape, fan_in: int | None, fan_out: int | None
    ) -> Array:
        """Return an array of `shape`.

        Args:
            rng: The generator to draw from.
            shape: Shape of the parameter.
            fan_in: Inputs that one output sums over; None where the layer did not say.
            fan_out: Outputs that one input feeds; None where the layer did not say.
        """

    def _fan(self, fan: int | None, name: str) -> int:
        if fan is None:
            raise ArgumentError(
                f"{self}: needs {name}. Give it in ParameterSpec(..., {name}=...), "
                "or choose an initializer that does not depend on it, such as Normal or Zeros."
            )
        return fan


@dataclass(frozen=True)
class Zeros(Initializer):
    """All zeros; right for biases, wrong for weights (all units of a layer would stay equal)."""

    def __call__(
        self, rng: np.random.Generator, shape: Shape, fan_in: int | None, fan_out: int | None
    ) -> Array:
        return np.zeros(shape)


@dataclass(frozen=True)
class Ones(Initializer):
    """All ones, as for the scale of a normalisation layer."""

    def __call__(
        self, rng: np.random.Generator, shape: Shape, fan_in: int | None, fan_out: int | None
    ) -> Array:
        return np.ones(shape)


@dataclass(frozen=True)
class Constant(Initializer):
    """Every element is `value`."""

    value: float

    def __call__(
        self, rng: np.random.Generator, shape: Shape, fan_in: int | None, fan_out: int | None
    ) -> Array:
        return np.full(shape, float(self.value))


@dataclass(frozen=True)
class Uniform(Initializer):
    """Uniform between `low` and `high`.

    Example:
        >>> import numpy as np
        >>> w = Uniform(-0.5, 0.5)(np.random.default_rng(0), (784, 10), 784, 10)
        >>> w.shape, bool(abs(w).max() <= 0.5)
        ((784, 10), True)
    """

    low: float
    high: float

    def __post_init__(self) -> None:
        if not -math.inf < self.low < self.high < math.inf:
            raise ArgumentError(f"{self}: low must be below high, and both finite.")

    def __call__(
        self, rng: np.random.Generator, shape: Shape, fan_in: int | None, fan_out: int | None
    ) -> Array:
        return rng.uniform(self.low, self.high, shape)


@dataclass(frozen=True)
class Normal(Initializer):
    """Normal with the given mean and standard deviation."""

    mean: float = 0.0
    std: float = 0.05

    def __post_init__(self) -> None:
        if not (0 < self.std < math.inf and math.isfinite(self.mean)):
            raise ArgumentError(f"{self}: std must be above 0, and both finite.")

    def __call__(
        self, rng: np.random.Generator, shape: Shape, fan_in: int | None, fan_out: int | None
    ) -> Array:
        return rng.normal(self.mean, self.std, shape)


@dataclass(frozen=True)
class GlorotUniform(Initializer):
    r"""Uniform in $\pm\sqrt{6 / (\text{fan\_in} + \text{fan\_out})}$, for tanh and sigmoid.

    The variance $2 / (\text{fan\_in} + \text{fan\_out})$ is the compromise between keeping the
    scale of activations on the way forward and of gradients on the way back.

    References:
        X. Glorot, Y. Bengio, Understanding the difficulty of training deep feedforward neural
        networks, AISTATS 2010.
    """

    def __call__(
        self, rng: np.random.Generator, shape: Shape, fan_in: int | None, fan_out: int | None
    ) -> Array:
        fans = self._fan(fan_in, "fan_in") + self._fan(fan_out, "fan_out")
        limit = math.sqrt(6.0 / fans)
        return rng.uniform(-limit, limit, shape)


@dataclass(frozen=True)
class HeNormal(Initializer):
    r"""Normal with standard deviation $\sqrt{2 / \text{fan\_in}}$, for ReLU.

    The factor 2 makes up for the half of the signal that a ReLU sets to zero. The distribution is
    not truncated.

    References:
        K. He, X. Zhang, S. Ren, J. Sun, Delving deep into rectifiers, ICCV 2015.
    """

    def __call__(
        self, rng: np.random.Generator, shape: Shape, fan_in: int | None, fan_out: int | None
    ) -> Array:
        return rng.normal(0.0, math.sqrt(2.0 / self._fan(fan_in, "fan_in")), shape)


@dataclass(frozen=True)
class LeCunNormal(Initializer):
    r"""Normal with standard deviation $\sqrt{1 / \text{fan\_in}}$.

    References:
        Y. LeCun, L. Bottou, G. Orr, K.-R. Müller, Efficient BackProp, 1998.
    """

    def __call__(
        self, rng: np.random.Generator, shape: Shape, fan_in: int | None, fan_out: int | None
    ) -> Array:
        return rng.normal(0.0, math.sqrt(1.0 / self._fan(fan_in, "fan_in")), shape)


@dataclass(frozen=True)
class Orthogonal(Initializer):
    r"""A random matrix with orthonormal rows or columns (the shorter side), times `gain`.

    An array of more than two axes is treated as the matrix (product of all but the last, last).
    The QR factors of a normal matrix are made unique by the signs of R's diagonal, which makes the
    result uniform over all such matrices.

    References:
        A. Saxe, J. McClelland, S. Ganguli, Exact solutions to the nonlinear dynamics of learning
        in deep linear neural networks, ICLR 2014. F. Mezzadri, How to generate random matrices
        from the classical compact groups, Notices of the AMS 54, 2007.
    """

    gain: float = 1.0

    def __call__(
        self, rng: np.random.Generator, shape: Shape, fan_in: int | None, fan_out: int | None
    ) -> Array:
        if len(shape) < 2:
            raise ArgumentError(f"{self}: expected a shape with two axes or more, got {shape}.")
        rows, columns = math.prod(shape[:-1]), shape[-1]
        a = rng.normal(size=(max(rows, columns), min(rows, columns)))
        q, r = np.linalg.qr(a)
        q *= np.sign(np.diagonal(r))
        return self.gain * (q if rows >= columns else q.T).reshape(shape)
