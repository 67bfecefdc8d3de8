"""minidl's models as PyTorch's state_dicts."""

from __future__ import annotations

from typing import Any

import numpy as np

from minidl.arguments import instance
from minidl.converters.feature_order import feature_orders
from minidl.converters.pytorch_arrays import leaves, reordered, torch_views
from minidl.errors import ArgumentError
from minidl.layers import BatchNorm, Layer, Standardize


def to_torch_state_dict(model: Layer) -> dict[str, Any]:
    """Return a model's arrays as the state_dict of the corresponding `nn.Sequential`.

    Names are `0.weight`, `2.running_mean` and so on: a layer's number, in nested Sequentials
    several, and PyTorch's name. `module.load_state_dict(...)`, also with `strict=True`, takes them
    where `module` is an `nn.Sequential` with one module for each layer of the model, those without
    parameters included (`Reshape` is `nn.Unflatten`). The layers inside `Residual` and `Parallel`
    are numbered likewise, so a module of your own, derived from `nn.Sequential`, can take them.

    Axes, and the rows of a `Dense` behind a `Flatten`, come in PyTorch's order, see `from_torch`.
    The second bias of `nn.LSTM` and `nn.RNN` is 0, and so is `num_batches_tracked`.

    Args:
        model: A built model.

    Returns:
        Tensors by name, copies that share no memory with the model.

    Raises:
        ImportError: If PyTorch is not installed.
        ArgumentError: If a layer with parameters or statistics has no counterpart in PyTorch.

    Example:
        >>> import torch, minidl as dl
        >>> model = dl.Sequential([dl.Dense(10), dl.ReLU(), dl.Dense(3)]).build((4,), rng=0)
        >>> module = torch.nn.Sequential(
        ...     torch.nn.Linear(4, 10), torch.nn.ReLU(), torch.nn.Linear(10, 3))
        >>> module.load_state_dict(dl.to_torch_state_dict(model))
        <All keys matched successfully>
    """
    instance("to_torch_state_dict", "model", model, Layer)
    torch = _torch()
    orders = feature_orders(model)
    state = {}
    for prefix, layer in leaves(model):
        if isinstance(layer, Standardize):
            raise ArgumentError(
                f"to_torch_state_dict: {layer.where} has no counterpart in PyTorch. Leave it out, "
                "and standardize the data before."
            )
        before, after = (None if o is None else np.argsort(o) for o in orders[layer])
        views = torch_views(layer)
        for name, view in views.items():
            state[prefix + name] = torch.from_numpy(np.array(reordered(view, before, after)))
            twin = name.replace("bias_ih", "bias_hh")
            if twin not in views:
                state[prefix + twin] = torch.zeros_like(state[prefix + name])
        if isinstance(layer, BatchNorm):
            state[f"{prefix}num_batches_tracked"] = torch.tensor(0)
    return state


def _torch() -> Any:
    try:
        import torch
    except ImportError:
        raise ImportError(
            "to_torch_state_dict needs PyTorch, for its tensors: pip install torch."
        ) from None
    return torch
