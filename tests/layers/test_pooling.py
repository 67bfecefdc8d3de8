"""Pooling: any shape, size, stride and padding beside plain loops; edges; errors."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from references import pooling

import minidl as dl
from minidl.buffers import batch_empty
from minidl.layers.image_order import in_memory_order
from minidl.layers.pooling import Pooling, windows_over

IMAGE_LAYERS = [
    dl.MaxPool2D(),
    dl.AveragePool2D(),
    dl.GlobalAveragePool2D(),
    dl.GlobalMaxPool2D(),
    dl.UpSampling2D(),
]
STEP_LAYERS = [dl.MaxPool1D(), dl.GlobalAveragePool1D()]
few_examples = settings(max_examples=60, deadline=None)


def gradients(layer, x, dy=None, **options):
    """The output, a random gradient there, and the layer's gradient at x."""
    y = layer.forward(x, training=True, **options)
    if dy is None:
        dy = np.random.default_rng(3).normal(size=y.shape).astype(x.dtype)
    return y, dy, layer.backward(dy)


@st.composite
def pooled_images(draw):
    """Images with many equal pixels, and the arguments of a layer whose windows fit them."""
    small = st.integers(1, 7)
    n, h, w, c = draw(st.tuples(st.integers(1, 3), small, small, st.integers(1, 3)))
    padding = draw(st.sampled_from(["valid", "same"]))
    limits = (h, w) if padding == "valid" else (9, 9)
    size = draw(st.tuples(*(st.integers(1, limit) for limit in limits)))
    stride = draw(st.none() | st.tuples(st.integers(1, 4), st.integers(1, 4)))
    rng = np.random.default_rng(draw(st.integers(0, 99)))
    x = rng.integers(-2, 3, (n, h, w, c)).astype(np.float64)
    return x, (size, stride), {"padding": padding}


@few_examples
@given(pooled_images())
def test_max_pool_of_any_shape_beside_loops(drawn):
    x, arguments, options = drawn
    layer = dl.MaxPool2D(*arguments, **options).build(x.shape[1:], dtype=np.float64)
    y, dy, dx = gradients(layer, x)
    np.testing.assert_array_equal(y, pooling.max_pool(layer, x))
    np.testing.assert_array_equal(layer(x), y)
    np.testing.assert_allclose(dx, pooling.max_pool_gradient(layer, x, dy), rtol=1e-12, atol=1e-14)


@few_examples
@given(pooled_images())
def test_average_pool_of_any_shape_beside_loops(drawn):
    x, arguments, options = drawn
    layer = dl.AveragePool2D(*arguments, **options).build(x.shape[1:], dtype=np.float64)
    y, dy, dx = gradients(layer, x)
    np.testing.assert_allclose(y, pooling.average_pool(layer, x), rtol=1e-12, atol=1e-14)
    right = pooling.average_pool_gradient(layer, x, dy)
    np.testing.assert_allclose(dx, right, rtol=1e-12, atol=1e-14)


@few_examples
@given(pooled_images())
def test_max_pool_of_steps_of_any_length_is_max_pool_of_narrow_images(drawn):
    x, (size, stride), options = drawn
    stride = None if stride is None else stride[0]
    narrow = dl.MaxPool2D((size[0], 1), None if stride is None else (stride, 1), **options)
    narrow.build((x.shape[1], 1, x.shape[3]), dtype=np.float64)
    layer = dl.MaxPool1D(size[0], stride, **options).build((None, x.shape[3]), dtype=np.float64)
    sequences = x[:, :, 0]
    y, dy, dx = gradients(layer, sequences)
    right, _, right_dx = gradients(narrow, sequences[:, :, np.newaxis], dy[:, :, np.newaxis])
    np.testing.assert_array_equal(y, right[:, :, 0])
    np.testing.assert_array_equal(y, pooling.max_pool_of_steps(layer, sequences))
    np.testing.assert_allclose(dx, right_dx[:, :, 0], rtol=1e-12, atol=1e-14)


@few_examples
@given(st.tuples(*[st.integers(1, 4)] * 4), st.tuples(*[st.integers(1, 4)] * 2), st.integers(0, 99))
def test_up_sampling_of_any_shape_beside_loops(shape, size, seed):
    x = np.random.default_rng(seed).normal(size=shape)
    layer = dl.UpSampling2D(size).build(shape[1:], dtype=np.float64)
    y, dy, dx = gradients(layer, x)
    np.testing.assert_array_equal(y, pooling.repeated(layer, x))
    means = dl.AveragePool2D(size).build(y.shape[1:], dtype=np.float64)
    np.testing.assert_allclose(dx, size[0] * size[1] * means(dy), rtol=1e-12, atol=1e-14)


