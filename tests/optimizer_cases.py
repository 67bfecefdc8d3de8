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
Reference = Callable[[list[float], Gradient, int], list[list[float]]]


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
    amsgrad: bool = False,
) -> list[list[float]]:
    """Kingma and Ba 2015, algorithm 1; with decay Loshchilov and Hutter 2019, algorithm 2.

    With AMSGrad the largest v of Reddi et al. 2018, algorithm 2, and the correction of algorithm 1.
    """
    (b1, b2), n = betas, len(x)
    m, v, largest, path = [0.0] * n, [0.0] * n, [0.0] * n, []
    for t in range(1, steps + 1):
        g = gradient(x)
        m = [b1 * m[i] + (1 - b1) * g[i] for i in range(n)]
        v = [b2 * v[i] + (1 - b2) * g[i] ** 2 for i in range(n)]
        m_hat = [m[i] / (1 - b1**t) for i in range(n)]
        largest = [max(largest[i], v[i]) for i in range(n)] if amsgrad else v
        v_hat = [largest[i] / (1 - b2**t) for i in range(n)]
        x = [
            x[i] - rate * (m_hat[i] / (math.sqrt(v_hat[i]) + epsilon) + decay * x[i])
            for i in range(n)
        ]
        path.append(x)
    return path


def root_mean_square(
    x: list[float],
    gradient: Gradient,
    steps: int,
    *,
    rate: float,
    rho: float = 0.99,
    momentum: float = 0.0,
    epsilon: float = 1e-8,
    decay: float = 0.0,
) -> list[list[float]]:
    """Tieleman and Hinton 2012, slide 29 of lecture 6e, and a heavy ball of its steps.

    The velocity has the rate inside, and the mean square is a sum of all steps' squares.
    """
    history: list[list[float]] = []
    ball, path = [0.0] * len(x), []
    for _ in range(steps):
        history.append(gradient(x))
        shares = [(1 - rho) * rho**age for age in range(len(history))][::-1]
        for i, gi in enumerate(history[-1]):
            mean_square = sum(s * g[i] * g[i] for s, g in zip(shares, history, strict=True))
            ball[i] = momentum * ball[i] - rate * gi / (math.sqrt(mean_square) + epsilon)
        x = [xi * (1 - rate * decay) + bi for xi, bi in zip(x, ball, strict=True)]
        path.append(x)
    return path


def accumulated_squares(
    x: list[float],
    gradient: Gradient,
    steps: int,
    *,
    rate: float,
    start: float = 0.0,
    epsilon: float = 1e-10,
    decay: float = 0.0,
) -> list[list[float]]:
    """Duchi et al. 2011, figure 1 with diagonal matrices: H = diag(||g_(1:t, i)||)."""
    history, path = [], []
    for _ in range(steps):
        g = gradient(x)
        history.append(g)
        norms = [math.sqrt(start + sum(past[i] ** 2 for past in history)) for i in range(len(x))]
        x = [x[i] - rate * g[i] / (norms[i] + epsilon) - rate * decay * x[i] for i in range(len(x))]
        path.append(x)
    return path


def unit_correction(
    x: list[float],
    gradient: Gradient,
    steps: int,
    *,
    rate: float = 1.0,
    rho: float = 0.9,
    epsilon: float = 1e-6,
    decay: float = 0.0,
) -> list[list[float]]:
    """Zeiler 2012, algorithm 1; its steps times a rate."""
    n = len(x)
    g2, dx2, path = [0.0] * n, [0.0] * n, []
    for _ in range(steps):
        g = gradient(x)
        g2 = [rho * g2[i] + (1 - rho) * g[i] ** 2 for i in range(n)]
        dx = [-math.sqrt((dx2[i] + epsilon) / (g2[i] + epsilon)) * g[i] for i in range(n)]
        dx2 = [rho * dx2[i] + (1 - rho) * dx[i] ** 2 for i in range(n)]
        x = [x[i] + rate * dx[i] - rate * decay * x[i] for i in range(n)]
        path.append(x)
    return path


