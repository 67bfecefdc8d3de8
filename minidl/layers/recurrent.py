"""What recurrent layers share: the walk along time, masks, and the products with their weights."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any, ClassVar

import numpy as np

from minidl.arguments import flag, whole_number
from minidl.initializers import GlorotUniform, Initializer, Orthogonal
from minidl.layers.base import Layer
from minidl.layers.checks import check_sequences
from minidl.layers.scratch import Scratch
from minidl.parameters import ParameterSpec
from minidl.regularization import Constraint, Penalty
from minidl.typing import Array, Shape


class Recurrent(Layer):
    r"""Base of the layers that read a sequence step by step and keep a state.

    Step t computes all gates' sums in one product, $a_t = A^T [x_t; 1; h_{t-1}]$ with
    $A = [W; b; U]$, and from them the new state. A subclass has `parameter_specs`, `step`,
    `step_back`, and where its A has another form `stacked_weights` and `unstack_gradients`.

    The batch comes last in memory: each gate is one contiguous block (M, N). `columns[t]`, of
    D + 1 + S M rows, holds $x_t$, ones, and the state before step t: S arrays, h the first.
    """

    accepts_mask = True
    n_states: ClassVar[int] = 1
    sigmoids: ClassVar[tuple[int, ...]] = ()  # blocks of a that go through a sigmoid

    weight: Array
    recurrent_weight: Array
    bias: Array

    def __init__(
        self,
        units: int,
        *,
        return_sequences: bool = False,
        weight_penalty: Penalty | None = None,
        weight_constraint: Constraint | None = None,
    ) -> None:
        self.units = whole_number(type(self).__name__, "units", units)
        self.return_sequences = flag(type(self).__name__, "return_sequences", return_sequences)
        self.weight_penalty, self.weight_constraint = weight_penalty, weight_constraint
        self._scratch = Scratch()

    @abstractmethod
    def step(self, a: Array, old: Array, new: Array) -> None:
        """Turn the sums `a` into gates, in place, and write the new state (S M, N)."""

    @abstractmethod
    def step_back(self, a: Array, old: Array, new: Array, ds: Array) -> None:
        """Turn the gates `a` into the gradient at the sums, in place.

        `ds`, the gradient at the new state, becomes that at the old one, without the sums' share.
        """

    def stacked_weights(self) -> Array:
        """A (D + 1 + M, G M), as an array of its own."""
        return np.vstack([self.weight, self.bias, self.recurrent_weight])

    def unstack_gradients(self, dA: Array) -> None:
        """Write the gradients of the parameters, given that of A."""
        d = len(self.weight)
        self.gradients["weight"][...] = dA[:d]
        self.gradients["bias"][...] = dA[d]
        self.gradients["recurrent_weight"][...] = dA[d + 1 :]

    def output_shape(self, input_shape: Shape) -> Shape:
        check_sequences(self, input_shape)
        return (input_shape[0], self.units) if self.return_sequences else (self.units,)

    def gate_specs(self, d: int, gates: int, bias: Initializer) -> list[ParameterSpec]:
        """W (D, G M), U (M, G M) and b (G M,) with the initial values usual for them."""
        m, gm = self.units, gates * self.units
        held: Any = {"penalty": self.weight_penalty, "constraint": self.weight_constraint}
        return [
            ParameterSpec("weight", (d, gm), GlorotUniform(), fan_in=d, fan_out=gm, **held),
            ParameterSpec("recurrent_weight", (m, gm), Orthogonal(), fan_in=m, fan_out=gm, **held),
            ParameterSpec("bias", (gm,), bias, fan_in=d, fan_out=gm, decay=False),
        ]

    def forward(
        self,
        x: Array,
        *,
        training: bool = False,
        out: Array | None = None,
        mask: Array | None = None,
    ) -> Array:
        (n, steps, d), m, A = x.shape, self.units, self.stacked_weights()
        k, gm = A.shape
        for block in self.sigmoids:  # `step` gets v / 2, as sigmoid(v) = (1 + tanh(v / 2)) / 2
            A[:, block * m : (block + 1) * m] *= 0.5
        scratch = self._scratch if training else Scratch()
        columns = scratch.empty("columns", (steps + 1, k + (self.n_states - 1) * m, n), x.dtype)
        columns[:-1, :d] = x.transpose(1, 2, 0)
        columns[:, d] = 1.0
        states = columns[:, d + 1 :]
        states[0] = 0.0
        a: Array | list[Array] = [np.empty((gm, n), x.dtype)] * steps  # one block for all steps
        if training:
            a = scratch.empty("gates", (steps, gm, n), x.dtype)
        for t in range(steps):
            np.matmul(A.T, columns[t, :k], out=a[t])  # (G M, K) @ (K, N) -> (G M, N)
            self.step(a[t], states[t], states[t + 1])
            if mask is not None:  # where a step does not count, the state stays
                np.copyto(states[t + 1], states[t], where=~mask[:, t])
        if training:
            self.save_for_backward(columns, a, mask)
        h = states[:, :m]
        y = h[1:].transpose(2, 0, 1) if self.return_sequences else h[-1].T
        return np.positive(y, out=out, order="C")  # a copy, (N, T, M) or (N, M)

    def backward(
        self, dy: Array, *, input_grad: bool = True, out: Array | None = None
    ) -> Array | None:
        columns, a, mask = self.saved()
        (steps, _, n), m, A = a.shape, self.units, self.stacked_weights()
        k, d = len(A), len(self.weight)
        states = columns[:, d + 1 :]
        ds = np.zeros(states.shape[1:], dy.dtype)
        ds[:m] = 0.0 if self.return_sequences else dy.T
        for t in reversed(range(steps)):
            if self.return_sequences:
                ds[:m] += dy[:, t].T
            if mask is not None:
                passed_by = ds * ~mask[:, t]
                ds *= mask[:, t]
            self.step_back(a[t], states[t], states[t + 1], ds)
            ds[:m] += A[d + 1 :] @ a[t]  # (M, G M) @ (G M, N) -> (M, N)
            if mask is not None:
                ds += passed_by
        inside = self._scratch.steps_inside
        da = inside("da", a)  # (G M, T N): one product sums over steps and batch
        inputs = inside("inputs", columns[:-1, :k])  # (K, T N)
        self.unstack_gradients(inputs @ da.T)  # (K, T N) @ (T N, G M) -> (K, G M)
        if not input_grad:
            return None
        columns_grad = (A[:d] @ da).reshape(d, steps, n)  # (D, G M) @ (G M, T N) -> (D, T N)
        dx: Array = np.positive(columns_grad.transpose(2, 1, 0), out=out, order="C")
        return dx  # (N, T, D)
