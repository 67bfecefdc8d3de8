"""Long short-term memory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from minidl.initializers import Initializer
from minidl.layers.recurrent import Recurrent
from minidl.parameters import ParameterSpec
from minidl.typing import Array, Shape


class LSTM(Recurrent):
    r"""Recurrent layer with a memory c that gates write, keep and read.

    $$i_t, f_t, g_t, o_t = \sigma, \sigma, \tanh, \sigma \; (x_t W + h_{t-1} U + b),$$

    $$c_t = f_t \odot c_{t-1} + i_t \odot g_t, \qquad h_t = o_t \odot \tanh c_t,$$

    from $h_0 = c_0 = 0$; the four are consecutive blocks of M columns. Backward walks back in time:

    $$dc_t \mathrel{+}= dh_t \odot o_t \odot (1 - \tanh^2 c_t), \qquad dc_{t-1} = dc_t \odot f_t,$$

    and with $da_t$ the gradient at the sums $x_t W + h_{t-1} U + b$, which is
    $dc_t \odot g_t \odot i_t (1 - i_t)$ for i, likewise for f and o, and
    $dc_t \odot i_t \odot (1 - g_t^2)$ for g,

    $$dh_{t-1} \mathrel{+}= da_t U^T, \qquad dx_t = da_t W^T, \qquad dW = \sum_t x_t^T da_t, \qquad
    dU = \sum_t h_{t-1}^T da_t, \qquad db = \sum_t \sum_n da_t .$$

    The way from $c_t$ to $c_{t-1}$ has one factor f, which learning can bring near 1, so that a
    gradient survives hundreds of steps. The forget gates' biases begin at 1 for that reason (at 0,
    as in PyTorch, half of the memory would be lost at each step); all others begin at 0.

    A step with `mask` False leaves the state as it was, and its input gets no gradient. Cost:
    $8 N T M (D + M)$ floating-point operations forward, twice that backward.

    Shapes:
        x `(N, T, D)`, mask `(N, T)`, y `(N, M)` with M = `units`, or `(N, T, M)`; T may be left
        open: `build((None, D))`.

    Args:
        units: Length M of h and c.
        return_sequences: Whether y is h after every step; otherwise that after the last one.
        weight_penalty: What is added to the loss for W and U, such as `L2(1e-4)`.
        weight_constraint: What holds W and U after every step, such as `MaxNorm(2.0)`.

    Attributes:
        weight: W `(D, 4 M)`, gates in the order i, f, g, o; Glorot's uniform values at first.
        recurrent_weight: U `(M, 4 M)`; at first one matrix with orthonormal rows, as in Keras, not
            an orthogonal square for each gate.
        bias: b `(4 M,)`.

    Raises:
        ArgumentError: If `units` is not a whole number above 0.
        ShapeError: At `build`, if samples are not sequences of vectors.

    Example:
        >>> import numpy as np, minidl as dl
        >>> layer = dl.LSTM(3, return_sequences=True).build((None, 2), rng=0)
        >>> x = np.ones((1, 5, 2), np.float32)
        >>> y = layer.forward(x, mask=np.array([[True, True, True, False, False]]))
        >>> bool((y[0, 3:] == y[0, 2]).all())  # steps that do not count repeat the state
        True

    References:
        S. Hochreiter, J. Schmidhuber, Long short-term memory, Neural Computation 9, 1997. F. Gers,
        J. Schmidhuber, F. Cummins, Learning to forget, Neural Computation 12, 2000. R. Jozefowicz,
        W. Zaremba, I. Sutskever, An empirical exploration of recurrent network architectures, ICML
        2015 (forget gates' biases of 1).
    """

    n_states = 2  # h and c
    sigmoids = (0, 1, 3)

    def parameter_specs(self, input_shape: Shape) -> Sequence[ParameterSpec]:
        return self.gate_specs(input_shape[1], 4, ForgetGatesOne())

    def step(self, a: Array, old: Array, new: Array) -> None:
        m = self.units
        np.tanh(a, out=a)
        for s in (a[: 2 * m], a[3 * m :]):
            s += 1.0
            s *= 0.5
        i, f, g, o = a.reshape(4, m, a.shape[1])
        c_old, h, c = old[m:], new[:m], new[m:]
        np.multiply(f, c_old, out=c)
        c += i * g
        np.tanh(c, out=h)
        h *= o

    def step_back(self, a: Array, old: Array, new: Array, ds: Array) -> None:
        m = self.units
        i, f, g, o = a.reshape(4, m, a.shape[1])
        c_old, c, dh, dc = old[m:], new[m:], ds[:m], ds[m:]
        tanh_c = np.tanh(c)
        dc += dh * o * (1.0 - tanh_c * tanh_c)
        di, df, dg, do = dc * g, dc * c_old, dc * i, dh * tanh_c
        dc *= f
        dh[...] = 0.0  # the old h acts through the sums alone
        for s, gradient in ((i, di), (f, df), (o, do)):
            s *= (1.0 - s) * gradient
        np.multiply(dg, 1.0 - g * g, out=g)


@dataclass(frozen=True)
class ForgetGatesOne(Initializer):
    """Zeros for the biases of an LSTM, but ones for its forget gates, the second quarter."""

    def __call__(
        self, rng: np.random.Generator, shape: Shape, fan_in: int | None, fan_out: int | None
    ) -> Array:
        return np.repeat([0.0, 1.0, 0.0, 0.0], shape[0] // 4)
