"""The layer contract as checks, each with a message that names the rule and how to keep it."""

from __future__ import annotations

import numpy as np

from minidl.layers import calls
from minidl.layers.base import Layer
from minidl.testing.passes import CheckError, all_gradients, forward, vjp
from minidl.typing import Array, Shape

KEEPING = (
    "Use self.save_for_backward(...) and self.saved(), and no attributes, so that a second "
    "forward, a copy or another thread cannot mix passes up"
)
COUPLING = (
    "a row's output depends on the other rows of the batch. If that is meant, as in batch "
    "normalization, set the class attribute couples_rows = True; otherwise look for a mean, sum "
    "or maximum over axis 0"
)


def check_inference(model: Layer, x: Array) -> None:
    """Inference is deterministic, keeps nothing, and treats rows independently."""
    state, kept = model.state.copy(), _attributes(model)
    y = np.array(calls.call_forward(model, x, False, None))
    if not np.isfinite(y).all():
        raise CheckError(
            f"{model!r}: forward gives {y[~np.isfinite(y)][0]} for these inputs, and gradients can "
            "be checked only where it is finite. Give other ones: check_layer(..., inputs=...)."
        )
    _require_same(
        model,
        y,
        np.array(calls.call_forward(model, x, False, None)),
        "forward in inference gives another result the second time. Inference must be "
        "deterministic and keep nothing; draw random numbers only if `training`",
    )
    saves = any(layer._saved is not None for layer in model.walk())
    if saves or _changed(kept, model) or not np.array_equal(state, model.state):
        raise CheckError(
            f"{model!r}: forward keeps something in inference. Call save_for_backward and change "
            "the state only if `training` is True, and set no attributes."
        )
    if not model.couples_rows:
        rows = np.concatenate([forward(model, x[i : i + 1], False) for i in range(len(x))])
        _require_same(model, y, rows, COUPLING)


def check_training(model: Layer, x: Array) -> None:
    """A training pass keeps what it needs in its place and overwrites all gradients."""
    kept = _attributes(model)
    y = forward(model, x, True)
    _require_nothing_kept(model, kept, "forward")
    _require_same(
        model,
        y,
        forward(model, x, True),
        "forward in training gives another result the second time, although self.rng is as it was "
        "the first time. Draw random numbers from self.rng only",
    )
    if not model.couples_rows:
        other = x.copy()
        other[0] = x[1]  # draws are the same: only row 0 may change
        _require_same(model, y[1:], forward(model, other, True)[1:], COUPLING)
    dy = np.ones_like(y)
    first = vjp(model, x, dy)
    _require_nothing_kept(model, kept, "backward")
    _check_overwriting(model, x, dy)
    grads = model.grads.copy()
    second = vjp(model, x, dy, input_grad=False)
    _require_same(
        model, grads, model.grads, "backward gives other parameter gradients with input_grad=False"
    )
    if second is not None or first is None:
        raise CheckError(f"{model!r}: backward must return dx, and None with input_grad=False.")
    with model.preserved():
        calls.call_forward(model, x, True, None)
        calls.call_forward(model, x[::-1].copy(), False, None)
        between = calls.call_backward(model, dy, True, None)
        _require_same(
            model,
            np.append(first.ravel(), grads),
            np.append(np.asarray(between).ravel(), model.grads),
            f"backward gives another gradient after an inference pass in between. {KEEPING}",
        )


def _check_overwriting(model: Layer, x: Array, dy: Array) -> None:
    """Raise if what backward writes depends on what was in the gradients before."""
    found = []
    for filling in (1.0, 2.0):
        model.grads[...] = filling
        vjp(model, x, dy)
        found.append({name: gradient.copy() for name, gradient in all_gradients(model)})
    for name, gradient in found[0].items():
        if not np.array_equal(gradient, found[1][name], equal_nan=True):
            raise CheckError(
                f"{model!r}: backward does not write gradients[{name!r}], or adds to what was "
                "there. It must overwrite it: self.gradients[...] = ..."
            )


