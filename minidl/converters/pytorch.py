"""PyTorch's modules and state_dicts as minidl's models."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from minidl.arguments import instance
from minidl.converters.feature_order import feature_orders
from minidl.converters.pytorch_arrays import (
    as_array,
    copy_in,
    read,
    torch_views,
)
from minidl.converters.state_dicts import fill, mismatches
from minidl.converters.translation import Translation, first_shape
from minidl.errors import ArgumentError, ArgumentTypeError, DataError
from minidl.layers import Layer
from minidl.layers.planning import sample_shape
from minidl.typing import Shape


def from_torch(
    module_or_state_dict: Any, model: Layer | None = None, *, input_shape: Shape | None = None
) -> Layer:
    """Make a built minidl model of a PyTorch module, or fill one with a state_dict.

    **A module** that is a layer, or an `nn.Sequential` of layers and further `nn.Sequential`s, is
    made anew in minidl, layer by layer, with its weights: `from_torch(module)`. Of any other module
    nobody can know from outside how it uses its parts. Build the same network in minidl, and give
    it the weights: `from_torch(module, model)`.

    **A state_dict** goes into a built model too: `from_torch(state_dict, model)`. Its modules and
    the model's layers with parameters are matched in order, and all shapes are checked. Values may
    be tensors or NumPy arrays, so a safetensors file with PyTorch's weights needs no PyTorch. Such
    a file may have its names in alphabetical order: numbers for names are put in theirs, but
    modules of other names must come as the model uses them.

    PyTorch has images as `(N, C, H, W)` and, for `Conv1d`, sequences as `(N, C, T)`; minidl has
    `(N, H, W, C)` and `(N, T, C)`. Kernels are transposed, and a `Dense` behind a `Flatten` of
    images gets its rows in another order, so the same image, with its axes in minidl's order, gives
    the same output. (Outputs that are images have minidl's order too.) A state_dict is taken to
    come from a network that flattens in PyTorch's order.

    float64 weights make a float64 model, all others a float32 one. Training can go on, with the
    same steps: momentum of `BatchNorm` is 1 minus PyTorch's, and only its running variance, the
    biased one here, then differs by n / (n - 1). Where minidl has parameters that a module lacks (a
    slope for each channel in place of `PReLU()`'s single one, scale and shift for `affine=False`),
    or one bias for a recurrent module's two, outputs are the same but further steps differ. Frozen
    parameters are not frozen here: set `layer.trainable`.

    Args:
        module_or_state_dict: The module, or its state_dict.
        model: A built model to fill; it is returned.
        input_shape: Shape of a sample in minidl's order, such as `(28, 28, 1)`. Found out where the
            module begins with `Linear`, `Embedding` or a recurrent module.

    Raises:
        ArgumentError: If a module, or one of its options, has no counterpart in minidl; the
            module's place and the option are named.
        DataError: If a state_dict does not fit the model; every mismatch is named.
        ShapeError: If a module does not fit the shape of its input.

    Example:
        >>> import numpy as np, torch, minidl as dl
        >>> nn = torch.nn
        >>> net = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(144, 5))
        >>> model = dl.from_torch(net, input_shape=(8, 8, 3))
        >>> model.layers[3]
        Dense(5)
        >>> x = np.random.default_rng(0).normal(size=(2, 8, 8, 3)).astype(np.float32)
        >>> theirs = net(torch.tensor(x.transpose(0, 3, 1, 2))).detach().numpy()
        >>> np.allclose(model(x), theirs, atol=1e-6)
        True
        >>> same = dl.from_torch(net.state_dict(), model)  # rows of the Dense are reordered again
        >>> np.allclose(same(x), theirs, atol=1e-6)
        True
    """
    is_class = isinstance(module_or_state_dict, type)
    is_module = hasattr(module_or_state_dict, "state_dict") and not is_class
    if not is_module and not isinstance(module_or_state_dict, Mapping):
        kind = f"a {type(module_or_state_dict).__name__}"
        if is_class:
            kind = f"the class {module_or_state_dict.__name__}: make an object of it"
        raise ArgumentTypeError(f"from_torch: expected a module or a state_dict, got {kind}.")
    if model is None:
        if not is_module:
            raise ArgumentError(
                "from_torch: a state_dict says nothing of the layers between its arrays. Build a "
                "model of the same structure, and call from_torch(state_dict, model)."
            )
        return _from_module(module_or_state_dict, input_shape)
    instance("from_torch", "model", model, Layer)
    if input_shape is not None:
        raise ArgumentError(
            "from_torch: give a built model or an input_shape, not both; the model has its shape."
        )
    fill(model, module_or_state_dict.state_dict() if is_module else module_or_state_dict)
    return model


def _from_module(module: Any, input_shape: Shape | None) -> Layer:
    kinds = {as_array(value).dtype for value in module.state_dict().values()}
    dtype = np.float64 if np.dtype(np.float64) in kinds else np.float32
    shape = first_shape(module) if input_shape is None else sample_shape(input_shape, "from_torch")
    translation = Translation(shape, dtype)
    model = translation.layer_for(module).build(shape, rng=0, dtype=dtype)
    orders = feature_orders(model)
    for layer, where, arrays in translation.filled:
        views = torch_views(layer)
        own = read(layer, arrays, views)
        wrong = mismatches(layer, own, views)
        if wrong:
            raise DataError(
                f"{where}: {'; '.join(wrong)}. If a shape is wrong, input_shape={shape} is: it is "
                "a sample's in minidl's order, such as (height, width, channels)."
            )
        copy_in(layer, own, *orders[layer])
    return model
