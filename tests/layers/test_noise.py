"""SpatialDropout2D and GaussianNoise in training; Reshape."""

import copy
import math
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import minidl as dl
from minidl.buffers import batch_empty


def test_spatial_dropout_drops_whole_channels_of_single_samples():
    layer = dl.SpatialDropout2D(0.25).build((5, 4, 50), rng=0, dtype=np.float64)
    x = np.random.default_rng(0).normal(size=(40, 5, 4, 50))
    y = layer.forward(x, training=True)
    factor = y / x
    np.testing.assert_allclose(factor, factor[:, :1, :1, :] + np.zeros_like(x), atol=1e-12)
    mask = factor[:, 0, 0, :]  # (N, C)
    assert set(np.unique(mask.round(12))) == {0, round(4 / 3, 12)}
    assert abs((mask == 0).mean() - 0.25) < 0.05  # 5 standard deviations of 2,000 draws
    assert len({row.tobytes() for row in mask}) == 40
    dy = np.random.default_rng(1).normal(size=y.shape)
    np.testing.assert_allclose(layer.backward(dy), dy * mask[:, np.newaxis, np.newaxis, :])


def test_spatial_dropout_draws_anew_in_every_pass():
    layer = dl.SpatialDropout2D(0.5).build((1, 1, 100), rng=0)
    x = np.ones((1, 1, 1, 100), np.float32)
    assert (layer.forward(x, training=True) != layer.forward(x, training=True)).any()
    np.testing.assert_array_equal(layer(x), x)


def test_spatial_dropout_at_rate_0_keeps_a_channel_that_drew_exactly_0():
    layer = dl.SpatialDropout2D(0).build((1, 1, 3), rng=0)
    layer._rng = SimpleNamespace(random=np.zeros)  # in float32 one draw in 2^24 is 0
    x = np.ones((2, 1, 1, 3), np.float32)
    np.testing.assert_array_equal(layer.forward(x, training=True), x)


@pytest.mark.parametrize("rate", [1, -0.1, "half", math.nan])
def test_spatial_dropout_refuses_a_wrong_rate(rate):
    with pytest.raises(
        dl.ArgumentError, match=r"SpatialDropout2D: rate must be a number in \[0, 1\), got"
    ):
        dl.SpatialDropout2D(rate)


def test_spatial_dropout_needs_images():
    with pytest.raises(
        dl.ShapeError,
        match=r"SpatialDropout2D\(0.5\): expected input of shape \(N, H, W, C\), got \(N, 7, 3\). "
        r"Use Dropout\(0.5\)",
    ):
        dl.SpatialDropout2D(0.5).build((7, 3))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_gaussian_noise_is_added_to_each_element(dtype):
    layer = dl.GaussianNoise(0.5).build((400,), rng=0, dtype=dtype)
    x = np.full((500, 400), 3, dtype)
    drawn = copy.deepcopy(layer.rng).standard_normal(x.shape, dtype)
    y = layer.forward(x, training=True)
    np.testing.assert_allclose(y, 3 + 0.5 * drawn, rtol=1e-6)
    noise = (y - x).astype(np.float64)
    assert y.dtype == dtype
    assert abs(noise.mean()) < 5 * 0.5 / math.sqrt(noise.size)
    assert noise.std() == pytest.approx(0.5, rel=0.01)
    assert abs((noise**4).mean() / noise.std() ** 4 - 3) < 0.1  # kurtosis of the normal
    assert np.ptp(noise, axis=0).min() > 0  # rows differ
    assert np.ptp(noise, axis=1).min() > 0  # and so do columns
    dy = np.random.default_rng(0).normal(size=y.shape).astype(dtype)
    np.testing.assert_array_equal(layer.backward(dy), dy)
    assert layer._saved is None  # it was used up
    assert (layer.forward(x, training=True) != y).any()
    np.testing.assert_array_equal(layer(x), x)


@pytest.mark.parametrize("stddev", [-0.1, math.inf, math.nan, None])
def test_gaussian_noise_refuses_a_wrong_deviation(stddev):
    with pytest.raises(
        dl.ArgumentError, match=r"GaussianNoise: stddev must be a number in \[0, inf\), got"
    ):
        dl.GaussianNoise(stddev)


def test_reshape_by_hand():
    model = dl.Reshape((2, -1)).build((6,), dtype=np.float64)
    y = model.forward(np.arange(12.0).reshape(2, 6), training=True)
    np.testing.assert_array_equal(y, [[[0, 1, 2], [3, 4, 5]], [[6, 7, 8], [9, 10, 11]]])
    dx = model.backward(10 * y)
    np.testing.assert_array_equal(dx, 10 * np.arange(12.0).reshape(2, 6))


