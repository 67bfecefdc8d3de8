"""Keras's models as minidl's."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from minidl.containers import Sequential
from minidl.containers.nesting import leaves_of
from minidl.converters.keras_layers import LAYERS
from minidl.converters.keras_masks import settle_masks
from minidl.converters.keras_place import Copy, KerasPlace
from minidl.errors import ArgumentError, ArgumentTypeError, ShapeError, StateError
from minidl.layers.base import Layer
from minidl.typing import Array, Shape


def from_keras(model: Any) -> Sequential:
    """Make a built minidl model of a Keras 3 model, with its weights.

    The model is a `keras.Sequential`, or a functional model whose layers form a chain; models
    inside it become Sequentials of their own. An `activation=` becomes a layer behind its layer.
    Keras and minidl have the same order of axes, and where not stated otherwise the same
    conventions, so that training can go on with the same steps: penalties such as
    `kernel_regularizer=L2(...)` are kept, and layers with `trainable=False` stay frozen.

    `Rescaling` and an adapted `Normalization` become `Standardize`. `mask_zero=True` of an
    `Embedding` becomes `padding_index=0` where a layer takes the mask, and has no effect elsewhere,
    as in Keras. Where minidl has parameters that a layer lacks (a bias of recurrent layers for
    `use_bias=False`, scale or shift of a normalization), outputs are the same but further steps
    differ. A model with float64 weights gives a float64 model, all others a float32 one.

    Args:
        model: The Keras model, built.

    Raises:
        ArgumentTypeError: If it is not a Keras model with a list of layers.
        StateError: If it is not built.
        ArgumentError: If the layers form no chain, or a layer or one of its options has no
            counterpart in minidl; the layer is named.

    Example:
        >>> import keras, numpy as np, minidl as dl
        >>> net = keras.Sequential([
        ...     keras.Input((8, 8, 3)),
        ...     keras.layers.Conv2D(4, 3, padding="same", activation="relu"),
        ...     keras.layers.Flatten(),
        ...     keras.layers.Dense(5, activation="softmax"),
        ... ])
        >>> model = dl.from_keras(net)
        >>> [type(layer).__name__ for layer in model.layers]
        ['Conv2D', 'ReLU', 'Flatten', 'Dense', 'Softmax']
        >>> x = np.random.default_rng(0).normal(size=(2, 8, 8, 3)).astype(np.float32)
        >>> np.allclose(model(x), net.predict(x, verbose=0), atol=1e-6)
        True
    """
    if not _is_model(model):
        raise ArgumentTypeError(
            "from_keras: expected a keras.Sequential or a functional model, got "
            f"{type(model).__name__}. Of a subclass of keras.Model it cannot be seen from outside "
            "how it uses its layers: convert them one by one, each in a Sequential of its own."
        )
    if not model.built or not getattr(model, "inputs", None):
        raise StateError(
            "from_keras: the model is not built. Begin it with keras.Input(shape), or call "
            "model.build((None, ...))."
        )
    shape = tuple(model.inputs[0].shape)[1:]
    whole = _copy_of_chain(model, shape)
    settle_masks(leaves_of(whole.layers))
    arrays = [a for _, own in whole.arrays for a in own.values()]
    dtype = np.float64 if any(a.dtype == np.float64 for a in arrays) else np.float32
    copy = Sequential(whole.layers).build(shape, rng=0, dtype=dtype)
    for owner, own in whole.arrays:
        for name, a in own.items():
            setattr(owner, name, a)
    return copy


def _is_model(layer: Any) -> bool:
    is_object = hasattr(layer, "layers") and not isinstance(layer, type)
    return is_object and "layers" in layer.get_config()


def _copy_of_chain(model: Any, shape: Shape) -> Copy:
    layers, arrays = list[Layer](), list[tuple[Layer, dict[str, Array]]]()
    for layer in _chain(model):
        at = KerasPlace(layer, shape)
        if _is_model(layer):
            inner = _copy_of_chain(layer, shape)
            copy = Copy([Sequential(inner.layers)], inner.arrays)
        elif at.kind in LAYERS and type(layer).__module__.startswith("keras."):
            copy = LAYERS[at.kind](at)
        else:
            raise at.refusal("it has no counterpart in minidl")
        try:
            for made in copy.layers:
                shape = made.output_shape(shape)
        except ShapeError as error:
            raise ShapeError(f"{at.where}: {error}") from None
        if not layer.trainable:
            for made in copy.layers:
                made.trainable = False
        layers += copy.layers
        arrays += copy.arrays
    return Copy(layers, arrays)


def _chain(model: Any) -> Iterator[Any]:
    """The layers of a model, without its input; raise unless each takes what the last one gives."""
    config = model.get_config()
    if "input_layers" not in config:  # a Sequential
        yield from model.layers
        return
    first, *others = config["layers"]
    layers = {layer.name: layer for layer in model.layers}
    name = first["name"]
    for entry in others:
        nodes = entry["inbound_nodes"]
        if len(nodes) != 1 or list(_sources(nodes)) != [name] or len(model.outputs) > 1:
            raise ArgumentError(
                f"from_keras: layer {entry['name']!r} ({entry['class_name']}) is no link of a "
                "chain: each layer must take what the one before it gives, and nothing else. Build "
                "the model in minidl, with Residual and Parallel, and assign the weights by hand."
            )
        name = entry["name"]
        if name not in layers:
            raise ArgumentError(
                f"from_keras: {name!r} ({entry['class_name']}) is a function of keras.ops, not a "
                "layer. Use a layer, such as keras.layers.Activation('relu')."
            )
        yield layers[name]


def _sources(value: Any) -> Iterator[str]:
    """The names of the layers whose outputs stand in a node's arguments."""
    if isinstance(value, Mapping) and "keras_history" in value:
        yield value["keras_history"][0]
    elif isinstance(value, Mapping | list | tuple):
        for part in value.values() if isinstance(value, Mapping) else value:
            yield from _sources(part)
