"""Conv2D, Conv1D, Conv2DTranspose: what the contract suite does not cover."""

import itertools
import json
import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from references import convolution
from scipy import signal

import minidl as dl
from minidl.buffers import batch_empty
from minidl.layers import correlation, image_windows, step_windows
from minidl.layers.windows import Geometry

few = settings(max_examples=60, deadline=None)
small = st.integers(1, 3)
pair = st.tuples(small, small)
pads = st.tuples(st.integers(0, 4), st.integers(0, 4))


@st.composite
def images(draw):
    """A Conv2D and the shape of a sample that its window fits."""
    kernel, dilation, groups = draw(pair), draw(pair), draw(small)
    padding = draw(st.sampled_from(["valid", "same"]) | st.tuples(pads, pads))
    extents = [d * (k - 1) + 1 for k, d in zip(kernel, dilation, strict=True)]
    h, w = (extent + draw(st.integers(0, 4)) for extent in extents)
    layer = dl.Conv2D(
        groups * draw(small),
        kernel,
        stride=draw(pair),
        padding=padding,
        dilation=dilation,
        groups=groups,
        use_bias=draw(st.booleans()),
        bias_initializer=dl.Normal(),
    )
    return layer, (h, w, groups * draw(small))


@st.composite
def sequences(draw):
    kernel, dilation, groups = draw(small), draw(small), draw(small)
    layer = dl.Conv1D(
        groups * draw(small),
        kernel,
        stride=draw(small),
        padding=draw(st.sampled_from(["valid", "same", "causal"]) | st.tuples(pads)),
        dilation=dilation,
        groups=groups,
        use_bias=draw(st.booleans()),
        bias_initializer=dl.Normal(),
    )
    return layer, (dilation * (kernel - 1) + 1 + draw(st.integers(0, 4)), groups * draw(small))


