"""Flatten and Reshape: whatever order images lie in, and in what order vectors then lie."""

import copy

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


@pytest.fixture(params=[dl.Flatten(), dl.Reshape((-1,)), dl.Reshape((72,))], ids=repr)
def layer(request):
    return copy.deepcopy(request.param).build(SHAPE)


@pytest.mark.parametrize("order", ["C", "batch-innermost"])
@pytest.mark.parametrize("n", [1, 5, 72])
def test_the_last_axis_runs_fastest_in_any_order(layer, n, order):
    x = images(n, order)
    y = layer.forward(x, training=True)
    np.testing.assert_array_equal(y, [[*image.flat] for image in x])
    np.testing.assert_array_equal(layer.backward(y), x)


def test_vectors_of_images_lie_batch_innermost_as_the_images_do(layer):
    assert layer._forward(images(5, "batch-innermost")).T.flags.c_contiguous
    x = images(5, "C")
    assert np.shares_memory(layer._forward(x), x)


def test_gradients_of_vectors_become_images_in_the_buffer_that_is_offered(layer):
    x, out = images(5, "C"), images(5, "batch-innermost")
    out[...] = np.nan
    y = layer._forward(x, training=True)
    assert layer._backward(y, out=out) is out
    np.testing.assert_array_equal(out, x)


def test_gradients_of_images_become_vectors_that_lie_batch_innermost():
    layer, vectors = dl.Reshape(SHAPE).build((72,)), images(5, "C").reshape(5, 72)
    out = np.full_like(images(5, "batch-innermost"), np.nan)
    assert layer._forward(vectors, training=True, out=out) is out
    dx = layer._backward(out)
    np.testing.assert_array_equal(dx, vectors)
    assert dx.T.flags.c_contiguous


@pytest.mark.parametrize("order", ["C", "batch-innermost"])
def test_images_of_another_shape(order):
    x = images(5, order)
    layer, out = dl.Reshape((3, 2, 12)).build(SHAPE), np.full((5, 3, 2, 12), np.nan, np.float32)
    assert layer._forward(x, training=True, out=out) is out
    np.testing.assert_array_equal(out, np.ascontiguousarray(x).reshape(5, 3, 2, 12))
    np.testing.assert_array_equal(layer._backward(out), x)


def test_rows_of_pixels_become_steps_without_a_copy():
    x = images(5, "batch-innermost")
    out = np.full((5, 24, 3), np.nan, np.float32)
    y = dl.Reshape((24, 3)).build(SHAPE)._forward(x, out=out)
    np.testing.assert_array_equal(y, np.ascontiguousarray(x).reshape(5, 24, 3))
    assert np.shares_memory(y, x)