lengths = st.lists(st.integers(1, 4), min_size=1, max_size=4)


@settings(max_examples=50, deadline=None)
@given(shape=lengths, data=st.data())
def test_reshape_there_and_back_loses_nothing(shape, data):
    target = data.draw(st.permutations([*shape, 1]))
    left = data.draw(st.one_of(st.none(), st.integers(0, len(target) - 1)))
    asked = [-1 if axis == left else length for axis, length in enumerate(target)]
    x = np.random.default_rng(0).normal(size=(3, *shape)).astype(np.float32)
    there = dl.Reshape(tuple(asked)).build(tuple(shape))
    y = there.forward(x, training=True)
    assert y.shape == (3, *target)
    np.testing.assert_array_equal(y.ravel(), x.ravel())
    np.testing.assert_array_equal(there.backward(y), x)
    model = dl.Sequential([dl.Reshape(tuple(asked)), dl.Reshape(tuple(shape))])
    np.testing.assert_array_equal(model.build(tuple(shape))(x), x)


class Strides(dl.Layer):
    """y = x; notes in which memory order x and dy came."""

    def forward(self, x, *, training=False, out=None):
        self.of_x = x.strides
        return x

    def backward(self, dy, *, input_grad=True, out=None):
        self.of_dy = dy.strides
        return dy


def test_reshaped_images_lie_batch_innermost_in_training():
    x, images = (
        np.arange(24, dtype=np.float32).reshape(2, 12),
        batch_empty(2, (2, 3, 2), np.float32),
    )
    behind, before = Strides(), Strides()
    model = dl.Sequential([dl.Reshape((2, 3, 2)), behind]).build((12,))
    np.testing.assert_array_equal(model.forward(x, training=True), x.reshape(2, 2, 3, 2))
    assert behind.of_x == images.strides
    back = dl.Sequential([before, dl.Reshape((12,))]).build((2, 3, 2))
    back.forward(x.reshape(2, 2, 3, 2), training=True)
    np.testing.assert_array_equal(back.backward(x), x.reshape(2, 2, 3, 2))
    assert before.of_dy == images.strides


def test_reshape_of_an_open_time_axis():
    model = dl.Reshape((-1, 2, 3)).build((None, 6), dtype=np.float64)
    for steps in (1, 5):
        x = np.random.default_rng(0).normal(size=(2, steps, 6))
        y = model.forward(x, training=True)
        np.testing.assert_array_equal(y, x.reshape(2, steps, 2, 3))
        np.testing.assert_array_equal(model.backward(y), x)
    halves = dl.Reshape([-1, 3]).build((None, 6), dtype=np.float64)
    assert halves(x).shape == (2, 10, 3)
    assert halves.output_shape((None, 6)) == (None, 3)


@pytest.mark.parametrize(
    ("target", "shape", "message"),
    [
        (
            (28, 28, 1),
            (783,),
            r"Reshape\(\(28, 28, 1\)\): expected 784 elements a sample, got \(N, 783\) with 783. "
            "Give a target_shape of as many elements",
        ),
        (
            (-1, 5),
            (4, 3),
            r"expected a multiple of 5 elements a sample, got \(N, 4, 3\) with 12",
        ),
        ((-1, 4), (None, 6), r"a multiple of 4 elements a step, got \(N, T, 6\) with 6"),
        (
            (6,),
            (None, 6),
            r"expected input of fixed lengths, got \(N, T, 6\). Begin target_shape with -1",
        ),
        ((2, -1), (None, 6), "Begin target_shape with -1 to leave the time axis open"),
    ],
)
def test_reshape_refuses_other_numbers_of_elements(target, shape, message):
    with pytest.raises(dl.ShapeError, match=message):
        dl.Reshape(target).build(shape)


@pytest.mark.parametrize(
    ("target", "message"),
    [
        (784, r"target_shape must be a tuple such as \(28, 28, 1\), got 784"),
        ((-1, -1), r"target_shape may have one -1, got \(-1, -1\)"),
        ((28, 0), r"target_shape\[1\] must be a whole number of at least 1, got 0"),
        ((-2, 3), r"target_shape\[0\] must be a whole number of at least 1, got -2"),
        ((2.0, 3), r"target_shape\[0\] must be a whole number of at least 1, got 2.0"),
    ],
)
def test_reshape_refuses_wrong_lengths(target, message):
    with pytest.raises(dl.ArgumentError, match=message):
        dl.Reshape(target)
