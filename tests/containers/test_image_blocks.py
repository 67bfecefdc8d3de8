"""Inception-like and ResNet-like blocks, built from containers."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest

import minidl as dl

PATH = Path(__file__).resolve().parents[2] / "examples" / "inception_and_resnet.py"
SPEC = importlib.util.spec_from_file_location("inception_and_resnet", PATH)
example = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(example)

BLOCKS = {
    "inception": lambda: example.inception_block(4),
    "residual": lambda: example.residual_block(2),
    "residual with a new shape": lambda: example.residual_block(3, stride=2, new_shape=True),
    "one in the other": lambda: dl.Residual(
        dl.Sequential([example.inception_block(4), example.residual_block(2, new_shape=True)])
    ),
}
RNG = np.random.default_rng(0)


@pytest.mark.parametrize("make", BLOCKS.values(), ids=BLOCKS)
def test_gradients(make):
    assert dl.check_layer(make(), (4, 5, 2), inputs=RNG.normal(size=(3, 4, 5, 2))).worst < 1e-6


@pytest.mark.parametrize(
    ("make", "shape"),
    list(zip(BLOCKS.values(), [(4, 5, 16), (4, 5, 2), (2, 3, 3), (4, 5, 2)], strict=True)),
    ids=BLOCKS,
)
def test_shapes(make, shape):
    model = make().build((4, 5, 2), rng=0)
    assert model.couples_rows
    assert model.predict(np.zeros((3, 4, 5, 2))).shape == (3, *shape)


@pytest.mark.parametrize("name", example.NETWORKS)
def test_a_network_learns_bright_from_dark(name):
    model = example.NETWORKS[name](seed=0)
    y = RNG.integers(0, 2, 64)
    x = RNG.random((64, 28, 28, 1)) * (1 + y[:, None, None, None])
    trainer = dl.Trainer(model, dl.CrossEntropy(), dl.Adam(0.01), rng=0)
    losses = trainer.fit(x, y, epochs=6, batch_size=16)["loss"]
    assert losses[-1] < 0.2 * losses[0]


def test_running_statistics_are_those_of_every_batch_norm():
    model = example.resnet(seed=0)
    norms = [layer for layer in model.walk() if isinstance(layer, dl.BatchNorm)]
    assert model.state.size == sum(2 * layer.running_mean.size for layer in norms)
    before = model.state.copy()
    model.predict(np.ones((2, 28, 28, 1)))
    np.testing.assert_array_equal(model.state, before)
    model.forward(np.ones((2, 28, 28, 1), np.float32), training=True)
    assert (model.state != before).any()
