"""Activations: values by hand, limits, kinks, memory order, and what they refuse."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import special

import minidl as dl
from minidl.buffers import batch_empty

E = math.e
SCALE, ALPHA = 1.0507009873554805, 1.6732632423543772  # of SELU
STEEPNESS = math.sqrt(8 / math.pi)  # of GELU's tanh form, seen as a sigmoid


def value_and_derivative(layer, points, dtype=np.float64):
    """Output and derivative of an activation at some numbers."""
    x = np.array([points], dtype)
    model = layer.build(x.shape[1:], dtype=dtype)
    y = model.forward(x, training=True)
    return y[0], model.backward(np.ones_like(y))[0]


def central_differences(make, points, step=1e-6):
    x = np.array([points])
    model = make().build(x.shape[1:], dtype=np.float64)
    return ((model(x + step) - model(x - step)) / (2 * step))[0]


def test_elu_gradient_where_operator_precedence_went_wrong_elsewhere():
    points = [-2.0, -1.0, -1e-3, 1e-3, 3.0]
    y, slope = value_and_derivative(dl.ELU(2.0), points)
    by_hand = [2 / E**2, 2 / E, 2 * E**-1e-3, 1, 1]
    np.testing.assert_allclose(y[:2], [2 / E**2 - 2, 2 / E - 2], rtol=1e-15)
    np.testing.assert_allclose(slope, by_hand, rtol=1e-15)
    np.testing.assert_allclose(slope, central_differences(lambda: dl.ELU(2.0), points), rtol=1e-8)


def test_gelu_of_one_is_0_841_where_another_framework_had_0_542():
    points = [1.0, -1.0, 0.0, 2.0]
    y, slope = value_and_derivative(dl.GELU(), points)
    area, density = 0.8413447460685429, 0.24197072451914337  # of the normal distribution, at 1
    np.testing.assert_allclose(y[:3], [area, area - 1, 0], rtol=1e-15)
    np.testing.assert_allclose(slope[:3], [area + density, 1 - area - density, 0.5], rtol=1e-14)
    np.testing.assert_allclose(slope, central_differences(dl.GELU, points), rtol=1e-8)


def test_gelu_of_one_in_its_tanh_form_is_0_841_too():
    points = [1.0, -1.0, 0.0, 2.0]
    y, slope = value_and_derivative(dl.GELU(approximate=True), points)
    u = math.sqrt(2 / math.pi) * 1.044715
    du = math.sqrt(2 / math.pi) * (1 + 3 * 0.044715)
    area, density = (1 + math.tanh(u)) / 2, du / math.cosh(u) ** 2 / 2
    assert y[0] == pytest.approx(0.8411919906082768, rel=1e-14)
    np.testing.assert_allclose(y[:3], [area, area - 1, 0], rtol=1e-14)
    np.testing.assert_allclose(slope[:3], [area + density, 1 - area - density, 0.5], rtol=1e-13)
    differences = central_differences(lambda: dl.GELU(approximate=True), points)
    np.testing.assert_allclose(slope, differences, rtol=1e-8)


@pytest.mark.parametrize(
    ("layer", "value", "slope"),
    [
        (dl.LeakyReLU(0.1), 0.1 * (1 / E - 1), 0.1),
        (
            dl.SELU(),
            SCALE * ALPHA * (1 / math.exp(1 - 1 / E) - 1),
            SCALE * ALPHA / E ** (1 - 1 / E),
        ),
        (dl.SiLU(), (1 / E - 1) / (1 + E ** (1 - 1 / E)), None),
        (dl.Softplus(), math.log(1 + E ** (1 / E - 1)), 1 / (1 + E ** (1 - 1 / E))),
        (dl.PReLU(), 0.25 * (1 / E - 1), 0.25),
    ],
    ids=str,
)
def test_values_by_hand(layer, value, slope):
    x = 1 / E - 1  # a negative number that is not round
    y, derivative = value_and_derivative(layer, [x])
    if slope is None:
        s = 1 / (1 + math.exp(-x))
        slope = s + x * s * (1 - s)
    assert y[0] == pytest.approx(value, rel=1e-14)
    assert derivative[0] == pytest.approx(slope, rel=1e-14)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("huge", [1e4, 1e30])
@pytest.mark.parametrize(
    ("make", "limits"),  # value and derivative at -huge (None: proportional), then at +huge
    [
        (lambda: dl.LeakyReLU(0.25), (None, 0.25, 1, 1)),
        (lambda: dl.ELU(0.1), (-0.1, 0, 1, 1)),
        (lambda: dl.ELU(3), (-3, 0, 1, 1)),
        (dl.SELU, (-SCALE * ALPHA, 0, SCALE, SCALE)),
        (dl.GELU, (0, 0, 1, 1)),
        (lambda: dl.GELU(approximate=True), (0, 0, 1, 1)),
        (dl.SiLU, (0, 0, 1, 1)),
        (dl.Softplus, (0, 0, 1, 1)),
        (dl.PReLU, (None, 0.25, 1, 1)),
    ],
    ids=["leaky", "elu 0.1", "elu 3", "selu", "gelu", "gelu tanh", "silu", "softplus", "prelu"],
)
def test_limits_are_exact(make, limits, huge, dtype):
    low, low_slope, high_factor, high_slope = limits
    y, slope = value_and_derivative(make(), [-huge, huge], dtype)
    low = -huge * low_slope if low is None else low
    np.testing.assert_array_equal(y, np.array([low, dtype(high_factor) * dtype(huge)], dtype))
    np.testing.assert_array_equal(slope, np.array([low_slope, high_slope], dtype))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(
    ("layer", "x", "value", "slope"),
    [
        (dl.ELU(2), -1e-20, -2e-20, 2),
        (dl.SELU(), -1e-20, -1e-20 * SCALE * ALPHA, SCALE * ALPHA),
        (dl.GELU(), 1e-20, 5e-21, 0.5),
        (dl.GELU(approximate=True), 1e-20, 5e-21, 0.5),
        (dl.GELU(), -8.0, -8 * special.ndtr(-8.0), None),
        (
            dl.GELU(approximate=True),
            -4.0,
            -4 / (1 + math.exp(STEEPNESS * (4 + 0.044715 * 64))),
            None,
        ),
        (dl.SiLU(), -30.0, -30 * math.exp(-30), -29 * math.exp(-30)),
        (dl.Softplus(), -30.0, math.exp(-30), math.exp(-30)),
        (dl.Softplus(), 30.0, 30 + math.exp(-30), 1 - math.exp(-30)),
    ],
    ids=str,
)
def test_small_results_keep_their_digits(layer, x, value, slope, dtype):
    y, derivative = value_and_derivative(layer.detached_copy(), [x], dtype)
    rtol = 1e-5 if dtype == np.float32 else 1e-9
    np.testing.assert_allclose(y, [value], rtol=rtol)
    if slope is not None:
        np.testing.assert_allclose(derivative, [slope], rtol=rtol)


@pytest.mark.parametrize(
    ("layer", "slope"),
    [
        (dl.LeakyReLU(0.2), 0.2),
        (dl.ELU(2.0), 2.0),
        (dl.SELU(), SCALE * ALPHA),
        (dl.PReLU(dl.Constant(-3)), -3.0),
    ],
    ids=str,
)
def test_at_the_kink_the_derivative_is_taken_from_the_left(layer, slope):
    y, derivative = value_and_derivative(layer, [0.0, -0.0])
    np.testing.assert_array_equal(y, [0, 0])
    np.testing.assert_array_equal(derivative, [slope, slope])


def test_selu_keeps_mean_0_and_variance_1_through_ten_layers():
    layers = [
        layer
        for _ in range(10)
        for layer in (dl.Dense(400, weight_initializer=dl.LeCunNormal()), dl.SELU())
    ]
    y = dl.Sequential(layers).build((400,), rng=0)(np.random.default_rng(1).normal(size=(500, 400)))
    assert abs(y.mean()) < 0.1
    assert 0.8 < y.var() < 1.2


ELEMENTWISE = [
    dl.LeakyReLU(0.3),
    dl.ELU(1.5),
    dl.SELU(),
    dl.GELU(),
    dl.GELU(approximate=True),
    dl.SiLU(),
    dl.Softplus(),
]
numbers = st.floats(-(2.0**100), 2.0**100, width=32)
batches = hnp.arrays(
    np.float32, hnp.array_shapes(min_dims=2, max_dims=5, max_side=4), elements=numbers
)


@pytest.mark.parametrize("layer", ELEMENTWISE, ids=str)
@settings(max_examples=20, deadline=None)
@given(x=batches)
def test_an_elementwise_layer_takes_any_shape_and_number(layer, x):
    model = layer.detached_copy().build(x.shape[1:])
    flat = layer.detached_copy().build((x.size,))
    y, y_flat = model.forward(x, training=True), flat.forward(x.reshape(1, -1), training=True)
    np.testing.assert_allclose(y.ravel(), y_flat[0], rtol=1e-6, atol=1e-30)
    dx, dx_flat = model.backward(np.ones_like(y)), flat.backward(np.ones_like(y_flat))
    np.testing.assert_allclose(dx.ravel(), dx_flat[0], rtol=1e-6, atol=1e-30)
    assert np.isfinite(y).all()
    assert np.isfinite(dx).all()


@pytest.mark.parametrize("layer", [*ELEMENTWISE, dl.PReLU(), dl.SpatialDropout2D(0.5)], ids=str)
def test_images_stay_batch_innermost(layer):
    model = layer.detached_copy().build((4, 5, 3), rng=0)
    x = batch_empty(6, (4, 5, 3), np.float32)
    x[...] = np.random.default_rng(0).normal(size=x.shape)
    y = model.forward(x, training=True)
    assert y.strides == x.strides
    assert model.backward(x).strides == x.strides


@pytest.mark.parametrize("layer", [*ELEMENTWISE, dl.PReLU(), dl.LogSoftmax()], ids=str)
def test_the_time_axis_may_be_open(layer):
    model = layer.detached_copy().build((None, 3), rng=0, dtype=np.float64)
    for steps in (1, 4):
        x = np.random.default_rng(steps).normal(size=(2, steps, 3))
        fixed = layer.detached_copy().build((steps, 3), rng=0, dtype=np.float64)
        np.testing.assert_array_equal(model(x), fixed(x))
        dy = model.forward(x, training=True)
        fixed.forward(x, training=True)
        np.testing.assert_array_equal(model.backward(dy), fixed.backward(dy))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_log_softmax_of_extreme_rows(dtype):
    x = np.array([[0, 0, 0], [1e4, -1e4, 0], [1e30, -1e30, 1e30], [-1e4, -1e4, -1e4]], dtype)
    model = dl.LogSoftmax().build((3,), dtype=dtype)
    y = model.forward(x, training=True)
    third, half = math.log(3), math.log(2)
    right = [[-third] * 3, [0, -2e4, -1e4], [-half, -2e30, -half], [-third] * 3]
    np.testing.assert_allclose(y, right, rtol=2 * np.finfo(dtype).eps)
    dx = model.backward(np.array([[1, 0, 0]] * 4, dtype))
    right = [[2 / 3, -1 / 3, -1 / 3], [0, 0, 0], [0.5, 0, -0.5], [2 / 3, -1 / 3, -1 / 3]]
    np.testing.assert_allclose(dx, right, rtol=1e-5, atol=np.finfo(dtype).eps)


def test_log_softmax_of_one_class_is_0_and_passes_no_gradient():
    model = dl.LogSoftmax().build((2, 1), dtype=np.float64)
    y = model.forward(np.array([[[3.0], [-1e30]]]), training=True)
    np.testing.assert_array_equal(y, np.zeros((1, 2, 1)))
    np.testing.assert_array_equal(model.backward(np.full((1, 2, 1), 5.0)), np.zeros((1, 2, 1)))


@pytest.mark.parametrize("classes", [2, 32, 33, 100])
def test_log_softmax_is_the_logarithm_of_softmax(classes):
    x = np.random.default_rng(0).normal(size=(5, classes))
    log_p, p = (
        layer.build((classes,), dtype=np.float64) for layer in (dl.LogSoftmax(), dl.Softmax())
    )
    np.testing.assert_allclose(np.exp(log_p(x)), p(x), rtol=1e-13)


def test_prelu_by_hand():
    layer = dl.PReLU().build((2, 2), dtype=np.float64)
    np.testing.assert_array_equal(layer.slope, [0.25, 0.25])
    layer.slope = [0.5, -2.0]
    x = np.array([[[-1.0, -3.0], [2.0, 4.0]], [[-5.0, 0.0], [-7.0, -1.0]]])
    y = layer.forward(x, training=True)
    np.testing.assert_array_equal(y, [[[-0.5, 6], [2, 4]], [[-2.5, 0], [-3.5, 2]]])
    dx = layer.backward(np.array([[[1.0, 10.0], [100.0, 1000.0]], [[2.0, 20.0], [3.0, 30.0]]]))
    np.testing.assert_array_equal(dx, [[[0.5, -20], [100, 1000]], [[1, -40], [1.5, -60]]])
    # -1 * 1 - 5 * 2 - 7 * 3 for the first channel, -3 * 10 - 1 * 30 for the second
    np.testing.assert_array_equal(layer.gradients["slope"], [-32, -60])


def test_prelu_is_not_decayed():
    model = dl.Sequential([dl.Dense(2, use_bias=False), dl.PReLU()]).build((3,))
    np.testing.assert_array_equal(model.decay_mask, [1, 1, 1, 1, 1, 1, 0, 0])


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: dl.LeakyReLU(1), r"LeakyReLU: negative_slope must be a number in \[0, 1\), got 1"),
        (lambda: dl.LeakyReLU(-0.1), r"negative_slope must be a number in \[0, 1\), got -0.1"),
        (lambda: dl.LeakyReLU("0.1"), "negative_slope must be a number"),
        (lambda: dl.ELU(-1), r"ELU: alpha must be a number in \[0, inf\), got -1"),
        (lambda: dl.ELU(math.inf), "ELU: alpha must be a number"),
        (lambda: dl.ELU(math.nan), "ELU: alpha must be a number"),
    ],
)
def test_wrong_arguments_are_refused(make, message):
    with pytest.raises(dl.ArgumentError, match=message):
        make()


@pytest.mark.parametrize(("shape", "shown"), [((), r"\(N\)"), ((None,), r"\(N, T\)")])
def test_prelu_needs_channels(shape, shown):
    with pytest.raises(
        dl.ShapeError,
        match=rf"PReLU\(\): expected input of shape \(N, ..., C\) with C channels, got {shown}. "
        "Give the last axis a fixed length",
    ):
        dl.PReLU().build(shape)


def test_options_are_numbers_of_python():
    assert type(dl.LeakyReLU(np.float64(0.1)).negative_slope) is float
    assert type(dl.ELU(np.float64(2)).alpha) is float
    x = np.array([[-1.0, 2.0]], np.float32)
    assert dl.ELU(np.float64(2)).build((2,))(x).dtype == np.float32