@few_examples
@given(st.tuples(*[st.integers(1, 5)] * 4), st.integers(0, 99))
def test_global_pooling_of_any_shape_is_pooling_by_the_whole_image(shape, seed):
    x = np.random.default_rng(seed).integers(-2, 3, shape).astype(np.float64)
    whole = shape[1:3]
    for kind, local in (
        (dl.GlobalMaxPool2D, dl.MaxPool2D),
        (dl.GlobalAveragePool2D, dl.AveragePool2D),
    ):
        y, dy, dx = gradients(kind().build(shape[1:], dtype=np.float64), x)
        layer = local(whole).build(shape[1:], dtype=np.float64)
        right, _, right_dx = gradients(layer, x, dy[:, np.newaxis, np.newaxis])
        np.testing.assert_allclose(y, right[:, 0, 0], rtol=1e-12, atol=1e-14)
        np.testing.assert_allclose(dx, right_dx, rtol=1e-12, atol=1e-14)


@few_examples
@given(st.integers(1, 4), st.integers(1, 6), st.integers(1, 3), st.integers(0, 99))
def test_global_average_over_the_steps_of_any_mask(n, t, c, seed):
    rng = np.random.default_rng(seed)
    x, mask = rng.normal(size=(n, t, c)), rng.random((n, t)) < 0.5
    layer = dl.GlobalAveragePool1D().build((None, c), dtype=np.float64)
    y, dy, dx = gradients(layer, x, mask=mask)
    np.testing.assert_array_equal(layer.forward(x, mask=mask), y)
    for i in range(n):
        counted = x[i, mask[i]]
        right = counted.mean(axis=0) if len(counted) else np.zeros(c)
        np.testing.assert_allclose(y[i], right, rtol=1e-12, atol=1e-14)
        np.testing.assert_array_equal(dx[i, ~mask[i]], 0)
        for step in dx[i, mask[i]]:
            np.testing.assert_allclose(step, dy[i] / len(counted), rtol=1e-12, atol=1e-14)


def test_a_sequence_of_which_no_step_counts_gives_0():
    layer = dl.GlobalAveragePool1D().build((3, 2))
    x = np.ones((1, 3, 2), np.float32)
    y, _, dx = gradients(layer, x, mask=np.zeros((1, 3), bool))
    np.testing.assert_array_equal(y, [[0, 0]])
    np.testing.assert_array_equal(dx, np.zeros((1, 3, 2)))


def test_values_by_hand():
    image = np.array([[1, 2, 3], [4, 9, 6], [7, 8, 5]], np.float32).reshape(1, 3, 3, 1)

    def of(layer):
        return layer.build((3, 3, 1)).predict(image)[0, ..., 0].tolist()

    assert of(dl.MaxPool2D()) == [[9]]
    assert of(dl.MaxPool2D(2, 1)) == [[9, 9], [9, 9]]
    assert of(dl.MaxPool2D(padding="same")) == [[9, 6], [8, 5]]
    assert of(dl.MaxPool2D(3, 2, padding="same")) == [[9, 9], [9, 9]]
    assert of(dl.AveragePool2D()) == [[4]]
    assert of(dl.AveragePool2D(padding="same")) == [[4, 4.5], [7.5, 5]]
    assert of(dl.AveragePool2D(3, 2, padding="same")) == [[4, 5], [7, 7]]
    assert of(dl.AveragePool2D((1, 3))) == [[2], [pytest.approx(19 / 3)], [pytest.approx(20 / 3)]]


def test_masks_end_although_there_are_as_many_steps():
    layers = [dl.Masking(), dl.MaxPool1D(3, 1, padding="same"), dl.GlobalAveragePool1D()]
    model = dl.Sequential(layers).build((None, 1))
    x = np.array([1.0, 2.0, 0.0, 0.0]).reshape(1, 4, 1)
    np.testing.assert_array_equal(model.predict(x), [[(2 + 2 + 2 + 0) / 4]])
    y = model.forward(x.astype(np.float32), training=True)
    np.testing.assert_array_equal(y, [[1.5]])


