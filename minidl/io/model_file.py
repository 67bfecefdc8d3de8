"""A model in a file: weights by readable names, and its architecture as texts beside them."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Set
from pathlib import Path
from typing import Any

import numpy as np

from minidl.errors import StateError
from minidl.io.architecture import plan_from, texts_of
from minidl.io.known_classes import checked_classes
from minidl.io.model_texts import FORMAT, VERSION, check_texts
from minidl.io.strict_json import shortened
from minidl.io.tensor_file import TensorFile, reading, write
from minidl.layers import Layer
from minidl.layers.building import bind_root
from minidl.layers.planning import Plan
from minidl.parameters import ParameterSpec
from minidl.randomness import seed_sequence
from minidl.typing import Array, RNGLike

TRAINING = "training."  # begins the names of arrays that only a checkpoint has
SHOWN = 5  # names in a message


def save_model(model: Layer, path: str | os.PathLike[str]) -> None:
    """Write a built model to a file; `Layer.save` says more."""
    tensors, metadata = contents_of(model)
    write(Path(path).expanduser(), tensors, metadata)


def contents_of(model: Layer) -> tuple[dict[str, Array], dict[str, str]]:
    """The arrays and the texts that a model is in a file."""
    if model._parent is not None:
        raise StateError(
            f"{model.where}: is a part of a model. Save the whole model, or a copy of this layer "
            "that is a model itself: copy.deepcopy(layer).build(layer.input_shape)."
        )
    texts = {"format": FORMAT, "format_version": VERSION, **texts_of(model)}
    arrays = _arrays(model.bound.plan)
    return {name: getattr(layer, spec.name) for name, layer, spec in arrays}, texts


def load(
    path: str | os.PathLike[str],
    *,
    layers: Mapping[str, type] | None = None,
    rng: RNGLike = None,
) -> Layer:
    """Read a model that `model.save(path)` wrote; it predicts, and trains on, as the saved one.

    A file is data: nothing in it is run. It may name the layers, containers, initializers,
    penalties and constraints of minidl, which are made with the arguments in it, and of others
    those that you pass. Sizes are compared with the file's before memory is taken. Of random
    layers, such as `Dropout`, the draws start anew.

    Args:
        path: The file; a checkpoint of `Trainer` will do, too.
        layers: Classes of your own in the model, by name.
        rng: Seed of the layers that draw random numbers; None for a fresh one.

    Returns:
        The model, built.

    Raises:
        FileNotFoundError: If there is no file.
        DataError: If it is damaged, or not a model's, or one of a newer minidl, or if it has a
            class that neither minidl nor `layers` has.

    Example:
        >>> import tempfile, numpy as np, minidl as dl
        >>> class Scale(dl.Layer):
        ...     def __init__(self, factor):
        ...         self.factor = factor
        ...     def forward(self, x, *, training=False, out=None):
        ...         return np.multiply(x, self.factor, out=out)
        ...     def backward(self, dy, *, input_grad=True, out=None):
        ...         return np.multiply(dy, self.factor, out=out)
        >>> model = dl.Sequential([Scale(0.5), dl.Dense(2)]).build((3,), rng=0)
        >>> folder = tempfile.TemporaryDirectory()
        >>> model.save(f"{folder.name}/model.safetensors")
        >>> loaded = dl.load(f"{folder.name}/model.safetensors", layers={"Scale": Scale})
        >>> loaded
        Sequential([Scale(0.5), Dense(2)])
        >>> x = np.ones((4, 3))
        >>> bool((loaded(x) == model(x)).all())
        True
        >>> folder.cleanup()

    References:
        The format: https://github.com/huggingface/safetensors
    """
    own = checked_classes(layers)
    with reading(Path(path).expanduser()) as file:
        return model_from(file, own, rng)


def model_from(file: TensorFile, own: Mapping[str, type], rng: RNGLike = None) -> Layer:
    """The model in an open file."""
    seed = seed_sequence(rng)
    check_texts(file)
    try:
        plan = plan_from(file.metadata, own)
    except ValueError as error:
        raise file.error(str(error)) from error
    dtype = np.dtype(file.metadata["dtype"])
    _check_tensors(file, plan, dtype)
    file.check_content()
    bind_root(plan, np.empty(plan.n_params, dtype), np.empty(plan.n_state, dtype), seed)
    for name, layer, spec in _arrays(plan):
        setattr(layer, spec.name, file.read(name))
    return plan.layer


def _arrays(plan: Plan) -> Iterator[tuple[str, Layer, ParameterSpec]]:
    """All parameters and state by the names that they have in a file: `0.dense.weight`."""
    prefixes = ["", *(f"{name}." for name, _ in plan.layer.named_layers())]
    for prefix, p in zip(prefixes, plan.walk(), strict=True):
        for spec in (*p.specs, *p.state_specs):
            yield f"{prefix}{spec.name}", p.layer, spec


def _listed(names: Set[str]) -> str:
    """The first of some names, cut where they are long, and how many more there are."""
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return ", ".join(shortened(repr(name), 80) for name in sorted(names)[:SHOWN]) + more


def _check_tensors(file: TensorFile, plan: Plan, dtype: np.dtype[Any]) -> None:
    """Raise unless the arrays are those that the model needs, by names, shapes and types."""
    needed = {name: spec.shape for name, _, spec in _arrays(plan)}
    found = {name for name in file.entries if not name.startswith(TRAINING)}
    differences = [
        f"{what} {_listed(names)}"
        for names, what in ((needed.keys() - found, "lacks"), (found - needed.keys(), "has also"))
        if names
    ]
    if differences:
        raise file.error(f"does not fit its model: it {', and '.join(differences)}")
    for name, shape in needed.items():
        entry = file.entries[name]
        if entry.shape != shape or entry.dtype != dtype:
            raise file.error(
                f"has {name!r} as {entry.dtype} of shape {entry.shape}; its model needs {dtype} of "
                f"shape {shape}"
            )