@st.composite
def transposed(draw):
    kernel, h, w = draw(pair), draw(small), draw(small)
    cut = st.tuples(*[st.tuples(*[st.integers(0, (k - 1) // 2)] * 2) for k in kernel])
    layer = dl.Conv2DTranspose(
        draw(small),
        kernel,
        stride=draw(pair),
        padding=draw(st.sampled_from(["valid", "same"]) | cut),
        use_bias=draw(st.booleans()),
        bias_initializer=dl.Normal(),
    )
    return layer, (h, w, draw(small))


def check(case, reference, data):
    """The output is the reference's, and backward is the adjoint of forward without the bias."""
    layer, shape = case
    layer.build(shape, rng=0, dtype=np.float64)
    rng = np.random.default_rng(1)
    x = rng.normal(size=(data.draw(st.integers(1, 4)), *shape))
    y = layer.forward(x, training=True)
    np.testing.assert_allclose(y, reference(layer, x), rtol=1e-10, atol=1e-12)
    dy = rng.normal(size=y.shape)
    dx = layer.backward(dy)
    linear = y - (layer.bias if layer.use_bias else 0)
    if layer.use_bias:
        expected = sum(dy.reshape(-1, layer.filters))
        np.testing.assert_allclose(layer.gradients["bias"], expected, rtol=1e-9, atol=1e-10)
    value = (dy * linear).sum()  # linear in x and in the weights
    assert (dx * x).sum() == pytest.approx(value, rel=1e-9, abs=1e-10)
    assert (layer.gradients["weight"] * layer.weight).sum() == pytest.approx(
        value, rel=1e-9, abs=1e-10
    )


@few
@given(images(), st.data())
def test_images_of_any_shape_with_any_options(case, data):
    check(case, convolution.conv, data)


@few
@given(sequences(), st.data())
def test_sequences_of_any_shape_with_any_options(case, data):
    check(case, convolution.conv, data)


@few
@given(transposed(), st.data())
def test_transposed_of_any_shape_with_any_options(case, data):
    check(case, convolution.conv_transpose, data)


@few
@given(images(), st.data())
def test_any_cut_into_parts_gives_the_same(case, data):
    layer, shape = case
    layer.build(shape, rng=0, dtype=np.float64)
    x = np.random.default_rng(1).normal(size=(5, *shape))
    y = layer.forward(x, training=True)
    dx, grads = layer.backward(y), layer.grads.copy()
    with pytest.MonkeyPatch.context() as patch:
        for module in (image_windows, correlation):
            patch.setattr(module, "COLUMN_BYTES", data.draw(st.sampled_from([1, 999, 5000])))
        np.testing.assert_allclose(layer.forward(x, training=True), y, rtol=1e-12, atol=1e-13)
        np.testing.assert_allclose(layer.backward(y), dx, rtol=1e-12, atol=1e-12)
        np.testing.assert_allclose(layer.grads, grads, rtol=1e-12, atol=1e-12)


@few
@given(sequences(), st.data())
def test_any_cut_of_sequences_into_parts_gives_the_same(case, data):
    layer, shape = case
    layer.build(shape, rng=0, dtype=np.float64)
    x = np.random.default_rng(1).normal(size=(5, *shape))
    y = layer.forward(x, training=True)
    dx, grads = layer.backward(y), layer.grads.copy()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(step_windows, "COLUMN_BYTES", data.draw(st.sampled_from([1, 200, 1000])))
        np.testing.assert_allclose(layer.forward(x, training=True), y, rtol=1e-12, atol=1e-13)
        np.testing.assert_allclose(layer.backward(y), dx, rtol=1e-12, atol=1e-12)
        np.testing.assert_allclose(layer.grads, grads, rtol=1e-12, atol=1e-12)


def test_a_unit_convolution_is_scipys_correlation():
    x = np.random.default_rng(0).normal(size=(2, 9, 8, 3))
    layer = dl.Conv2D(2, (3, 4), use_bias=False).build(x.shape[1:], rng=0, dtype=np.float64)
    for n, f in itertools.product(range(2), range(2)):
        theirs = signal.correlate(x[n], layer.weight[..., f], mode="valid", method="direct")
        np.testing.assert_allclose(layer(x)[n, :, :, f], theirs[..., 0], rtol=1e-12)
    steps = dl.Conv1D(1, 3, use_bias=False).build((9, 1), rng=0, dtype=np.float64)
    theirs = signal.correlate(x[0, :, 0, 0], steps.weight[:, 0, 0], mode="valid")
    np.testing.assert_allclose(steps(x[:1, :, 0, :1]).ravel(), theirs, rtol=1e-12)


def test_a_transposed_convolution_of_one_channel_is_scipys_convolution():
    x = np.random.default_rng(0).normal(size=(1, 5, 4, 1))
    layer = dl.Conv2DTranspose(1, (3, 2), use_bias=False).build((5, 4, 1), rng=0, dtype=np.float64)
    theirs = signal.convolve2d(x[0, ..., 0], layer.weight[..., 0, 0])
    np.testing.assert_allclose(layer(x)[0, ..., 0], theirs, rtol=1e-12)


def test_values_by_hand():
    layer = dl.Conv2D(1, 2, stride=2, padding="same").build((3, 3, 1), dtype=np.float64)
    layer.weight, layer.bias = np.reshape([1, 2, 3, 4], (2, 2, 1, 1)), [0.5]
    x = np.arange(1.0, 10.0).reshape(1, 3, 3, 1)
    y = layer.forward(x, training=True)
    # 1 + 2 2 + 3 4 + 4 5, then 3 + 3 6, then 7 + 2 8, then 9; an odd zero lies right and below
    np.testing.assert_array_equal(y[0, ..., 0], [[37.5, 21.5], [23.5, 9.5]])
    dx = layer.backward(np.reshape([1.0, 10, 100, 1000], (1, 2, 2, 1)))
    expected = [[1, 2, 10], [3, 4, 30], [100, 200, 1000]]
    np.testing.assert_array_equal(dx[0, ..., 0], expected)
    weight = [[1 + 30 + 700 + 9000, 2 + 800], [4 + 60, 5]]
    np.testing.assert_array_equal(layer.gradients["weight"][..., 0, 0], weight)
    np.testing.assert_array_equal(layer.gradients["bias"], [1111])


def test_the_gradient_of_a_kernel_of_many_numbers_by_a_single_window():
    layer = dl.Conv2D(50, 3, use_bias=False).build((3, 3, 3), rng=0, dtype=np.float64)
    x = np.random.default_rng(0).normal(size=(1, 3, 3, 3))
    dy = layer.forward(x, training=True)
    layer.backward(dy)
    np.testing.assert_array_equal(layer.gradients["weight"], x[0, ..., np.newaxis] * dy.ravel())


def test_a_transposed_convolution_is_the_gradient_of_a_convolution():
    rng = np.random.default_rng(0)
    conv = dl.Conv2D(3, (3, 4), stride=(2, 1), padding="same", use_bias=False)
    conv.build((6, 5, 2), rng=0, dtype=np.float64)
    back = dl.Conv2DTranspose(2, (3, 4), stride=(2, 1), padding="same", use_bias=False)
    back.build((3, 5, 3), dtype=np.float64)
    back.weight = conv.weight  # (KH, KW, C, F) of the one is (KH, KW, F, C) of the other
    y = conv.forward(rng.normal(size=(4, 6, 5, 2)), training=True)
    np.testing.assert_allclose(back(y), conv.backward(y), rtol=1e-13)


@pytest.mark.parametrize(
    ("filters", "kernel", "stride", "mirrored"),
    [(1, 3, 1, True), (2, 3, 1, True), (3, 3, 1, False), (3, 1, 1, True), (1, 3, (1, 2), False)],
)
def test_the_way_back_gathers_where_that_takes_no_more_windows(
    monkeypatch, filters, kernel, stride, mirrored
):
    scattered = []

    def noted(*arguments):
        scattered.append(image_windows.add_products(*arguments))

    monkeypatch.setattr(correlation, "add_products", noted)
    layer = dl.Conv2D(filters, kernel, stride=stride).build((6, 6, 2), rng=0)
    layer.backward(layer.forward(np.ones((1, 6, 6, 2), np.float32), training=True))
    assert bool(scattered) is not mirrored


@pytest.mark.parametrize(
    ("kernel", "stride", "padding", "pointwise"),
    [
        ((1, 1), (1, 1), "valid", True),
        ((1, 1), (1, 1), "same", True),
        ((1, 1), (1, 1), ((0, 0), (0, 0)), True),
        ((1, 1), (1, 1), ((0, 0), (0, 1)), False),
        ((1, 1), (1, 1), ((1, 0), (0, 0)), False),
        ((1, 2), (1, 1), "same", False),
        ((1, 1), (2, 1), "same", False),
        ((2, 2), (2, 2), "valid", False),
    ],
)
def test_pointwise_windows_are_the_pixels(kernel, stride, padding, pointwise):
    assert Geometry(kernel, stride, padding, (3, 2), 1).is_pointwise is pointwise


def test_padding_of_zero_is_none():
    zero, none = (dl.Conv2D(2, 3, padding=padding) for padding in (0, "valid"))
    for layer in (zero, none):
        layer.build((5, 4, 1), rng=0)
    x = np.random.default_rng(0).normal(size=(2, 5, 4, 1)).astype(np.float32)
    np.testing.assert_array_equal(zero(x), none(x))


def test_causal_outputs_do_not_see_later_steps():
    layer = dl.Conv1D(2, 3, padding="causal", dilation=2).build((None, 1), rng=0)
    x = np.random.default_rng(0).normal(size=(1, 12, 1)).astype(np.float32)
    changed = x.copy()
    changed[:, 7:] += 1
    differs = (layer(x) != layer(changed)).any(axis=(0, 2))
    np.testing.assert_array_equal(differs, [False] * 7 + [True] * 5)


@pytest.mark.parametrize("padding", ["valid", "same", "causal"])
def test_an_open_time_axis_takes_any_length(padding):
    layer = dl.Conv1D(2, 3, padding=padding).build((None, 4), rng=0, dtype=np.float64)
    assert layer.bound.output_shape == (None, 2)
    for length in (3, 8):
        x = np.random.default_rng(length).normal(size=(2, length, 4))
        np.testing.assert_allclose(layer(x), convolution.conv(layer, x), rtol=1e-12, atol=1e-14)


def test_an_open_time_axis_refuses_what_is_shorter_than_the_window():
    layer = dl.Conv1D(2, 3, dilation=2).build((None, 4), rng=0)
    with pytest.raises(dl.ShapeError, match=r"Conv1D\(2, 3, dilation=2\): a window of 5 does not"):
        layer(np.zeros((1, 4, 4), np.float32))


@pytest.mark.parametrize("scale", [1e-30, 1e30])
def test_huge_and_tiny_inputs(scale):
    layer = dl.Conv2D(2, 3, padding="same").build((5, 5, 2), rng=0)
    x = np.random.default_rng(0).normal(size=(3, 5, 5, 2)).astype(np.float32)
    y, scaled = layer(x), layer(np.float32(scale) * x)
    np.testing.assert_allclose(scaled / np.float32(scale), y, rtol=1e-4, atol=1e-5)


def test_the_order_of_the_input_in_memory_does_not_matter():
    layer = dl.Conv2D(2, 3).build((5, 6, 2), rng=0)
    x = np.random.default_rng(0).normal(size=(3, 5, 6, 2)).astype(np.float32)
    batch_innermost = batch_empty(3, (5, 6, 2), np.float32)
    batch_innermost[...] = x
    np.testing.assert_array_equal(layer(batch_innermost), layer(x))
    assert layer.forward(x).transpose(3, 1, 2, 0).flags.c_contiguous


def test_a_batch_of_images_is_cut_so_that_windows_keep_to_the_bound(monkeypatch):
    at = Geometry((3, 2), (2, 3), "valid", (2, 1), 1)  # windows of 5 x 2 pixels
    image, result = np.zeros((4, 20, 18, 10)), np.zeros((7, 8, 6, 10))
    # a row of the slab has 2 * 4 * 6 * 10 numbers, 3,840 bytes
    monkeypatch.setattr(image_windows, "COLUMN_BYTES", 10_000)
    parts = list(image_windows.samples(image, 6, at))  # 5 rows take 3.84 times half of the bound
    assert parts == [slice(0, 3), slice(3, 6), slice(6, 9), slice(9, 12)]
    monkeypatch.setattr(image_windows, "COLUMN_BYTES", 40_000)
    assert list(image_windows.samples(image, 6, at)) == [slice(0, 10)]
    parts = list(image_windows.stretches(image, result, at))  # 3 windows reach over 9 rows, of 10
    assert parts == [slice(0, 3), slice(3, 6), slice(6, 8)]
    monkeypatch.setattr(image_windows, "COLUMN_BYTES", 1)
    parts = list(image_windows.stretches(image, result, at))
    assert parts == [slice(i, i + 1) for i in range(8)]


def test_batches_are_cut_by_the_width_of_the_outputs(monkeypatch):
    widths = []

    def noted(image, ow, at):
        widths.append(ow)
        return image_windows.samples(image, ow, at)

    monkeypatch.setattr(correlation, "samples", noted)
    layer = dl.Conv2D(3, 3, stride=2).build((9, 7, 2), rng=0)
    y = layer.forward(np.ones((5, 9, 7, 2), np.float32), training=True)
    layer.backward(y)
    assert widths == [3, 3, 3]  # forward, the gradient of the kernels, and that of x


def test_a_batch_of_sequences_is_cut_so_that_windows_keep_to_the_bound(monkeypatch):
    at, x = Geometry((3,), (1,), "same", (1,), 1), np.zeros((7, 5, 2))  # 48 bytes a window

    def parts(n_bytes):
        monkeypatch.setattr(step_windows, "COLUMN_BYTES", n_bytes)
        return list(step_windows.stretches(x, 5, at))

    assert parts(500) == [(slice(i, i + 2), slice(0, 5)) for i in (0, 2, 4, 6)]
    single = [slice(i, i + 1) for i in range(7)]
    thirds = slice(0, 2), slice(2, 4), slice(4, 5)
    assert parts(100) == list(itertools.product(single, thirds))
    assert parts(1) == list(itertools.product(single, single[:5]))


def peak_bytes(work):
    """Most memory that was in use at once beyond what was in use before."""
    work()
    tracemalloc.start()
    try:
        work()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("n", [64, 512])
def test_windows_of_images_take_little_memory_whatever_the_batch(n):
    layer = dl.Conv2D(16, 5, padding="same").build((28, 28, 16), rng=0)
    x, y, dx = (batch_empty(n, (28, 28, 16), np.float32) for _ in range(3))
    x.fill(1)

    def step():
        layer._forward(x, training=True, out=y)  # the kernels: the entrance hands out copies
        layer._backward(y, out=dx)

    assert n * 28 * 28 * 16 * 4 * 25 > 75e6  # bytes of all windows
    assert peak_bytes(step) < 10e6


def test_gradients_of_large_kernels_are_not_kept_row_by_row():
    layer = dl.Conv2D(128, 3, padding="same").build((28, 28, 128), rng=0)
    x, y = (batch_empty(1, (28, 28, 128), np.float32) for _ in range(2))
    x.fill(1)

    def step():
        layer._forward(x, training=True, out=y)
        layer._backward(y, input_grad=False)

    assert 28 * layer.weight.nbytes > 16e6
    assert peak_bytes(step) < 10e6


@pytest.mark.parametrize(
    ("n_bytes", "count", "expected"),
    [
        (1, 1, [1, 1, 1, 1, 1]),  # a gradient is larger than that
        (1728 * 2, 1, [2, 2, 1]),  # a gradient has 2 * 9 * 12 numbers of 8 bytes
        (1728 * 3 - 1, 1, [2, 2, 1]),
        (1728 * 9, 2, [4, 1]),  # two gradients a row
        (1728 * 10, 2, [5]),
    ],
)
def test_gradients_are_added_up_over_as_many_rows_as_the_bound_allows(
    monkeypatch, n_bytes, count, expected
):
    rng, rows = np.random.default_rng(0), []
    windows, dz = rng.normal(size=(2, 5, 9, 8)), rng.normal(size=(2, 5, 12, 8))

    def noted(a, pieces):
        rows.append(a.shape[1])
        return image_windows.cut(a, pieces)

    monkeypatch.setattr(correlation, "COLUMN_BYTES", n_bytes)
    monkeypatch.setattr(correlation, "cut", noted)
    matrix = np.ones((2, 9, 12))
    correlation._add_gradients(matrix, windows, dz, count)
    np.testing.assert_allclose(matrix, 1 + np.einsum("grkp,grfp->gkf", windows, dz), rtol=1e-12)
    assert rows[::2] == rows[1::2] == expected


@pytest.mark.parametrize(("n", "steps"), [(64, 500), (2, 50_000)])
def test_windows_of_sequences_take_little_memory_whatever_the_batch(n, steps):
    layer = dl.Conv1D(16, 9, padding="same").build((steps, 16), rng=0)
    x, y, dx = (np.ones((n, steps, 16), np.float32) for _ in range(3))

    def step():
        layer._forward(x, training=True, out=y)
        layer._backward(y, out=dx)

    assert peak_bytes(step) < 15e6 < n * steps * 9 * 16 * 4


def test_initial_values_know_what_a_sum_goes_over():
    def fans(layer, shape):
        spec = layer.parameter_specs(shape)[0]
        return spec.shape, spec.fan_in, spec.fan_out

    assert fans(dl.Conv2D(8, (3, 2), groups=2), (9, 9, 4)) == ((3, 2, 2, 8), 12, 24)
    assert fans(dl.Conv1D(8, 5, groups=4), (9, 4)) == ((5, 1, 8), 5, 10)
    assert fans(dl.Conv1D(6, 5, groups=2), (9, 4)) == ((5, 2, 6), 10, 15)
    assert fans(dl.Conv2DTranspose(8, 4, stride=2), (9, 9, 6)) == ((4, 4, 8, 6), 24, 128)
    weight = dl.Conv2D(64, 3).build((9, 9, 32), rng=0).weight
    assert weight.std() == pytest.approx((2 / 288) ** 0.5, rel=0.02)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: dl.Conv2D(0, 3), "Conv2D: filters must be a whole number of at least 1, got 0"),
        (lambda: dl.Conv2D(2, (3, 3, 3)), "Conv2D: kernel_size must be a whole number, or 2 of"),
        (lambda: dl.Conv2D(2, 0), "Conv2D: kernel_size must be a whole number of at least 1"),
        (lambda: dl.Conv2D(2, 3, stride=0), "Conv2D: stride must be a whole number of at least 1"),
        (lambda: dl.Conv2D(2, 3, dilation=1.5), "Conv2D: dilation must be a whole number"),
        (lambda: dl.Conv2D(2, 3, padding="full"), r'"valid", "same", a whole.*\(\(1, 1\), \(1, 1'),
        (lambda: dl.Conv2D(2, 3, padding="causal"), "padding must be.*got 'causal'"),
        (lambda: dl.Conv2D(2, 3, padding=((1, 1), (-1, 1))), "padding must be.*least 0, got -1"),
        (lambda: dl.Conv2D(2, 3, padding=((1, 1), (1, -2))), "padding must be.*least 0, got -2"),
        (lambda: dl.Conv2D(2, 3, padding=((1.9, 1), (1, 1))), "Conv2D: padding must be.*got 1.9"),
        (lambda: dl.Conv2D(2, 3, padding=((1, 1), (1, True))), "padding must be.*got True"),
        (lambda: dl.Conv2D(2, 3, padding=((1, "1"), (1, 1))), "padding must be.*got '1'"),
        (lambda: dl.Conv2D(2, 3, padding=-1), "Conv2D: padding must be.*least 0, got -1"),
        (lambda: dl.Conv2D(2, 3, padding=True), "Conv2D: padding must be.*got True"),
        (lambda: dl.Conv2D(2, 3, padding=1.0), '"valid", "same", a whole number, or a pair.*got 1'),
        (lambda: dl.Conv2D(2, 3, padding=None), '"valid", "same", a whole number.*got None'),
        (lambda: dl.Conv2D(2, 3, padding=(1, 1)), r"a pair \(before, after\).*got \(1, 1\)"),
        (
            lambda: dl.Conv2D(2, 3, padding=((1, 1),)),
            r"a pair \(before, after\).*got \(\(1, 1\),\)",
        ),
        (
            lambda: dl.Conv2D(2, 3, padding=((1, 1), (1, 1, 1))),
            r"a pair \(before, after\) for each",
        ),
        (lambda: dl.Conv2D(2, 3, padding=("11", "11")), r"a pair \(before, after\) for each"),
        (
            lambda: dl.Conv2D(2, 3, padding=np.ones((2, 2), int)),
            r"a pair \(before.*got array\(\[\[1",
        ),
        (lambda: dl.Conv2D(2, np.array([3, 3])), r"kernel_size must be.*got array\(\[3, 3\]\)"),
        (lambda: dl.Conv2D(2, 3, groups=0), "Conv2D: groups must be a whole number of at least 1"),
        (lambda: dl.Conv2D(5, 3, groups=2), "Conv2D: filters must be a multiple of groups=2.*5"),
        (lambda: dl.Conv1D(2, (3, 3)), "Conv1D: kernel_size must be a whole number, or 1 of them"),
        (lambda: dl.Conv1D(2, 3, padding=(1, 1)), r'"causal", a whole.*such as \(\(1, 1\),\)'),
        (lambda: dl.Conv1D(3, 3, groups=2), "Conv1D: filters must be a multiple of groups=2"),
        (lambda: dl.Conv2DTranspose(True, 3), "Conv2DTranspose: filters must be a whole number"),
        (lambda: dl.Conv2DTranspose(2, 3, stride=(1, 0)), "Conv2DTranspose: stride must be"),
    ],
)
def test_wrong_arguments(make, message):
    with pytest.raises(dl.ArgumentError, match=message):
        make()


@pytest.mark.parametrize(
    ("layer", "shape", "message"),
    [
        (
            dl.Conv2D(2, 3),
            (28, 28),
            r"Conv2D\(2, 3\) in layer 0 of Sequential: expected input of shape \(N, H, W, C\), got "
            r"\(N, 28, 28\).*add Reshape\(\(28, 28, 1\)\).*x\[..., np.newaxis\]",
        ),
        (dl.Conv2D(2, 3), (784,), r"got \(N, 784\). Add Reshape\(\(height, width, channels\)\)"),
        (dl.Conv2D(2, 3), (None, 28, 1), r"got \(N, T, 28, 1\)"),
        (
            dl.Conv2D(4, 3, groups=4),
            (9, 9, 6),
            r"groups=4\) in layer 0.*multiple of groups=4, got \(N, 9, 9, 6\). 6 channels can be "
            "cut into 1, 2, 3, 6 groups",
        ),
        (dl.Conv2D(2, 5), (4, 9, 1), "a window of 5 does not fit 4 pixels"),
        (dl.Conv1D(2, 5), (4, 1), "a window of 5 does not fit 4 steps"),
        (dl.Conv2D(2, 3, dilation=4), (9, 8, 1), "a window of 9 does not fit 8 pixels"),
        (dl.Conv1D(2, 3), (9,), r"shape \(N, T, C\), got \(N, 9\). Add Reshape\(\(-1, 1\)\)"),
        (dl.Conv1D(2, 3), (9, 8, 1), r"shape \(N, T, C\), got \(N, 9, 8, 1\)"),
        (dl.Conv1D(4, 3, groups=2), (9, 3), "multiple of groups=2"),
        (dl.Conv2DTranspose(2, 3), (4, 4), r"Conv2DTranspose.*add Reshape\(\(4, 4, 1\)\)"),
        (dl.Conv2DTranspose(2, 3, padding=2), (1, 4, 1), "leaves nothing of the output"),
    ],
)
def test_shapes_that_do_not_fit(layer, shape, message):
    with pytest.raises(dl.ShapeError, match=message):
        dl.Sequential([layer]).build(shape)


def test_another_number_of_channels_is_refused():
    layer = dl.Conv2D(2, 3).build((9, 9, 3))
    with pytest.raises(dl.ShapeError, match=r"expected input of shape \(N, 9, 9, 3\), got \(2, 9"):
        layer(np.zeros((2, 9, 9, 1), np.float32))


def test_options_are_shown_as_they_were_given():
    layer = dl.Conv2D(8, (3, 5), padding=((1, 1), (0, 2)))
    assert repr(layer) == "Conv2D(8, (3, 5), padding=((1, 1), (0, 2)))"
    assert repr(dl.Conv1D(8, 3, padding="causal")) == "Conv1D(8, 3, padding='causal')"


def test_options_are_kept_as_json_can_hold_them():
    layers = {
        dl.Conv2D(np.int64(2), np.int32(3), padding=np.int8(1)): "Conv2D(2, 3, padding=1)",
        dl.Conv2D(2, [3, np.int64(5)], stride=[2, 1]): "Conv2D(2, (3, 5), stride=(2, 1))",
        dl.Conv2D(2, 3, dilation=np.int64(2)): "Conv2D(2, 3, dilation=2)",
        dl.Conv2D(2, 3, groups=np.int64(2)): "Conv2D(2, 3, groups=2)",
        dl.Conv2D(2, 3, padding=[[1, np.uint8(2)], (0, 1)]): (
            "Conv2D(2, 3, padding=((1, 2), (0, 1)))"
        ),
        dl.Conv1D(2, [np.int64(3)], padding="causal"): "Conv1D(2, (3,), padding='causal')",
        dl.Conv2DTranspose(2, 4, stride=np.int64(2)): "Conv2DTranspose(2, 4, stride=2)",
    }
    for layer, text in layers.items():
        assert repr(layer) == text
        options = {k: v for k, v in layer.config().items() if "initializer" not in k}
        assert json.dumps(options)
        assert repr(type(layer)(**layer.config())) == text


def test_a_list_that_is_changed_later_changes_no_layer():
    size = [3, 3]
    layer = dl.Conv2D(2, size)
    size[0] = 5
    assert layer.build((8, 8, 1)).weight.shape == (3, 3, 1, 2)


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("kernel_size", 2),
        ("kernel_size", [2, 1]),
        ("stride", np.int64(2)),
        ("padding", "same"),
        ("padding", 1),
        ("dilation", 2),
        ("groups", 2),
        ("filters", 6),
    ],
)
def test_options_count_that_are_changed_before_build(option, value):
    changed = dl.Conv2D(4, 3)
    setattr(changed, option, value)
    built = dl.Conv2D(**{"filters": 4, "kernel_size": 3, option: value})
    x = np.random.default_rng(0).normal(size=(2, 8, 7, 2)).astype(np.float32)
    for layer in (changed, built):
        layer.build((8, 7, 2), rng=0)
    np.testing.assert_array_equal(changed(x), built(x))
    assert changed.output_shape((8, 7, 2)) == built.bound.output_shape == changed(x).shape[1:]


def test_options_that_are_changed_are_checked():
    layer = dl.Conv2D(4, 3)
    layer.groups = 3
    with pytest.raises(dl.ArgumentError, match="Conv2D: filters must be a multiple of groups=3"):
        layer.build((8, 8, 3))
    steps = dl.Conv1D(4, 3)
    steps.padding = (1, 1)
    with pytest.raises(dl.ArgumentError, match="Conv1D: padding must be"):
        steps.build((8, 3))


def test_options_are_checked_once_and_whatever_was_checked_before():
    layer = dl.Conv2D(4, 3, stride=(1, 1))
    assert layer.geometry is layer.geometry
    for stride in ((1.0, 1), (True, 1)):  # which Python takes for the (1, 1) above
        with pytest.raises(dl.ArgumentError, match="Conv2D: stride must be a whole number"):
            dl.Conv2D(4, 3, stride=stride)
    layer.stride = True
    with pytest.raises(dl.ArgumentError, match=r"Conv2D: stride must be a whole.*got True"):
        layer.build((8, 8, 1))
