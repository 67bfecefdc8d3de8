"""Multi-head self-attention, where every step of a sequence looks at the others."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from minidl.arguments import flag, whole_number
from minidl.initializers import GlorotUniform, Zeros
from minidl.layers.attention import attend, attend_backward
from minidl.layers.base import Layer
from minidl.layers.checks import check_parts, check_sequences
from minidl.parameters import ParameterSpec
from minidl.products import as_rows, rows_times
from minidl.regularization import Constraint, Penalty
from minidl.typing import Array, Shape


class MultiHeadSelfAttention(Layer):
    r"""Every step of a sequence gathers from all steps what it finds relevant.

    Each step has a query, a key and a value, affine maps of it: $(Q \mid K \mid V) = x W + b$. Each
    of the three is cut into H heads of $d = D / H$ columns, and each head computes

    $$A = \mathrm{softmax}\!\left(Q K^T / \sqrt d\right), \qquad C = A V ,$$

    the softmax over keys: step i takes a mean of all values, weighted by how well its query agrees
    with their keys. The heads' C, side by side, are mapped: $y = C W_o + b_o$. Backward, by heads,

    $$dV = A^T dC, \qquad dA = dC\, V^T, \qquad dS_{ij} = A_{ij} (dA_{ij} - \sum_k dA_{ik} A_{ik})$$

    $$dQ = dS\, K / \sqrt d, \qquad dK = dS^T Q / \sqrt d .$$

    A step with `mask` False is never attended to; as a query it counts like any other. A query that
    may attend to nothing gets C = 0, so that $y = b_o$, and no gradient. The order of steps is seen
    only behind `PositionalEncoding`, or through `causal`. Forward takes $8 N T D^2 + 4 N T^2 D$
    floating-point operations, backward twice that. Training keeps all A, $N H T^2$ numbers;
    inference has 2 MiB of them at a time.

    Shapes:
        x and y `(N, T, D)`, mask `(N, T)`; T may be left open: `build((None, D))`.

    Args:
        heads: Number of heads H, a divisor of D.
        causal: Whether step t attends to steps 0 to t only, as a model of what comes next must.
        weight_penalty: What is added to the loss for W and $W_o$, such as `L2(1e-4)`.
        weight_constraint: What holds W and $W_o$ after every step, such as `MaxNorm(2.0)`.

    Attributes:
        weight: W `(D, 3 D)`; columns for queries, then keys, then values, in each head after head.
        bias: b `(3 D,)`, in the same order.
        output_weight: $W_o$ `(D, D)`; rows head after head.
        output_bias: $b_o$ `(D,)`.

    Raises:
        ArgumentError: If `heads` is not a whole number above 0.
        ShapeError: At `build`, if samples are not sequences of vectors, or H does not divide D.

    Example:
        >>> import numpy as np, minidl as dl
        >>> layer = dl.MultiHeadSelfAttention(2, causal=True).build((None, 4), rng=0)
        >>> x = np.random.default_rng(0).normal(size=(1, 5, 4))
        >>> np.allclose(layer(x)[:, :3], layer(x[:, :3]))  # later steps change nothing
        True

    References:
        A. Vaswani et al., Attention is all you need, NeurIPS 2017.
    """

    accepts_mask = True
    weight: Array
    bias: Array
    output_weight: Array
    output_bias: Array

    def __init__(
        self,
        heads: int,
        *,
        causal: bool = False,
        weight_penalty: Penalty | None = None,
        weight_constraint: Constraint | None = None,
    ) -> None:
        self.heads = whole_number("MultiHeadSelfAttention", "heads", heads)
        self.causal = flag("MultiHeadSelfAttention", "causal", causal)
        self.weight_penalty, self.weight_constraint = weight_penalty, weight_constraint

    def output_shape(self, input_shape: Shape) -> Shape:
        check_sequences(self, input_shape)
        check_parts(self, input_shape, "heads", self.heads)
        return input_shape

    def parameter_specs(self, input_shape: Shape) -> Sequence[ParameterSpec]:
        _, d = input_shape
        held: Any = {"penalty": self.weight_penalty, "constraint": self.weight_constraint}
        return [
            ParameterSpec("weight", (d, 3 * d), GlorotUniform(), fan_in=d, fan_out=3 * d, **held),
            ParameterSpec("bias", (3 * d,), Zeros(), decay=False),
            ParameterSpec("output_weight", (d, d), GlorotUniform(), fan_in=d, fan_out=d, **held),
            ParameterSpec("output_bias", (d,), Zeros(), decay=False),
        ]

    def _heads(self, a: Array) -> Array:
        """P blocks of D columns, (N, T, P D), by heads: a view (P, N, H, T, d)."""
        n, t, _ = a.shape
        blocks = a.reshape(n, t, -1, self.heads, self.input_shape[-1] // self.heads)
        return blocks.transpose(2, 0, 3, 1, 4)  # (N, T, P, H, d) -> (P, N, H, T, d)

    def forward(
        self,
        x: Array,
        *,
        training: bool = False,
        out: Array | None = None,
        mask: Array | None = None,
    ) -> Array:
        qkv = rows_times(x, self.weight, None)  # (N, T, D) @ (D, 3D) -> (N, T, 3D)
        qkv += self.bias
        q, k, v = self._heads(qkv)
        q /= math.sqrt(q.shape[-1])  # instead of the scores, which are more
        context = np.empty(x.shape, x.dtype)
        (c,) = self._heads(context)
        weights = attend(q, k, v, mask, self.causal, training, out=c)
        y = rows_times(context, self.output_weight, out)  # (N, T, D) @ (D, D) -> (N, T, D)
        y += self.output_bias
        if training:
            self.save_for_backward(x, qkv, weights, context)
        return y

    def backward(
        self, dy: Array, *, input_grad: bool = True, out: Array | None = None
    ) -> Array | None:
        x, qkv, weights, context = self.saved()
        d = x.shape[-1]
        dy_rows = as_rows(dy)  # (N T, D)
        np.matmul(context.reshape(-1, d).T, dy_rows, out=self.gradients["output_weight"])
        dy_rows.sum(axis=0, out=self.gradients["output_bias"])
        dcontext = rows_times(dy, self.output_weight.T, None)
        (dc,), (c,), (q, k, v) = map(self._heads, (dcontext, context, qkv))
        dqkv = np.empty_like(qkv)
        attend_backward(dc, c, weights, q, k, v, out=self._heads(dqkv))
        dqkv[..., :d] /= math.sqrt(q.shape[-1])
        dqkv_rows = as_rows(dqkv)  # (N T, 3D)
        np.matmul(x.reshape(-1, d).T, dqkv_rows, out=self.gradients["weight"])
        dqkv_rows.sum(axis=0, out=self.gradients["bias"])
        # (N, T, 3D) @ (3D, D) -> (N, T, D)
        return rows_times(dqkv, self.weight.T, out) if input_grad else None
