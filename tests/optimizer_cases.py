"""The one table of optimizers: every row goes through all of `tests/optimizers/test_base.py`.

References are the papers' formulas for plain Python numbers. A new optimizer needs a row here; what
is particular to it goes into a file of its own.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np

import minidl as dl

Gradient = Callable[[list[float]], list[float]]


def rosenbrock(x: list[float]) -> list[float]:
    """Gradient of the sum of 100 (x_(i+1) - x_i^2)^2 + (1 - x_i)^2; the minimum is at ones."""
    gradient = [0.0] * len(x)
    for i in range(len(x) - 1):
        valley = x[i + 1] - x[i] * x[i]
        gradient[i] += -400 * valley * x[i] - 2 * (1 - x[i])
        gradient[i + 1] += 200 * valley
    return gradient


def heavy_ball(
    x: list[float],
    gradient: Gradient,
    steps: int,
    *,
    rate: float,
    momentum: float = 0.0,
    decay: float = 0.0,
) -> list[list[float]]:
    """Sutskever et al. 2013, eq. 1 and 2: v' = mu v - lr g(x), x' = x + v' (and decoupled decay).

    With a constant rate this is minus `rate` times the velocity of PyTorch's convention.
    """
    v, path = [0.0] * len(x), []
    for _ in range(steps):
        v = [momentum * vi - rate * gi for vi, gi in zip(v, gradient(x), strict=True)]
        x = [xi + vi - rate * decay * xi for xi, vi in zip(x, v, strict=True)]
        path.append(x)
    return path


def look_ahead(
    x: list[float], gradient: Gradient, steps: int, *, rate: float, momentum: float
) -> list[list[float]]:
    """Sutskever et al. 2013, eq. 3 and 4: v' = mu v - lr g(x + mu v), x' = x + v'.

    The parameters of the usual form are the points x + mu v at which gradients are taken.
    """
    v, path = [0.0] * len(x), []
    for _ in range(steps):
        ahead = [xi + momentum * vi for xi, vi in zip(x, v, strict=True)]
        v = [momentum * vi - rate * gi for vi, gi in zip(v, gradient(ahead), strict=True)]
        x = [xi + vi for xi, vi in zip(x, v, strict=True)]
        path.append([xi + momentum * vi for xi, vi in zip(x, v, strict=True)])
    return path


def adaptive_moments(
    x: list[float],
    gradient: Gradient,
    steps: int,
    *,
    rate: float,
    betas: tuple[float, float] = (0.9, 0.999),
    epsilon: float = 1e-8,
    decay: float = 0.0,
) -> list[list[float]]:
    """Kingma and Ba 2015, algorithm 1; with decay Loshchilov and Hutter 2019, algorithm 2."""
    (b1, b2), n = betas, len(x)
    m, v, path = [0.0] * n, [0.0] * n, []
    for t in range(1, steps + 1):
        g = gradient(x)
        m = [b1 * m[i] + (1 - b1) * g[i] for i in range(n)]
        v = [b2 * v[i] + (1 - b2) * g[i] ** 2 for i in range(n)]
        m_hat = [m[i] / (1 - b1**t) for i in range(n)]
        v_hat = [v[i] / (1 - b2**t) for i in range(n)]
        x = [
            x[i] - rate * (m_hat[i] / (math.sqrt(v_hat[i]) + epsilon) + decay * x[i])
            for i in range(n)
        ]
        path.append(x)
    return path


@dataclass(frozen=True)
class OptimizerCase:
    """How to make an optimizer, its reference, and how long it may take to Rosenbrock's minimum."""

    name: str
    make: Callable[[], dl.Optimizer]
    reference: Callable[[list[float], Gradient, int], list[list[float]]]
    rosenbrock_steps: int | None  # None where weight decay or too short a memory is in the way

    def run(
        self, x: np.ndarray, gradient: Gradient, steps: int, optimizer: dl.Optimizer | None = None
    ) -> np.ndarray:
        """Move `x`, in place, and return all its positions (steps, len(x))."""
        optimizer = optimizer or self.make()
        path = []
        for _ in range(steps):
            optimizer.update(x, np.array(gradient(x.tolist()), x.dtype))
            path.append(x.copy())
        return np.array(path)

    def __str__(self) -> str:
        return self.name


OPTIMIZER_CASES = [
    OptimizerCase("SGD", lambda: dl.SGD(0.001), partial(heavy_ball, rate=0.001), 30000),
    OptimizerCase(
        "SGD, momentum",
        lambda: dl.SGD(0.001, momentum=0.9),
        partial(heavy_ball, rate=0.001, momentum=0.9),
        3000,
    ),
    OptimizerCase(
        "SGD, Nesterov",
        lambda: dl.SGD(0.001, momentum=0.8, nesterov=True),
        partial(look_ahead, rate=0.001, momentum=0.8),
        6000,
    ),
    OptimizerCase(
        "SGD, weight decay",
        lambda: dl.SGD(0.001, weight_decay=3.0),
        partial(heavy_ball, rate=0.001, decay=3.0),
        None,
    ),
    OptimizerCase(
        "SGD, momentum, weight decay",
        lambda: dl.SGD(0.001, momentum=0.5, weight_decay=3.0),
        partial(heavy_ball, rate=0.001, momentum=0.5, decay=3.0),
        None,
    ),
    OptimizerCase("Adam", lambda: dl.Adam(0.05), partial(adaptive_moments, rate=0.05), 3000),
    OptimizerCase(
        "Adam, other betas",
        lambda: dl.Adam(0.02, beta1=0.5, beta2=0.75, epsilon=0.1),
        partial(adaptive_moments, rate=0.02, betas=(0.5, 0.75), epsilon=0.1),
        None,
    ),
    OptimizerCase(
        "Adam, weight decay",
        lambda: dl.Adam(0.05, weight_decay=0.5),
        partial(adaptive_moments, rate=0.05, decay=0.5),
        None,
    ),
]