def test_of_equal_pixels_the_first_gets_the_gradient():
    x = np.full((1, 4, 4, 1), 3.0, np.float32)
    layer = dl.MaxPool2D().build((4, 4, 1))
    _, _, dx = gradients(layer, x, np.array([[1.0, 2], [3, 4]], np.float32).reshape(1, 2, 2, 1))
    first = [[1, 0, 2, 0], [0, 0, 0, 0], [3, 0, 4, 0], [0, 0, 0, 0]]
    np.testing.assert_array_equal(dx[0, ..., 0], first)
    _, _, dx = gradients(dl.GlobalMaxPool2D().build((4, 4, 1)), x, np.ones((1, 1), np.float32))
    np.testing.assert_array_equal(dx.ravel(), [1] + [0] * 15)
    x[0, 1, 0, 0] = x[0, 0, 1, 0] = 5  # row-major: the right one of the first row comes first
    _, _, dx = gradients(layer, x, np.ones((1, 2, 2, 1), np.float32))
    np.testing.assert_array_equal(dx[0, :2, :2, 0], [[0, 1], [0, 0]])


@pytest.mark.parametrize("order", ["C", "batch-innermost"])
def test_the_first_largest_pixel_of_an_image_gets_the_gradient_nan_being_the_largest(order):
    rng = np.random.default_rng(0)
    x = rng.integers(0, 4, (6, 5, 7, 3)).astype(np.float32)
    x[rng.random(x.shape) < 0.02] = np.nan
    if order == "batch-innermost":
        x = in_memory_order(x)
    y, dy, dx = gradients(dl.GlobalMaxPool2D().build((5, 7, 3)), x)
    with_nan = 0
    for n, c in np.ndindex(6, 3):
        pixels = list(x[n, ..., c].flat)
        unknown = [i for i, pixel in enumerate(pixels) if np.isnan(pixel)]
        with_nan += len(unknown) > 1
        winner = unknown[0] if unknown else pixels.index(max(pixels))
        expected = np.zeros(35)
        expected[winner] = dy[n, c]
        np.testing.assert_array_equal(dx[n, ..., c].ravel(), expected)
        np.testing.assert_array_equal(y[n, c], pixels[winner])
    assert with_nan


def test_a_pixel_of_minus_infinity_wins_against_padding():
    x = np.full((1, 3, 3, 1), -np.inf, np.float32)
    layer = dl.MaxPool2D(2, padding="same").build((3, 3, 1))
    y, _, dx = gradients(layer, x, np.ones((1, 2, 2, 1), np.float32))
    assert (y == -np.inf).all()
    np.testing.assert_array_equal(dx[0, ..., 0], [[1, 0, 1], [0, 0, 0], [1, 0, 1]])


@pytest.mark.parametrize("size", [(256, 1), (257, 1), (18, 18)])
def test_windows_of_about_256_pixels_and_more(size):
    shape = (size[0] + 1, size[1], 2)
    x = -np.arange(2.0 * np.prod(shape)).reshape(2, *shape)  # the first pixel is the largest
    layer = dl.MaxPool2D(size, 1).build(shape, dtype=np.float64)
    y, dy, dx = gradients(layer, x)
    np.testing.assert_array_equal(y, pooling.max_pool(layer, x))
    np.testing.assert_allclose(dx, pooling.max_pool_gradient(layer, x, dy), rtol=1e-12)


def test_a_window_of_more_than_65536_steps():
    x = -np.arange(65_537.0).reshape(1, -1, 1)
    layer = dl.MaxPool1D(x.size).build(x.shape[1:], dtype=np.float64)
    _, _, dx = gradients(layer, x, np.ones((1, 1, 1)))
    assert np.flatnonzero(dx).tolist() == [0]


@pytest.mark.parametrize("layer", [*IMAGE_LAYERS, *STEP_LAYERS], ids=repr)
def test_nan_is_not_swallowed(layer):
    axes = 3 if layer in IMAGE_LAYERS else 2
    clean = np.zeros((2, *[4] * axes), np.float32)
    for place in np.ndindex(*[2] * axes):
        x = clean.copy()
        x[(1, *place)] = np.nan
        built = type(layer)().build(x.shape[1:])
        assert np.isnan(built.forward(x)).any()
        assert np.isnan(built.forward(x, training=True)).any()
        assert not np.isnan(built.forward(x)[0]).any()


@pytest.mark.parametrize("layer", [*IMAGE_LAYERS, *STEP_LAYERS], ids=repr)
@pytest.mark.parametrize("value", [0.0, 1e30, -1e30, 1e-30])
def test_constant_input_of_any_size_stays_what_it_is(layer, value):
    shape = (4, 6, 2) if layer in IMAGE_LAYERS else (4, 2)
    x = np.full((3, *shape), value, np.float32)
    y, _, dx = gradients(type(layer)().build(shape), x)
    np.testing.assert_allclose(y, np.full(y.shape, value), rtol=1e-6)
    assert np.isfinite(dx).all()


