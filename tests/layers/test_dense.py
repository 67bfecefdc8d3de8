"""Dense: inputs that lie feature by feature in memory, as behind images."""

import numpy as np
import pytest

import minidl as dl

RNG = np.random.default_rng(0)


@pytest.mark.parametrize("units", [3, 20])
def test_either_order_in_memory_gives_the_same(units):
    x = RNG.normal(size=(6, 5))
    dy = RNG.normal(size=(6, units))
    results = []
    for order in "CF":
        layer = dl.Dense(units).build((5,), rng=0, dtype=np.float64)
        y = layer.forward(np.array(x, order=order), training=True)
        dx = layer.backward(dy)
        assert dx.shape == x.shape
        results.append(np.concatenate([y.ravel(), dx.ravel(), layer.grads]))
    np.testing.assert_allclose(*results, rtol=1e-12)


def test_the_gradient_comes_back_in_the_order_of_the_input():
    layer = dl.Dense(3).build((5,), rng=0, dtype=np.float64)
    for order in "CF":
        layer._forward(np.array(RNG.normal(size=(6, 5)), order=order), training=True)
        dx = layer._backward(np.ones((6, 3)))
        assert dx.flags.f_contiguous == (order == "F")


def test_images_behind_a_convolution():
    model = dl.Sequential([dl.Conv2D(2, 3), dl.Flatten(), dl.Dense(4), dl.Tanh(), dl.Dense(2)])
    assert dl.check_layer(model, (5, 6, 1)).worst < 1e-6


@pytest.mark.parametrize(("units", "by_columns"), [(2, True), (15, True), (16, False), (40, False)])
def test_narrow_weights_lie_column_by_column(units, by_columns):
    weight = dl.Dense(units).build((5,), rng=0).weight
    assert weight.flags.f_contiguous == by_columns
    assert weight.flags.c_contiguous != by_columns


def test_weights_decay_and_biases_do_not():
    layer = dl.Dense(2).build((3,), rng=0)
    np.testing.assert_array_equal(layer.decay_mask, [1, 1, 1, 1, 1, 1, 0, 0])