def nesterov_moments(
    x: list[float],
    gradient: Gradient,
    steps: int,
    *,
    rate: float,
    betas: tuple[float, float] = (0.9, 0.999),
    psi: float = 0.004,
    epsilon: float = 1e-8,
    decay: float = 0.0,
) -> list[list[float]]:
    """Dozat 2016, algorithm 2, with the momenta of its section 3 (1 - 0.5 * 0.96^(t psi))."""
    (b1, b2), n = betas, len(x)
    mu = [b1 * (1 - 0.5 * 0.96 ** (t * psi)) for t in range(steps + 2)]
    m, v, path = [0.0] * n, [0.0] * n, []
    for t in range(1, steps + 1):
        g = gradient(x)
        m = [b1 * m[i] + (1 - b1) * g[i] for i in range(n)]
        v = [b2 * v[i] + (1 - b2) * g[i] ** 2 for i in range(n)]
        g_hat = [g[i] / (1 - math.prod(mu[1 : t + 1])) for i in range(n)]
        m_hat = [m[i] / (1 - math.prod(mu[1 : t + 2])) for i in range(n)]
        v_hat = [v[i] / (1 - b2**t) for i in range(n)]
        m_bar = [(1 - mu[t]) * g_hat[i] + mu[t + 1] * m_hat[i] for i in range(n)]
        x = [
            x[i] - rate * (m_bar[i] / (math.sqrt(v_hat[i]) + epsilon) + decay * x[i])
            for i in range(n)
        ]
        path.append(x)
    return path


def evolved_signs(
    x: list[float],
    gradient: Gradient,
    steps: int,
    *,
    rate: float,
    betas: tuple[float, float] = (0.9, 0.99),
    decay: float = 0.0,
) -> list[list[float]]:
    """Chen et al. 2023, algorithm 2."""
    (b1, b2), n = betas, len(x)
    m, path = [0.0] * n, []
    for _ in range(steps):
        g = gradient(x)
        c = [b1 * m[i] + (1 - b1) * g[i] for i in range(n)]
        signs = [(ci > 0) - (ci < 0) for ci in c]
        x = [x[i] - rate * (signs[i] + decay * x[i]) for i in range(n)]
        m = [b2 * m[i] + (1 - b2) * g[i] for i in range(n)]
        path.append(x)
    return path


def with_short_gradients(
    x: list[float], gradient: Gradient, steps: int, *, rule: Reference, norm: float
) -> list[list[float]]:
    """Pascanu et al. 2013, algorithm 1, before a rule."""

    def clipped(x: list[float]) -> list[float]:
        g = gradient(x)
        length = math.hypot(*g)
        return [gi * norm / length for gi in g] if length > norm else g

    return rule(x, clipped, steps)


def with_small_gradients(
    x: list[float], gradient: Gradient, steps: int, *, rule: Reference, value: float
) -> list[list[float]]:
    """Every element between -value and value, before a rule."""
    return rule(x, lambda x: [sorted((-value, gi, value))[1] for gi in gradient(x)], steps)


