"""LayerNorm, RMSNorm, GroupNorm, and the means that all of them are made of."""

import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import minidl as dl
from minidl.buffers import batch_empty
from minidl.layers.normalization import mean

BY_ROW = {
    "layer": dl.LayerNorm,
    "rms": dl.RMSNorm,
    "group": lambda **options: dl.GroupNorm(2, **options),
}
each_layer = pytest.mark.parametrize("make", BY_ROW.values(), ids=BY_ROW)
some = settings(max_examples=30, deadline=None)


def built(make, shape, dtype=np.float64):
    """The layer with other scales and shifts than 1 and 0."""
    layer = make().build(shape, dtype=dtype)
    layer.gamma = np.linspace(0.5, 2.0, shape[-1])
    if not isinstance(layer, dl.RMSNorm):
        layer.beta = np.linspace(-1.0, 1.0, shape[-1])
    return layer


STEPS = st.sampled_from([1, 1, 1, 2])


@st.composite
def arrays_and_axes(draw):
    shape = draw(st.lists(st.integers(1, 5), min_size=1, max_size=5))
    order = draw(st.permutations(range(len(shape))))
    rng = np.random.default_rng(draw(st.integers(0, 100)))
    a = rng.normal(size=[2 * shape[axis] for axis in order])
    steps = tuple(slice(None, shape[axis] * step, step) for axis in order for step in [draw(STEPS)])
    axes = draw(st.sets(st.integers(0, len(shape) - 1), min_size=1))
    return a[steps].transpose(np.argsort(order)), tuple(axes)


@some
@given(arrays_and_axes(), st.booleans())
def test_means_over_any_axes_in_any_memory(case, same_memory):
    a, axes = case
    b = (np.copy if same_memory else np.asfortranarray)(2 + a[::-1])
    a = a.copy(order="K")
    np.testing.assert_allclose(mean(a, axes), a.mean(axes, keepdims=True), atol=1e-14)
    expected = (a * b).mean(axes, keepdims=True)
    np.testing.assert_allclose(mean(a, axes, b), expected, atol=1e-14)
    np.testing.assert_allclose(mean(case[0], axes), a.mean(axes, keepdims=True), atol=1e-14)


@pytest.mark.parametrize(
    ("a", "axes"),
    [
        (np.ones((500, 40)), (0,)),
        (np.ones((500, 40)), (1,)),
        (np.ones((50, 20, 20)), (0, 1)),
        (batch_empty(20, (10, 10, 10), np.float64), (0, 1, 2)),
        (batch_empty(20, (10, 10, 10), np.float64), (3,)),
        (batch_empty(20, (10, 10, 10), np.float64).reshape(20, 10, 10, 2, 5), (1, 2, 4)),
    ],
)
def test_means_in_the_usual_memory_need_no_copy(a, axes):
    a[...] = 3.0
    tracemalloc.start()
    means = mean(a, axes)
    if axes in ((1,), (0, 1, 2)):  # innermost, so products need no room either
        mean(a, axes, a)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < a.nbytes / 4
    np.testing.assert_allclose(means, np.full_like(means, 3.0))


def test_a_mean_does_not_overflow_where_its_sum_would():
    a = np.full((4, 100), 1e38, np.float32)
    for axes in ((0,), (1,), (0, 1)):
        np.testing.assert_allclose(mean(a, axes), 1e38, rtol=1e-5)