@pytest.mark.parametrize("layer", [*IMAGE_LAYERS, *STEP_LAYERS], ids=repr)
def test_one_pixel_of_one_image_is_passed_through(layer):
    shape = (1, 1, 1) if layer in IMAGE_LAYERS else (1, 1)
    arguments = {"pool_size": 1} if "pool_size" in layer.config() else {}
    built = type(layer)(**arguments).build(shape)
    y, dy, dx = gradients(built, np.full((1, *shape), 2.0, np.float32))
    np.testing.assert_array_equal(y, np.full(y.shape, 2))
    np.testing.assert_allclose(dx.sum(), dy.sum(), rtol=1e-6)


@pytest.mark.parametrize("layer", [*IMAGE_LAYERS, *STEP_LAYERS], ids=repr)
@pytest.mark.parametrize("shape", [(7,), (5, 7), (4, 4, 1), (None, 4, 1), (3, 3, 3, 3)])
def test_samples_of_another_kind_are_refused(layer, shape):
    of_images = layer in IMAGE_LAYERS
    if shape == ((4, 4, 1) if of_images else (5, 7)):
        return  # these are right
    wanted, fix = ("N, H, W, C", "images' height") if of_images else ("N, T, C", "sequences' steps")
    got = ", ".join("T" if length is None else str(length) for length in shape)
    message = rf"expected input of shape \({wanted}\), got \(N, {got}\). Build with the {fix}"
    with pytest.raises(dl.ShapeError, match=rf"{type(layer).__name__}\(.*{message}"):
        type(layer)().build(shape)


@pytest.mark.parametrize("kind", [dl.MaxPool2D, dl.AveragePool2D])
def test_a_window_larger_than_the_image_is_refused(kind):
    message = rf"{kind.__name__}\(.*a window of 5 does not fit 4 pixels\. Use a smaller window"
    with pytest.raises(dl.ShapeError, match=message):
        kind((2, 5)).build((6, 4, 1))
    assert kind(5, padding="same").build((6, 4, 1)).output_shape((6, 4, 1)) == (2, 1, 1)


def test_a_sequence_shorter_than_the_window_is_refused():
    with pytest.raises(dl.ShapeError, match=r"MaxPool1D\(.*a window of 3 does not fit 2 steps\."):
        dl.MaxPool1D(3).build((2, 1))
    layer = dl.MaxPool1D(3).build((None, 1))
    assert layer.output_shape((None, 1)) == (None, 1)
    assert layer.forward(np.zeros((1, 7, 1), np.float32)).shape == (1, 2, 1)
    for training in (False, True):
        with pytest.raises(dl.ShapeError, match=r"MaxPool1D\(.*a window of 3 does not fit 2"):
            layer.forward(np.zeros((1, 2, 1), np.float32), training=training)


@pytest.mark.parametrize("kind", [dl.MaxPool2D, dl.AveragePool2D, dl.MaxPool1D])
@pytest.mark.parametrize(
    ("arguments", "options", "message"),
    [
        ((0,), {}, "pool_size must be a whole number of at least 1, got 0"),
        ((2.0,), {}, "pool_size must be a whole number of at least 1, got 2.0"),
        (((2, 2, 2),), {}, r"pool_size must be a whole number, or \d of them, got \(2, 2, 2\)"),
        ((2, 0), {}, "stride must be a whole number of at least 1, got 0"),
        ((2,), {"padding": "full"}, 'padding must be "valid" or "same", got \'full\''),
        ((2,), {"padding": 1}, 'padding must be "valid" or "same", got 1'),
        ((2,), {"padding": np.ones(2)}, 'padding must be "valid" or "same", got array'),
        ((np.array([2, 2]),), {}, r"pool_size must be a whole number.*got array\(\[2, 2\]\)"),
    ],
)
def test_wrong_arguments_are_refused(kind, arguments, options, message):
    with pytest.raises(dl.ArgumentError, match=f"{kind.__name__}: {message}"):
        kind(*arguments, **options)


