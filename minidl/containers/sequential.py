"""Layers one after the other."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from numpy.typing import ArrayLike

from minidl.arguments import instances
from minidl.containers.chain import Chain
from minidl.containers.masks import output_mask
from minidl.containers.nesting import leaves_of, listed, refuse_late_embeddings
from minidl.containers.trace import traced
from minidl.errors import ArgumentError, StateError
from minidl.layers import calls
from minidl.layers.base import Layer
from minidl.layers.checks import check_input, check_out, convert_input
from minidl.layers.planning import checked_output_shape
from minidl.typing import Array, Shape


class Sequential(Layer):
    r"""Layers in a chain, $y = f_L(\dots f_2(f_1(x)))$.

    Backward is the chain rule: each layer turns the gradient at its output into the gradient at
    its input, from last to first. A Sequential is itself a layer and can stand inside another one.

    Shapes:
        x as the first layer takes it, y as the last one gives it.

    Args:
        layers: The layers, from input to output; kept as a list, not to be changed after `build`.

    Example:
        >>> import numpy as np, minidl as dl
        >>> model = dl.Sequential([dl.Dense(10), dl.ReLU(), dl.Dense(10), dl.Softmax()])
        >>> model.build((784,), rng=0).predict(np.zeros((3, 784))).shape
        (3, 10)
        >>> h = model.forward_to(2, np.ones((3, 784), np.float32), training=True)
        >>> list(model.trace(np.ones((1, 784)))), h.shape, model.backward_from(2, h).shape
        (['0.dense', '1.relu', '2.dense', '3.softmax'], (3, 10), (3, 784))
    """

    results_checked = True

    def __init__(self, layers: Iterable[Layer], *more: Layer) -> None:
        # `more` are layers without the brackets of a list: refused, with what to write
        self.layers = instances("Sequential", "layer", layers, Layer, *more)
        if not self.layers:
            raise ArgumentError("Sequential: needs at least one layer, got none.")
        self.children = self.layers
        refuse_late_embeddings(self)
        self.couples_rows = any(layer.couples_rows for layer in self.layers)
        self.accepts_mask = any(layer.accepts_mask for layer in self.layers)
        self.accepts_integers = self.layers[0].accepts_integers
        self.accepts_sparse = self.layers[0].accepts_sparse

    def child_input_shapes(self, input_shape: Shape) -> Sequence[Shape]:
        shapes = [input_shape]
        for layer in self.layers[:-1]:
            shapes.append(checked_output_shape(layer, shapes[-1]))
        return shapes

    def output_shape(self, input_shape: Shape) -> Shape:
        return checked_output_shape(self.layers[-1], self.child_input_shapes(input_shape)[-1])

    def compute_mask(self, x: Array) -> Array | None:
        return output_mask(leaves_of(self.layers), x)

    @property
    def makes_mask(self) -> bool:
        return self.layers[0].makes_mask

    def forward(
        self,
        x: Array,
        *,
        training: bool = False,
        out: Array | None = None,
        mask: Array | None = None,
    ) -> Array:
        return self._forward_to(len(self.layers), x, training, out, mask)

    def backward(
        self, dy: Array, *, input_grad: bool = True, out: Array | None = None
    ) -> Array | None:
        return self._backward_from(len(self.layers), dy, input_grad, out)

    def _forward_to(
        self, k: int, x: Array, training: bool, out: Array | None, mask: Array | None = None
    ) -> Array:
        if not training:
            return self._chain(k).infer(x, out, mask)
        self.save_for_backward(k)
        return self._chain(k).forward(x, out, mask)

    def _backward_from(
        self, k: int, dy: Array, input_grad: bool, out: Array | None
    ) -> Array | None:
        self._check_pass(k)
        self.saved()
        return self._chain(k).backward(dy, input_grad, out)

    def _chain(self, k: int) -> Chain:
        """The first k layers as a chain, in which masks go the same way however they are nested."""
        chains: dict[int, Chain] = self.bound.chains
        if k not in chains:
            chains[k] = Chain(self, leaves_of(self.layers[:k]))
        return chains[k]

    def forward_to(
        self, k: int, x: Array, *, training: bool = False, out: Array | None = None
    ) -> Array:
        """Run the first `k` layers on x (N, ...); `backward_from(k, dy)` goes back from there."""
        self._check_stop(k)
        check_input(self, x)
        if out is not None:
            shape = self.layers[k - 1].bound.output_shape if k else self.input_shape
            check_out(self.layers[max(k - 1, 0)], out, (x.shape[0], *shape))
        h = calls.run_pass(self, training, lambda: self._forward_to(k, x, training, None))
        return calls.own_copy(h, x, training, out)

    def backward_from(
        self, k: int, dy: Array, *, input_grad: bool = True, out: Array | None = None
    ) -> Array | None:
        """Go back from the output (N, ...) of the first `k` layers, after `forward_to(k, ...)`."""
        self._check_stop(k)
        calls.check_dy(self, dy)
        self._check_pass(k)
        dx = calls.finish_pass(self, lambda: self._backward_from(k, dy, input_grad, None))
        return None if dx is None else calls.own_copy(dx, dy, False, out)

    def _check_pass(self, k: int) -> None:
        if self._saved not in (None, (k,)):
            raise StateError(
                f"{self.where}: backward_from({k}) needs forward_to({k}, x, training=True) before."
            )

    def _check_stop(self, k: int) -> None:
        if not 0 <= k <= len(self.layers):
            raise ArgumentError(
                f"{self.where}: k must be between 0 and {len(self.layers)}, got {k!r}."
            )

    def trace(self, x: ArrayLike) -> dict[str, Array]:
        """Every layer's output (N, ...) by name, `0.dense`; none inside `Residual`, `Parallel`."""
        return dict(traced(self, convert_input(self, x), None, ""))

    def __repr__(self) -> str:
        return f"Sequential([{listed(self.layers)}])"
