"""How layers are called: the checked entrance for users, the bare call between layers.

`Layer.__init_subclass__` keeps the `forward` and `backward` that a layer's author wrote as
`_forward` and `_backward`, and puts the checked versions from here in their place. Containers call
through `call_forward` and `call_backward`, which check a layer's own behaviour in its first pass,
and later only what costs nothing.
"""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from minidl.errors import ContractError, DTypeError, MinidlError, ShapeError, StateError
from minidl.layers.checks import check_input, check_mask, check_out
from minidl.layers.planning import fits
from minidl.sparse import is_sparse
from minidl.typing import Array

if TYPE_CHECKING:
    from minidl.layers.base import Layer


def call_forward(
    layer: Layer, x: Array, training: bool, out: Array | None, mask: Array | None = None
) -> Array:
    """Run a layer's own forward inside a model; only layers that accept a mask are given one."""
    bound = layer._bound or layer.bound  # the property, which explains, only where it is None
    first_time = not (bound.training_checked if training else bound.inference_checked)
    before = x.copy() if first_time else x
    try:
        y = layer._forward(x, training=training, out=out, **masked(mask))
    except Exception as error:
        note_place(layer, error)
        raise
    if first_time:
        _check_unchanged(layer, "forward wrote into its input x", x, before)
    if first_time or y is None or not (y is out or layer.results_checked):
        check_result(layer, "forward", y, x.shape[0])
    if first_time and training:
        bound.training_checked, bound.first_input = True, x
    elif first_time:
        bound.inference_checked = True
    return y


def call_backward(layer: Layer, dy: Array, input_grad: bool, out: Array | None) -> Array | None:
    """Run a layer's own backward inside a model."""
    bound = layer._bound or layer.bound
    first_time = not bound.backward_checked
    watched = {"dy": dy} if first_time else {}
    if bound.first_input is not None:
        watched["the x of its forward"], bound.first_input = bound.first_input, None
    before = {name: a.copy() for name, a in watched.items()}
    try:
        dx = layer._backward(dy, input_grad=input_grad, out=out)
    except Exception as error:
        note_place(layer, error)
        raise
    for name, as_it_was in before.items():
        _check_unchanged(layer, f"backward wrote into {name}", watched[name], as_it_was)
    if input_grad and (dx is not out or first_time):
        check_result(layer, "backward", dx, len(dy))
    bound.backward_checked = True
    return dx if input_grad else None


def masked(mask: Array | None) -> dict[str, Array]:
    """The keyword `mask`, where there is one: most layers have no such argument."""
    return {} if mask is None else {"mask": mask}


def note_place(layer: Layer, error: Exception) -> None:
    """Tell, once, which layer an error of NumPy or of a user's own layer came from."""
    note = f"in {layer.where}"
    if isinstance(error, MinidlError) or layer.children:
        return
    if note not in getattr(error, "__notes__", ()):
        error.add_note(note)


def _check_unchanged(layer: Layer, mistake: str, a: Array, before: Array) -> None:
    """Raise if the argument `a` was written to; it is put back first."""
    if is_sparse(a):
        a, before = a.data, before.data  # type: ignore[assignment]
    if not np.array_equal(before, a, equal_nan=a.dtype.kind == "f"):
        a[...] = before
        raise ContractError(
            f"{layer.where}: {mistake}. A layer must leave its arguments as they are: write the "
            "result into `out` or into a new array."
        )


def check_result(layer: Layer, method: str, result: object, n: int) -> None:
    """Raise unless a layer returned n rows of the right shape and dtype."""
    bound = layer.bound
    shape = (n, *(bound.output_shape if method == "forward" else bound.input_shape))
    dtype = bound.params.dtype
    if isinstance(result, np.ndarray) and fits(result.shape, shape) and result.dtype == dtype:
        return
    if not isinstance(result, np.ndarray):
        raise ContractError(
            f"{layer.where}: {method} must return an array of shape {shape}, "
            f"got {type(result).__name__}. Is a return statement missing?"
        )
    if not fits(result.shape, shape):
        fix = "the gradient of an array has the shape of that array"
        if method == "forward":
            fix = "output_shape must say what forward returns"
        raise ShapeError(
            f"{layer.where}: {method} returned shape {result.shape}, expected {shape}; {fix}."
        )
    fix = f"Convert it: .astype({'x' if method == 'forward' else 'dy'}.dtype)."
    if result.dtype == np.float64:
        fix = (
            "A NumPy float64 scalar or array in the formula upcasts float32: use Python floats "
            "and arrays of x.dtype."
        )
    raise DTypeError(
        f"{layer.where}: {method} returned dtype {result.dtype}, expected {dtype}. {fix}"
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
        self: Layer,
        x: Array,
        *,
        training: bool = False,
        out: Array | None = None,
        mask: Array | None = None,
    ) -> Array:
        if kernel is not type(self)._forward:  # a subclass calls super().forward
            return kernel(self, x, training=training, out=out, **masked(mask))
        check_input(self, x)
        if mask is not None:
            check_mask(self, mask, x)
        if out is not None:
            check_out(self, out, (x.shape[0], *self.output_shape_of(x)))
        y = run_pass(self, training, lambda: call_forward(self, x, training, out, mask))
        return own_copy(y, x, training, out)

    forward.kernel = kernel  # type: ignore[attr-defined]
    return forward


def run_pass(layer: Layer, training: bool, run: Callable[[], Array]) -> Array:
    """Run a forward pass from outside; a training pass is noted until its backward."""
    if not training or layer._parent is not None:  # inside a model the root keeps the books
        return run()
    begin_training_pass(layer)
    layer.bound.expected_dy = None  # of a pass before, which ends here also if this one fails
    try:
        y = run()
    except BaseException:
        end_training_pass(layer)
        raise
    layer.bound.expected_dy = y.shape
    return y


def finish_pass(layer: Layer, run: Callable[[], Array | None]) -> Array | None:
    """Run a backward pass from outside, which ends the training pass also if it fails."""
    if layer._parent is not None:
        return run()
    try:
        return run()
    finally:
        layer.bound.expected_dy = None
        end_training_pass(layer)


def own_copy(y: Array, given: Array, keep_apart: bool, out: Array | None) -> Array:
    """What a user may keep and edit: `out` itself, or an array that nobody else holds."""
    if out is not None:
        if y is not out:
            np.copyto(out, y.toarray() if is_sparse(y) else y)  # type: ignore[attr-defined]
        return out
    if is_sparse(y):  # behind no layer at all
        return y.copy()
    if keep_apart or y is given or y.base is not None:
        return y.copy(order="K")
    return y


def checked_backward(kernel: Callable[..., Array | None]) -> Callable[..., Array | None]:
    """The `backward` that users call: one for each training forward, of the right shape."""

    @functools.wraps(kernel)
    def backward(
        self: Layer, dy: Array, *, input_grad: bool = True, out: Array | None = None
    ) -> Array | None:
        if kernel is not type(self)._backward:
            return kernel(self, dy, input_grad=input_grad, out=out)
        check_dy(self, dy)
        if out is not None:
            check_out(self, out, (len(dy), *self.bound.input_shape))
        dx = finish_pass(self, lambda: call_backward(self, dy, input_grad, out))
        return None if dx is None else own_copy(dx, dy, False, out)

    backward.kernel = kernel  # type: ignore[attr-defined]
    return backward


def check_dy(layer: Layer, dy: object) -> None:
    """Raise unless a training forward is pending and `dy` has the shape of its output."""
    if layer._parent is not None:  # inside a model the root keeps the books
        return
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
