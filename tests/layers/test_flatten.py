"""Flatten: whatever order images lie in, and in what order the vectors then lie."""

import numpy as np
import pytest

import minidl as dl
from minidl.buffers import batch_empty

SHAPE = (4, 6, 3)


def images(n, order):
    x = np.random.default_rng(0).normal(size=(n, *SHAPE)).astype(np.float32)
    if order == "C":
        return x
    moved = batch_empty(n, SHAPE, np.float32)
    moved[...] = x
    return moved


@pytest.mark.parametrize("order", ["C", "batch-innermost"])
@pytest.mark.parametrize("n", [1, 5, 72])
def test_the_last_axis_runs_fastest_in_any_order(n, order):
    layer, x = dl.Flatten().build(SHAPE), images(n, order)
    y = layer.forward(x, training=True)
    np.testing.assert_array_equal(y, [[*image.flat] for image in x])
    np.testing.assert_array_equal(layer.backward(y), x)


def test_vectors_of_images_lie_batch_innermost_as_the_images_do():
    layer = dl.Flatten().build(SHAPE)
    assert layer._forward(images(5, "batch-innermost")).T.flags.c_contiguous
    x = images(5, "C")
    assert np.shares_memory(layer._forward(x), x)
