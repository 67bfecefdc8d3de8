"""Layers one after the other."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from numpy.typing import ArrayLike

from minidl.errors import ArgumentError, ArgumentTypeError, StateError
from minidl.layers import calls
from minidl.layers.base import Layer
from minidl.layers.checks import check_input, convert_input
from minidl.typing import Array, Shape


class Sequential(Layer):
    r"""Layers in a chain, $y = f_L(\dots f_2(f_1(x)))$.

    Backward is the chain rule: each layer turns the gradient at its output into the gradient at
    its input, from the last layer to the first. A Sequential is itself a layer and can stand
    inside another one. It owns the buffers of a training pass and lends them to its layers.

    Args:
        layers: The layers, from input to output.

    Attributes:
        layers: The same, as a list; it is not changed after `build`.

    Raises:
        ArgumentTypeError: If an element is not a layer, such as a class: `ReLU` for `ReLU()`.

    Example:
        >>> import numpy as np, minidl as dl
        >>> model = dl.Sequential([dl.Dense(10), dl.ReLU(), dl.Dense(10), dl.Softmax()])
        >>> model.build((784,), rng=0).predict(np.zeros((3, 784))).shape
        (3, 10)
        >>> len(model.params)
        7960
    """

    def __init__(self, layers: Iterable[Layer]) -> None:
        self.layers = list(layers)
        if not self.layers:
            raise ArgumentError("Sequential: needs at least one layer, got none.")
        for index, layer in enumerate(self.layers):
            if not isinstance(layer, Layer):
                is_class = isinstance(layer, type)
                got = f"the class {layer.__name__}" if is_class else repr(layer)
                fix = f"Make an instance: {layer.__name__}(...)." if is_class else ""
                raise ArgumentTypeError(
                    f"Sequential: layer {index} must be a layer, got {got}. {fix}".rstrip()
                )
        self.children = self.layers
        self.couples_rows = any(layer.couples_rows for layer in self.layers)
        self.accepts_integers = self.layers[0].accepts_integers

    def child_input_shapes(self, input_shape: Shape) -> Sequence[Shape]:
        """Each layer's input is the output of the one before."""
        shapes = [input_shape]
        for layer in self.layers[:-1]:
            shapes.append(layer.output_shape(shapes[-1]))
        return shapes

    def output_shape(self, input_shape: Shape) -> Shape:
        for layer in self.layers:
            input_shape = layer.output_shape(input_shape)
        return input_shape

    def forward(self, x: Array, *, training: bool = False, out: Array | None = None) -> Array:
        return self._forward_to(len(self.layers), x, training, out)

    def backward(
        self, dy: Array, *, input_grad: bool = True, out: Array | None = None
    ) -> Array | None:
        return self._backward_from(len(self.layers), dy, input_grad, out)

    def _forward_to(self, k: int, x: Array, training: bool, out: Array | None) -> Array:
        if len(self.layers) != len(self.bound.outputs):
            raise StateError(f"{self.where}: its list of layers was changed after build.")
        if training:
            self.save_for_backward(k)
        buffers, n = self.bound.outputs, len(x)
        for i in range(k):
            last = i == k - 1 and out is not None
            # Inference shares nothing between threads, so it has no buffers.
            buffer = out if last else buffers[i].rows(n) if training else None
            x = calls.call_forward(self.layers[i], x, training, buffer)
        return x

    def _backward_from(
        self, k: int, dy: Array, input_grad: bool, out: Array | None
    ) -> Array | None:
        self.saved()
        buffers, n = self.bound.input_grads, len(dy)
        first = 0 if input_grad else self._first_with_parameters()
        for i in range(k - 1, first - 1, -1):
            if i == first and not input_grad:
                calls.call_backward(self.layers[i], dy, False, None)
                return None
            buffer = out if i == 0 and out is not None else buffers[i].rows(n)
            dx = calls.call_backward(self.layers[i], dy, True, buffer)
            if dx is not None:
                dy = dx
        return dy if input_grad else None

    def _first_with_parameters(self) -> int:
        for i, layer in enumerate(self.layers):
            if layer.bound.params.size:
                return i
        return len(self.layers)

    def forward_to(
        self, k: int, x: Array, *, training: bool = False, out: Array | None = None
    ) -> Array:
        """Run the first `k` layers; `backward_from(k, dy)` goes back from there."""
        self._check_stop(k)
        check_input(self, x)
        run = lambda: self._forward_to(k, x, training, None)  # noqa: E731
        return calls.own_copy(calls.run_pass(self, x, training, run), x, training, out)

    def backward_from(
        self, k: int, dy: Array, *, input_grad: bool = True, out: Array | None = None
    ) -> Array | None:
        """Go back from the output of the first `k` layers, as `forward_to(k, ...)` left it."""
        self._check_stop(k)
        calls.check_dy(self, dy)
        if self._saved != (k,):
            raise StateError(
                f"{self.where}: backward_from({k}) needs forward_to({k}, x, training=True) before."
            )
        try:
            dx = self._backward_from(k, dy, input_grad, None)
        finally:
            self.bound.expected_dy = None
            calls.end_training_pass(self)
        return None if dx is None else calls.own_copy(dx, dy, False, out)

    def _check_stop(self, k: int) -> None:
        if not 0 <= k <= len(self.layers):
            raise ArgumentError(
                f"{self.where}: k must be between 0 and {len(self.layers)}, got {k!r}."
            )

    def trace(self, x: ArrayLike) -> dict[str, Array]:
        """Return every layer's output for a batch, by name: `0.dense`, `1.relu`, ..."""
        return self._trace(convert_input(self, x), "")

    def _trace(self, x: Array, prefix: str) -> dict[str, Array]:
        activations: dict[str, Array] = {}
        for index, layer in enumerate(self.layers):
            name = f"{prefix}{index}.{type(layer).__name__.lower()}"
            if isinstance(layer, Sequential):
                activations |= layer._trace(x, f"{name}.")
            y = calls.call_forward(layer, x, False, None)
            activations[name] = calls.own_copy(y, x, False, None)
            x = activations[name]
        return activations

    def __repr__(self) -> str:
        line = ", ".join(map(repr, self.layers))
        if len(line) <= 76 and "\n" not in line:
            return f"Sequential([{line}])"
        lines = "".join(f"    {layer!r},\n" for layer in self.layers).replace("\n    ", "\n    ")
        return f"Sequential([\n{lines}])"