@dataclass(frozen=True)
class OptimizerCase:
    """How to make an optimizer, its reference, and how long it may take to Rosenbrock's minimum."""

    name: str
    make: Callable[[], dl.Optimizer]
    reference: Reference
    rosenbrock_steps: int | None  # None where weight decay or too short a memory is in the way
    settling: Callable[[], dl.Optimizer] | None = (
        None  # in place of `make` where the rate must fall
    )

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
    OptimizerCase(
        "Adam, AMSGrad",
        lambda: dl.Adam(0.1, amsgrad=True),
        partial(adaptive_moments, rate=0.1, amsgrad=True),
        3000,
    ),
    OptimizerCase(
        "AdamW", lambda: dl.AdamW(0.5), partial(adaptive_moments, rate=0.5, decay=0.01), None
    ),
    OptimizerCase(
        "AdamW, other options",
        lambda: dl.AdamW(0.05, beta1=0.5, beta2=0.75, epsilon=0.1, amsgrad=True, weight_decay=0.5),
        partial(
            adaptive_moments, rate=0.05, betas=(0.5, 0.75), epsilon=0.1, decay=0.5, amsgrad=True
        ),
        None,
    ),
    OptimizerCase("RMSprop", lambda: dl.RMSprop(0.01), partial(root_mean_square, rate=0.01), None),
    OptimizerCase(
        "RMSprop, momentum",
        lambda: dl.RMSprop(0.003, momentum=0.9),
        partial(root_mean_square, rate=0.003, momentum=0.9),
        2000,
        lambda: dl.RMSprop(dl.CosineDecay(0.003, 2000), momentum=0.9),
    ),
    OptimizerCase(
        "RMSprop, other options",
        lambda: dl.RMSprop(0.004, rho=0.75, epsilon=0.1, weight_decay=0.5),
        partial(root_mean_square, rate=0.004, rho=0.75, epsilon=0.1, decay=0.5),
        None,
    ),
    OptimizerCase(
        "Adagrad", lambda: dl.Adagrad(1.0), partial(accumulated_squares, rate=1.0), 10000
    ),
    OptimizerCase(
        "Adagrad, other options",
        lambda: dl.Adagrad(0.1, initial_accumulator=2.0, epsilon=0.5, weight_decay=0.5),
        partial(accumulated_squares, rate=0.1, start=2.0, epsilon=0.5, decay=0.5),
        None,
    ),
    OptimizerCase(
        "Adadelta",
        dl.Adadelta,
        unit_correction,
        12000,
        lambda: dl.Adadelta(dl.CosineDecay(1.0, 12000)),
    ),
    OptimizerCase(
        "Adadelta, other options",
        lambda: dl.Adadelta(0.5, rho=0.75, epsilon=1e-5, weight_decay=0.05),
        partial(unit_correction, rate=0.5, rho=0.75, epsilon=1e-5, decay=0.05),
        None,
    ),
    OptimizerCase(
        "NAdam",
        lambda: dl.NAdam(0.05),
        partial(nesterov_moments, rate=0.05),
        6000,
        lambda: dl.NAdam(dl.CosineDecay(0.05, 6000)),
    ),
    OptimizerCase(
        "NAdam, other options",
        lambda: dl.NAdam(
            0.02, beta1=0.5, beta2=0.75, momentum_decay=0.5, epsilon=0.1, weight_decay=0.5
        ),
        partial(nesterov_moments, rate=0.02, betas=(0.5, 0.75), psi=0.5, epsilon=0.1, decay=0.5),
        None,
    ),
    OptimizerCase(
        "Lion",
        lambda: dl.Lion(0.01),
        partial(evolved_signs, rate=0.01),
        3000,
        lambda: dl.Lion(dl.CosineDecay(0.01, 3000)),
    ),
    OptimizerCase(
        "Lion, other options",
        lambda: dl.Lion(0.02, beta1=0.5, beta2=0.75, weight_decay=0.5),
        partial(evolved_signs, rate=0.02, betas=(0.5, 0.75), decay=0.5),
        None,
    ),
    OptimizerCase(
        "SGD, clipped by norm",
        lambda: dl.SGD(0.002, momentum=0.9, clip_norm=10.0),
        partial(
            with_short_gradients, rule=partial(heavy_ball, rate=0.002, momentum=0.9), norm=10.0
        ),
        3000,
    ),
    OptimizerCase(
        "SGD, clipped by value",
        lambda: dl.SGD(0.002, momentum=0.9, clip_value=5.0),
        partial(
            with_small_gradients, rule=partial(heavy_ball, rate=0.002, momentum=0.9), value=5.0
        ),
        3000,
    ),
]