def check_buffers(model: Layer, x: Array) -> None:
    """Results are the same with buffers and inputs of any content and strides."""
    y = forward(model, x, True)
    dy = np.linspace(-1.0, 1.0, y.size).reshape(y.shape)
    dx = vjp(model, x, dy)
    grads = model.grads.copy()
    rule = "gives another result when it gets `out`. A buffer holds anything at first and may have"
    for poisoned in (_poisoned, _poisoned_strided):
        for training in (True, False):
            expected = y if training else forward(model, x, False)
            found = forward(model, x, training, poisoned(y))
            _require_same(model, expected, found, f"forward {rule} any strides")
        if dx is not None:
            found_dx = vjp(model, x, dy, dx_out=poisoned(dx))
            _require_same(model, dx, found_dx, f"backward {rule} any strides")
            found_dx = vjp(model, x, dy, y_out=poisoned(y))
            both = (
                np.append(dx.ravel(), grads),
                np.append(np.asarray(found_dx).ravel(), model.grads),
            )
            _require_same(
                model,
                *both,
                "backward gives other gradients when forward got `out`. Forward must save what "
                "backward needs in either case, and not write over it afterwards",
            )
    strided = np.repeat(x, 2, axis=0)[::2]
    _require_same(
        model,
        y,
        forward(model, strided, True),
        "forward gives another result for an input that is not contiguous in memory",
    )


def check_float32(layer: Layer, shape: Shape, x: Array, seed: np.random.SeedSequence) -> None:
    """Run once in float32: the calls check dtypes and that arguments stay as they are."""
    model = layer.build(shape, rng=seed, dtype=np.float32)
    small = x if model.accepts_integers and x.dtype.kind in "iu" else x.astype(np.float32)
    y = forward(model, small, False)
    forward(model, small, True)
    vjp(model, small, np.ones_like(y))


Kept = list[dict[str, tuple[object, list[object]]]]


def _attributes(model: Layer) -> Kept:
    """The attributes that authors set, each with its parts, of the layer and all below it."""
    return [
        {name: (value, _parts(value)) for name, value in layer.author_attributes().items()}
        for layer in model.walk()
    ]


def _parts(value: object) -> list[object]:
    """What may be put into a value while it stays the same object."""
    if type(value) is dict:  # not in a Scratch, whose content nobody relies on
        return [*value.keys(), *value.values()]
    if isinstance(value, np.ndarray):
        return [value.tobytes()]
    return list(value) if isinstance(value, list | set) else []


def _changed(before: Kept, model: Layer) -> str:
    """The name of an attribute that is new or another one than before, or nothing."""
    for old, new in zip(before, _attributes(model), strict=True):
        for name, (value, parts) in new.items():
            if name not in old or old[name][0] is not value or not _same(old[name][1], parts):
                return name
    return ""


def _same(a: list[object], b: list[object]) -> bool:
    pairs = zip(a, b, strict=False)
    return len(a) == len(b) and all(x == y if isinstance(x, bytes) else x is y for x, y in pairs)


def _require_nothing_kept(model: Layer, kept: Kept, method: str) -> None:
    changed = _changed(kept, model)
    if changed:
        raise CheckError(f"{model!r}: {method} keeps something in {changed!r}. {KEEPING}.")


def _poisoned(like: Array) -> Array:
    return np.full(like.shape, np.nan, like.dtype)


def _poisoned_strided(like: Array) -> Array:
    return np.full(like.shape[::-1], np.nan, like.dtype).transpose()


def _require_same(model: Layer, a: Array, b: Array | None, rule: str) -> None:
    if (
        b is None
        or a.shape != b.shape
        or not np.allclose(a, b, rtol=1e-9, atol=1e-12, equal_nan=True)
    ):
        difference = (
            ""
            if b is None or a.shape != b.shape
            else (f" (largest difference {np.abs(a - b).max():.3g})")
        )
        raise CheckError(f"{model!r}: {rule}{difference}.")