@some
@given(
    st.lists(st.integers(1, 4), max_size=2),
    st.integers(1, 4),
    st.integers(1, 4),
    st.integers(1, 5),
    st.sampled_from([1e-12, 1e-5, 0.5]),
)
def test_any_shape_and_group(inner, groups, each, n, epsilon):
    shape = (*inner, groups * each)
    rng = np.random.default_rng(0)
    x, dy = rng.normal(3.0, 2.0, size=(2, n, *shape))
    layer = dl.GroupNorm(groups, epsilon).build(shape, dtype=np.float64)
    layer.params = rng.normal(size=layer.params.shape)
    y = layer.forward(x, training=True)
    dx = layer.backward(dy)
    # each group as a row, in which formula and derivative are those of a vector
    rows = np.moveaxis(x.reshape(n, -1, groups, each), 2, 1).reshape(n * groups, -1)
    g = np.moveaxis((dy * layer.gamma).reshape(n, -1, groups, each), 2, 1).reshape(rows.shape)
    s = np.sqrt(rows.var(axis=1, keepdims=True) + epsilon)
    z = (rows - rows.mean(axis=1, keepdims=True)) / s
    drows = [
        (np.eye(len(r)) - 1 / len(r) - np.outer(r, r) / len(r)) @ d / s_
        for r, d, s_ in zip(z, g, s[:, 0], strict=True)
    ]

    def back(rows):
        there = np.reshape(rows, (n, groups, -1, each))
        return np.moveaxis(there, 1, 2).reshape(x.shape)

    scale = 1 + abs(back(drows)).max()
    np.testing.assert_allclose(y, layer.gamma * back(z) + layer.beta, rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(dx, back(drows), rtol=1e-9, atol=1e-9 * scale)


@pytest.mark.parametrize("shape", [(6,), (3, 6), (2, 3, 6)])
def test_one_group_of_vectors_is_layer_norm(shape):
    x, dy = np.random.default_rng(0).normal(size=(2, 4, *shape))
    one, other = built(lambda: dl.GroupNorm(1), shape), built(dl.LayerNorm, shape)
    found, expected = (
        (layer.forward(x, training=True), layer.backward(dy), layer.grads) for layer in (one, other)
    )
    if len(shape) == 1:
        for mine, theirs in zip(found, expected, strict=True):
            np.testing.assert_allclose(mine, theirs, rtol=1e-12, atol=1e-14)
    else:  # steps and pixels of a sample count together in the one, by themselves in the other
        assert abs(found[0] - expected[0]).max() > 0.1


def test_layer_norm_by_hand():
    layer = dl.LayerNorm().build((3,), dtype=np.float64)
    layer.gamma, layer.beta = [1.0, 2.0, 3.0], [0.0, 10.0, 0.0]
    y = layer(np.array([[1.0, 3.0, 5.0]]))  # mean 3, variance 8 / 3
    deviation = (8 / 3 + 1e-5) ** 0.5
    np.testing.assert_allclose(y, [[-2 / deviation, 10.0, 6 / deviation]], rtol=1e-14)


def test_rms_norm_by_hand():
    layer = dl.RMSNorm(epsilon=4.0).build((2,), dtype=np.float64)
    layer.gamma = [1.0, -2.0]
    y = layer(np.array([[3.0, 9.0]]))  # mean square 45, and epsilon makes 49
    np.testing.assert_allclose(y, [[3 / 7, -18 / 7]], rtol=1e-14)


def test_group_norm_by_hand():
    layer = dl.GroupNorm(2, epsilon=1.0).build((2, 4), dtype=np.float64)
    # first group 0 0 4 4: mean 2, variance 4; second -9 9 -9 9: mean 0, variance 81
    y = layer(np.array([[[0.0, 0.0, -9.0, 9.0], [4.0, 4.0, -9.0, 9.0]]]))
    a, b = 2 / 5**0.5, 9 / 82**0.5
    np.testing.assert_allclose(y, [[[-a, -a, -b, b], [a, a, -b, b]]], rtol=1e-14)


@each_layer
@pytest.mark.parametrize("shape", [(4,), (3, 4), (3, 2, 4)])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_constant_input_and_zeros(make, shape, dtype):
    layer = built(make, shape, dtype)
    for value in (0.0, 0.1, -1e4):
        x = np.full((5, *shape), value, dtype)
        if isinstance(layer, dl.RMSNorm):
            expected = layer.gamma * np.sign(value)
            np.testing.assert_allclose(layer(x), np.broadcast_to(expected, x.shape), rtol=1e-3)
        else:
            np.testing.assert_array_equal(layer(x), np.broadcast_to(layer.beta, x.shape))
        layer.forward(x, training=True)
        assert np.isfinite(layer.backward(np.ones_like(x))).all()
        assert np.isfinite(layer.grads).all()


@each_layer
@pytest.mark.parametrize("shape", [(6,), (3, 6), (3, 2, 6)])
@pytest.mark.parametrize("scale", [1e-30, 1e18, 1e30, 1e37])
def test_tiny_and_huge_inputs(make, shape, scale):
    rng = np.random.default_rng(0)
    x = (scale * rng.normal(size=(5, *shape))).astype(np.float32)
    x[1] /= 1e20  # rows of different size
    dy = rng.normal(size=x.shape)
    layer, exact = built(make, shape, np.float32), built(make, shape)
    y = layer.forward(x, training=True)
    expected = exact.forward(x.astype(np.float64), training=True)
    np.testing.assert_allclose(y, expected, rtol=1e-4, atol=1e-5)
    dx, expected_dx = layer.backward(dy.astype(np.float32)), exact.backward(dy)
    for row, expected_row in zip(dx, expected_dx, strict=True):
        allowed = 1e-5 * abs(expected_row).max()
        np.testing.assert_allclose(row, expected_row, rtol=1e-3, atol=allowed)


def test_an_ordinary_row_beside_one_whose_squares_overflow():
    layer = dl.RMSNorm(epsilon=4.0).build((2,))
    y = layer(np.array([[3.0, 9.0], [1e30, -1e30]], np.float32))
    np.testing.assert_allclose(y, [[3 / 7, 9 / 7], [1.0, -1.0]], rtol=1e-6)


def test_a_huge_number_beside_a_zero():
    layer = dl.RMSNorm().build((2,))
    np.testing.assert_allclose(layer(np.array([[1e30, 0.0]])), [[2**0.5, 0.0]], rtol=1e-6)


@each_layer
@pytest.mark.parametrize("shape", [(200,), (3, 200), (8, 8, 20)])
def test_a_large_mean_in_float32(make, shape):
    rng = np.random.default_rng(0)
    x = (1e4 + rng.normal(size=(5, *shape))).astype(np.float32)
    dy = rng.normal(size=x.shape).astype(np.float32)
    layer, exact = built(make, shape, np.float32), built(make, shape)
    y = layer.forward(x, training=True)
    np.testing.assert_allclose(y, exact.forward(x.astype(float), training=True), atol=1e-5)
    np.testing.assert_allclose(layer.backward(dy), exact.backward(dy.astype(float)), atol=1e-5)


@each_layer
def test_open_time_axis(make):
    layer = built(make, (None, 4))
    x = np.random.default_rng(0).normal(size=(3, 5, 4))
    np.testing.assert_allclose(layer(x), built(make, (5, 4))(x), rtol=1e-12, atol=1e-14)
    assert layer.output_shape((None, 4)) == (None, 4)


@each_layer
@pytest.mark.parametrize("shape", [(), (None,)])
def test_channels_must_be_known(make, shape):
    with pytest.raises(dl.ShapeError, match=r"Norm.*expected input of shape \(N, ..., C\).*Build"):
        make().build(shape)


def test_groups_must_divide_the_channels():
    model = dl.Sequential([dl.Dense(6), dl.GroupNorm(4)])
    with pytest.raises(
        dl.ShapeError,
        match=r"GroupNorm\(4\) in layer 1 of Sequential: expected a number of channels that is a "
        r"multiple of groups=4, got \(N, 6\). 6 channels can be cut into 1, 2, 3, 6 groups.",
    ):
        model.build((3,))
    with pytest.raises(dl.ShapeError, match=r"got \(N, T, 3\). 3 channels can be cut into 1, 3 gr"):
        dl.GroupNorm(2).build((None, 3))


@pytest.mark.parametrize("groups", [0, -2, 2.0, True, "2"])
def test_groups_must_be_a_whole_number(groups):
    with pytest.raises(dl.ArgumentError, match="GroupNorm: groups must be a whole number"):
        dl.GroupNorm(groups)


@each_layer
@pytest.mark.parametrize("epsilon", [0.0, -1e-5, float("inf"), None])
def test_epsilon_must_be_positive(make, epsilon):
    with pytest.raises(dl.ArgumentError, match=r"Norm: epsilon must be a number in \[1e-30, inf\)"):
        make(epsilon=epsilon)


def test_no_weight_decay_on_scales_and_shifts():
    model = dl.Sequential([dl.LayerNorm(), dl.RMSNorm(), dl.BatchNorm(), dl.GroupNorm(1)])
    np.testing.assert_array_equal(model.build((3,)).decay_mask, np.zeros(21))
