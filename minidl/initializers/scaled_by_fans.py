"""Random initial values whose scale goes by the numbers of inputs and outputs."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np

from minidl.errors import ArgumentError
from minidl.initializers.base import Initializer
from minidl.typing import Array, Shape


@dataclass(frozen=True)
class GlorotUniform(Initializer):
    r"""Uniform in $\pm\sqrt{6 / (\text{fan\_in} + \text{fan\_out})}$, for tanh and sigmoid.

    The variance $2 / (\text{fan\_in} + \text{fan\_out})$ is the compromise between keeping the
    scale of activations on the way forward and of gradients on the way back.

    Example:
        >>> import numpy as np
        >>> w = GlorotUniform()(np.random.default_rng(0), (784, 10), 784, 10)
        >>> round(float(abs(w).max()), 4), round((6 / 794) ** 0.5, 4)
        (0.0869, 0.0869)

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
class GlorotNormal(Initializer):
    r"""Normal with variance $2 / (\text{fan\_in} + \text{fan\_out})$, for tanh and sigmoid.

    The distribution is not truncated.

    Example:
        >>> import numpy as np
        >>> w = GlorotNormal()(np.random.default_rng(0), (784, 10), 784, 10)
        >>> round(float(w.std()), 3), round((2 / 794) ** 0.5, 3)
        (0.05, 0.05)

    References:
        X. Glorot, Y. Bengio, as for `GlorotUniform`.
    """

    def __call__(
        self, rng: np.random.Generator, shape: Shape, fan_in: int | None, fan_out: int | None
    ) -> Array:
        fans = self._fan(fan_in, "fan_in") + self._fan(fan_out, "fan_out")
        return rng.normal(0.0, math.sqrt(2.0 / fans), shape)


@dataclass(frozen=True)
class HeNormal(Initializer):
    r"""Normal with standard deviation $\sqrt{2 / \text{fan\_in}}$, for ReLU.

    The factor 2 makes up for the half of the signal that a ReLU sets to zero. The distribution is
    not truncated.

    Example:
        >>> import numpy as np
        >>> w = HeNormal()(np.random.default_rng(0), (784, 10), 784, 10)
        >>> round(float(w.std()), 3), round((2 / 784) ** 0.5, 3)
        (0.051, 0.051)

    References:
        K. He, X. Zhang, S. Ren, J. Sun, Delving deep into rectifiers, ICCV 2015.
    """

    def __call__(
        self, rng: np.random.Generator, shape: Shape, fan_in: int | None, fan_out: int | None
    ) -> Array:
        return rng.normal(0.0, math.sqrt(2.0 / self._fan(fan_in, "fan_in")), shape)


@dataclass(frozen=True)
class HeUniform(Initializer):
    r"""Uniform in $\pm\sqrt{6 / \text{fan\_in}}$, of variance $2 / \text{fan\_in}$, for ReLU.

    Example:
        >>> import numpy as np
        >>> w = HeUniform()(np.random.default_rng(0), (784, 10), 784, 10)
        >>> round(float(abs(w).max()), 4), round((6 / 784) ** 0.5, 4)
        (0.0875, 0.0875)

    References:
        K. He, X. Zhang, S. Ren, J. Sun, as for `HeNormal`.
    """

    def __call__(
        self, rng: np.random.Generator, shape: Shape, fan_in: int | None, fan_out: int | None
    ) -> Array:
        limit = math.sqrt(6.0 / self._fan(fan_in, "fan_in"))
        return rng.uniform(-limit, limit, shape)


@dataclass(frozen=True)
class LeCunNormal(Initializer):
    r"""Normal with standard deviation $\sqrt{1 / \text{fan\_in}}$, for SELU.

    The distribution is not truncated.

    Example:
        >>> import numpy as np
        >>> w = LeCunNormal()(np.random.default_rng(0), (784, 10), 784, 10)
        >>> round(float(w.std()), 3), round((1 / 784) ** 0.5, 3)
        (0.036, 0.036)

    References:
        Y. LeCun, L. Bottou, G. Orr, K.-R. Müller, Efficient BackProp, 1998.
    """

    def __call__(
        self, rng: np.random.Generator, shape: Shape, fan_in: int | None, fan_out: int | None
    ) -> Array:
        return rng.normal(0.0, math.sqrt(1.0 / self._fan(fan_in, "fan_in")), shape)


@dataclass(frozen=True)
class LeCunUniform(Initializer):
    r"""Uniform in $\pm\sqrt{3 / \text{fan\_in}}$, of variance $1 / \text{fan\_in}$, for SELU.

    Example:
        >>> import numpy as np
        >>> w = LeCunUniform()(np.random.default_rng(0), (784, 10), 784, 10)
        >>> round(float(abs(w).max()), 4), round((3 / 784) ** 0.5, 4)
        (0.0619, 0.0619)

    References:
        Y. LeCun, L. Bottou, G. Orr, K.-R. Müller, as for `LeCunNormal`.
    """

    def __call__(
        self, rng: np.random.Generator, shape: Shape, fan_in: int | None, fan_out: int | None
    ) -> Array:
        limit = math.sqrt(3.0 / self._fan(fan_in, "fan_in"))
        return rng.uniform(-limit, limit, shape)


@dataclass(frozen=True)
class VarianceScaling(Initializer):
    r"""Normal or uniform with variance $\text{scale} / n$, n being one of the fans or their mean.

    The general form of those above: `HeNormal()` is `VarianceScaling(2.0)`, and a dense layer of
    PyTorch starts from `VarianceScaling(1 / 3, distribution="uniform")`.

    Attributes:
        scale: The numerator.
        mode: Which n: `"fan_in"`, `"fan_out"` or `"fan_avg"`.
        distribution: `"normal"` (not truncated) or `"uniform"`.

    Example:
        >>> import numpy as np, minidl as dl
        >>> w = VarianceScaling(2.0)(np.random.default_rng(0), (3, 2), 3, 2)
        >>> np.array_equal(w, dl.HeNormal()(np.random.default_rng(0), (3, 2), 3, 2))
        True
    """

    scale: float = 1.0
    mode: Literal["fan_in", "fan_out", "fan_avg"] = "fan_in"
    distribution: Literal["normal", "uniform"] = "normal"

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.scale <= 0:
            raise ArgumentError(f"{self}: scale must be above 0.")
        if self.mode not in ("fan_in", "fan_out", "fan_avg"):
            raise ArgumentError(f"{self}: mode must be 'fan_in', 'fan_out' or 'fan_avg'.")
        if self.distribution not in ("normal", "uniform"):
            raise ArgumentError(f"{self}: distribution must be 'normal' or 'uniform'.")

    def __call__(
        self, rng: np.random.Generator, shape: Shape, fan_in: int | None, fan_out: int | None
    ) -> Array:
        fans = []
        if self.mode in ("fan_in", "fan_avg"):
            fans.append(self._fan(fan_in, "fan_in"))
        if self.mode in ("fan_out", "fan_avg"):
            fans.append(self._fan(fan_out, "fan_out"))
        variance = self.scale / (sum(fans) / len(fans))
        if self.distribution == "normal":
            return rng.normal(0.0, math.sqrt(variance), shape)
        limit = math.sqrt(3.0 * variance)
        return rng.uniform(-limit, limit, shape)
