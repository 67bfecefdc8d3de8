"""Model files in other programs' readers of safetensors."""

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file
from safetensors.torch import load_file as load_file_with_torch

import minidl as dl


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_values_are_the_same_in_any_reader(dtype, tmp_path):
    layers = [dl.Conv2D(3, 3, padding="same"), dl.BatchNorm(), dl.Flatten(), dl.Dense(4)]
    model = dl.Sequential(layers).build((6, 5, 2), rng=0, dtype=dtype)
    model.forward(np.random.default_rng(0).normal(size=(8, 6, 5, 2)).astype(dtype), training=True)
    model.save(tmp_path / "model.safetensors")
    expected = {
        f"{name}.{spec.name}": getattr(layer, spec.name)
        for name, layer in model.named_layers()
        for spec in (*layer.bound.plan.specs, *layer.bound.plan.state_specs)
    }
    arrays = load_file(tmp_path / "model.safetensors")
    tensors = load_file_with_torch(tmp_path / "model.safetensors")
    assert arrays.keys() == tensors.keys() == expected.keys()
    assert len(expected) == 8
    for name, values in expected.items():
        np.testing.assert_array_equal(arrays[name], values, strict=True)
        np.testing.assert_array_equal(tensors[name].numpy(), values, strict=True)


def test_a_weight_works_in_pytorch(tmp_path):
    model = dl.Dense(4).build((3,), rng=0)
    model.save(tmp_path / "model.safetensors")
    found = load_file_with_torch(tmp_path / "model.safetensors")
    layer = torch.nn.Linear(3, 4)
    layer.load_state_dict({"weight": found["weight"].T, "bias": found["bias"]})
    x = np.random.default_rng(0).normal(size=(5, 3)).astype(np.float32)
    with torch.no_grad():
        y = layer(torch.from_numpy(x)).numpy()
    np.testing.assert_allclose(model(x), y, rtol=1e-5, atol=1e-6)
