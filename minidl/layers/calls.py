"""How layers are called: the checked entrance for users, the bare call between layers.

`Layer.__init_subclass__` keeps the `forward` and `backward` that a layer's author wrote as
`_forward` and `_backward`, and puts the checked versions from here in their place. Containers and
`Objective` call through `call_forward` and `call_backward`, which check a layer's own behaviour in
its first pass, and later only what costs nothing.
"""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from minidl.errors import ContractError, DTypeError, ShapeError, StateError
from minidl.layers.checks import check_input, check_out
from minidl.typing import Array, Shape

if TYPE_CHECKING:
    from minidl.layers.base import Layer


def call_forward(layer: Layer, x: Array, training: bool, out: Array | None) -> Array:
    """Run a layer's own forward inside a model."""
    bound = layer.bound
    if not bound.forward_checked:
        y: Array = _unchanged_argument(
            layer, "forward", x, lambda: layer._forward(x, training=training, out=out)
        )
        bound.forward_checked = True
    else:
        y = layer._forward(x, training=training, out=out)
    if y is not out:
        try:
            _check_result(layer, "forward", y, (len(x), *bound.output_shape))
        except Exception:
            bound.forward_checked = False
            raise
    return y


def call_backward(layer: Layer, dy: Array, input_grad: bool, out: Array | None) -> Array | None:
    """Run a layer's own backward inside a model."""
    bound = layer.bound
    if not bound.backward_checked:
        dx: Array | None = _unchanged_argument(
            layer, "backward", dy, lambda: layer._backward(dy, input_grad=input_grad, out=out)
        )
        bound.backward_checked = True
    else:
        dx = layer._backward(dy, input_grad=input_grad, out=out)
    if not input_grad:
        return None
    if dx is not out or dx is None:
        _check_result(layer, "backward", dx, (len(dy), *bound.input_shape))
    return dx


def _unchanged_argument(layer: Layer, method: str, a: Array, run: Callable[[], Any]) -> Any:
    """Run, and raise if the argument `a` was written to (it is put back first)."""
    before = a.copy()
    result = run()
    if not np.array_equal(before, a, equal_nan=a.dtype.kind == "f"):
        if a.flags.writeable:
            a[...] = before
        argument = "its input x" if method == "forward" else "dy"
        raise ContractError(
            f"{layer.where}: {method} wrote into {argument}. A layer must leave its arguments "
            "as they are: write the result into `out` or into a new array."
        )
    return result


def _check_result(layer: Layer, method: str, result: object, shape: Shape) -> None:
    if not isinstance(result, np.ndarray):
        raise ContractError(
            f"{layer.where}: {method} must return an array of shape {shape}, "
            f"got {type(result).__name__}. Is a return statement missing?"
        )
    if result.shape != shape:
        fix = (
            "output_shape must say what forward returns"
            if method == "forward"
            else ("the gradient of an array has the shape of that array")
        )
        raise ShapeError(
            f"{layer.where}: {method} returned shape {result.shape}, expected {shape}; {fix}."
        )
    if result.dtype != layer.dtype:
        raise DTypeError(
            f"{layer.where}: {method} returned dtype {result.dtype}, expected {layer.dtype}. "
            "A NumPy float64 scalar or array in the formula upcasts float32: use Python floats "
            "and arrays of x.dtype."
        )


def begin_training_pass(layer: Layer) -> None:
    """Claim the model for this thread, from a training forward to its backward."""
    owner = layer.bound.training_owner  # dict.setdefault is atomic; an `if` would not be
    me = threading.get_ident()
    if owner.setdefault("thread", me) == me:
        return
    if owner["thread"] in {thread.ident for thread in threading.enumerate()}:
        raise StateError(
            f"{layer.where}: two training passes at once on one model: another thread is between "
            "forward(training=True) and backward. Give each worker its own model.replica()."
        )
    owner["thread"] = me


def end_training_pass(layer: Layer) -> None:
    """Give the model free after backward, or after an error."""
    layer.bound.training_owner.pop("thread", None)


def checked_forward(kernel: Callable[..., Array]) -> Callable[..., Array]:
    """The `forward` that users call: checks, then hands out a copy that is theirs."""

    @functools.wraps(kernel)
    def forward(
        self: Layer, x: Array, *, training: bool = False, out: Array | None = None
    ) -> Array:
        bound = self.bound
        check_input(self, x)
        if out is not None:
            check_out(self, out, (len(x), *bound.output_shape))
        y = run_pass(self, x, training, lambda: _run(kernel, self, x, training, out))
        return own_copy(y, x, training, out)

    return forward


def _run(kernel: Callable[..., Array], layer: Layer, x: Array, training: bool, out: Any) -> Array:
    # A subclass's forward that calls super().forward must reach the kernel of that class.
    if kernel is type(layer)._forward:
        return call_forward(layer, x, training, out)
    return kernel(layer, x, training=training, out=out)


def run_pass(layer: Layer, x: Array, training: bool, run: Callable[[], Array]) -> Array:
    """Run a forward pass from outside; a training pass is noted until its backward."""
    if not training:
        return run()
    begin_training_pass(layer)
    try:
        y = run()
    except BaseException:
        end_training_pass(layer)
        raise
    layer.bound.expected_dy = y.shape
    return y


def own_copy(y: Array, given: Array, keep_apart: bool, out: Array | None) -> Array:
    """What a user may keep and edit: `out` itself, or an array that nobody else holds."""
    if out is not None:
        if y is not out:
            np.copyto(out, y)
        return out
    if keep_apart or y is given or y.base is not None:
        return y.copy(order="K")
    return y


def checked_backward(kernel: Callable[..., Array | None]) -> Callable[..., Array | None]:
    """The `backward` that users call: one for each training forward, of the right shape."""

    @functools.wraps(kernel)
    def backward(
        self: Layer, dy: Array, *, input_grad: bool = True, out: Array | None = None
    ) -> Array | None:
        check_dy(self, dy)
        if out is not None:
            check_out(self, out, (len(dy), *self.bound.input_shape))
        try:
            if kernel is type(self)._backward:
                dx = call_backward(self, dy, input_grad, out)
            else:
                dx = kernel(self, dy, input_grad=input_grad, out=out)
        finally:
            if kernel is type(self)._backward:
                self.bound.expected_dy = None
                end_training_pass(self)
        return None if dx is None else own_copy(dx, dy, False, out)

    return backward


def check_dy(layer: Layer, dy: object) -> None:
    """Raise unless a training forward is pending and `dy` has the shape of its output."""
    expected = layer.bound.expected_dy
    if expected is None:
        raise StateError(
            f"{layer.where}: backward needs a training forward before it, one for each call: "
            "y = forward(x, training=True), then backward(dy) once."
        )
    if not isinstance(dy, np.ndarray) or dy.shape != expected:
        got = dy.shape if isinstance(dy, np.ndarray) else type(dy).__name__
        raise StateError(
            f"{layer.where}: backward expected dy of shape {expected}, that of the last training "
            f"forward's output, got {got}."
        )
    if dy.dtype != layer.dtype:
        raise DTypeError(
            f"{layer.where}: backward expected dy of dtype {layer.dtype}, got {dy.dtype}. "
            f"Convert it: dy.astype(np.{layer.dtype})."
        )