@pytest.mark.parametrize("kind", [dl.MaxPool2D, dl.AveragePool2D, dl.MaxPool1D])
def test_options_are_kept_as_json_can_hold_them(kind):
    for layer, text in (
        (kind(np.int64(3)), "(pool_size=3)"),
        (kind(3, np.int64(2)), "(pool_size=3, stride=2)"),
        (kind([np.int64(3)] * (1 if kind is dl.MaxPool1D else 2)), None),
    ):
        assert text is None or repr(layer) == kind.__name__ + text
        size = json.loads(json.dumps(layer.config()))["pool_size"]
        assert set(np.ravel(size)) == {3}
    assert json.dumps(dl.UpSampling2D([np.int64(2), 1]).config()) == '{"size": [2, 1]}'
    assert isinstance(dl.UpSampling2D([1, 2]).size, tuple)


@pytest.mark.parametrize("kind", [dl.MaxPool2D, dl.AveragePool2D, dl.MaxPool1D])
@pytest.mark.parametrize(
    ("options", "steps"),
    [({"pool_size": 4}, 2), ({"stride": 3}, 3), ({"pool_size": 3, "padding": "same"}, 3)],
)
def test_options_count_that_are_changed_before_build(kind, options, steps):
    shape = (9, 3) if kind is dl.MaxPool1D else (9, 9, 3)
    layer = kind()
    for name, value in options.items():
        setattr(layer, name, value)
    x = np.random.default_rng(0).normal(size=(2, *shape)).astype(np.float32)
    y = layer.build(shape)(x)
    assert y.shape[1:-1] == layer.bound.output_shape[:-1] == (steps,) * (len(shape) - 1)
    np.testing.assert_array_equal(y, kind(**layer.config()).build(shape)(x))
    layer = kind()
    layer.pool_size = 0
    with pytest.raises(dl.ArgumentError, match=f"{kind.__name__}: pool_size must be"):
        layer.build(shape)


def test_up_sampling_by_what_is_changed_before_build():
    layer = dl.UpSampling2D()
    layer.size = [1, 3]
    assert layer.build((2, 2, 1)).predict(np.ones((1, 2, 2, 1))).shape == (1, 2, 6, 1)
    layer = dl.UpSampling2D()
    layer.size = 0
    with pytest.raises(dl.ArgumentError, match="UpSampling2D: size must be a whole number"):
        layer.build((2, 2, 1))


def test_up_sampling_by_nothing_is_refused():
    with pytest.raises(dl.ArgumentError, match="UpSampling2D: size must be a whole number of at"):
        dl.UpSampling2D(0)
    with pytest.raises(dl.ArgumentError, match="UpSampling2D: size must be a whole number, or 2"):
        dl.UpSampling2D((1, 2, 3))


@pytest.mark.parametrize(
    ("size", "stride", "apart", "cover"),
    [(2, 2, True, True), (3, 3, True, False), (2, 3, True, False), (3, 2, False, False)],
)
def test_windows_know_whether_they_are_apart_and_cover_the_image(size, stride, apart, cover):
    windows = windows_over(Pooling((2, size), (2, stride), "valid"), (6, 8))
    assert windows.apart is apart
    if apart:
        assert windows.cover is cover


def test_images_are_copied_only_where_they_lie_in_another_order():
    images = batch_empty(5, (4, 6, 3), np.float32)
    images[...] = np.random.default_rng(0).normal(size=images.shape)
    assert in_memory_order(images) is images
    copy = in_memory_order(np.ascontiguousarray(images))
    assert copy.transpose(3, 1, 2, 0).flags.c_contiguous
    np.testing.assert_array_equal(copy, images)


def test_results_lie_batch_innermost_whatever_the_order_of_the_input():
    x = np.random.default_rng(0).normal(size=(5, 4, 6, 3)).astype(np.float32)
    for layer in (dl.MaxPool2D(), dl.AveragePool2D(), dl.UpSampling2D()):
        layer.build((4, 6, 3))
        y = layer.forward(x, training=True)
        dx = layer.backward(y)
        for result in (y, dx):
            assert result.transpose(3, 1, 2, 0).flags.c_contiguous


@pytest.mark.parametrize("layer", IMAGE_LAYERS[:2], ids=repr)
def test_between_layers_of_a_network_that_learns(layer):
    x, y = dl.synthetic_digits(64, rng=0)
    model = dl.Sequential([type(layer)(), dl.Flatten(), dl.Dense(10), dl.Softmax()])
    model.build((28, 28, 1), rng=0)
    objective, optimizer = dl.Objective(model, dl.CrossEntropy()), dl.Adam(0.05)
    losses = []
    for _ in range(30):
        loss, grads = objective.value_and_grad(x.reshape(64, 28, 28, 1), y)
        optimizer.update(model.params, grads)
        losses.append(loss)
    assert losses[-1] < 0.2 * losses[0]
