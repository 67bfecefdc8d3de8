import math
import re

import numpy as np
import pytest

import minidl as dl


def test_two_steps_by_hand():
    # betas 1/2 and 3/4, epsilon 1, learning rate 1
    # g = 4: m = 2, m^ = 2 / (1/2) = 4;  v = 4, v^ = 4 / (1/4) = 16;  step 4 / (4 + 1)
    # g = 0: m = 1, m^ = 1 / (3/4) = 4/3;  v = 3, v^ = 3 / (7/16) = 48/7
    params, optimizer = np.array([10.0]), dl.Adam(1.0, beta1=0.5, beta2=0.75, epsilon=1.0)
    optimizer.update(params, np.array([4.0]))
    assert params[0] == pytest.approx(10 - 4 / 5, rel=1e-15)
    assert (optimizer.state["mean"][0], optimizer.state["mean_square"][0]) == (2, 4)
    optimizer.update(params, np.array([0.0]))
    second = (4 / 3) / (math.sqrt(48 / 7) + 1)
    assert params[0] == pytest.approx(10 - 4 / 5 - second, rel=1e-15)
    assert (optimizer.state["mean"][0], optimizer.state["mean_square"][0]) == (1, 3)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_first_step_is_the_learning_rate_whatever_the_scale(dtype):
    params = np.zeros(4, dtype)
    dl.Adam(0.125, epsilon=1e-30).update(params, np.array([1e-9, 1e9, -1e-9, -1e9], dtype))
    np.testing.assert_allclose(params, [-0.125, -0.125, 0.125, 0.125], rtol=1e-5)


def test_a_constant_gradient_gives_equal_steps():
    params, optimizer = np.zeros(1), dl.Adam(0.25, epsilon=1e-30)
    for step in range(1, 1001):
        optimizer.update(params, np.array([3.0]))
        assert params[0] == pytest.approx(-0.25 * step, rel=1e-11)


def test_without_memory_it_follows_the_sign():
    params, optimizer = np.zeros(2), dl.Adam(0.5, beta1=0.0, beta2=0.0, epsilon=1e-30)
    for grads in ([3.0, -2.0], [-7.0, -0.1]):
        optimizer.update(params, np.array(grads))
    np.testing.assert_allclose(params, [0, 1], atol=1e-15)


def test_weight_decay_is_decoupled_from_the_moments():
    # step 1 of rate * sign, and rate * decay * x = 0.5 * 0.25 * 8 beside it
    params, optimizer = np.array([8.0]), dl.Adam(0.5, epsilon=1e-30, weight_decay=0.25)
    optimizer.update(params, np.array([1.0]))
    assert params[0] == pytest.approx(8 - 0.5 - 1, rel=1e-15)
    assert optimizer.state["mean"][0] == pytest.approx(0.1, rel=1e-15)


def test_a_zero_gradient_is_no_division_by_zero():
    params = np.ones(2, np.float32)
    dl.Adam().update(params, np.zeros(2, np.float32))
    np.testing.assert_array_equal(params, [1, 1])


def test_defaults_are_the_papers():
    adam = dl.Adam()
    assert (adam.learning_rate, adam.beta1, adam.beta2, adam.epsilon, adam.weight_decay) == (
        0.001,
        0.9,
        0.999,
        1e-8,
        0.0,
    )


def test_epsilon_must_be_above_0():
    with pytest.raises(dl.ArgumentError, match="Adam: epsilon must be above 0"):
        dl.Adam(epsilon=0)


@pytest.mark.parametrize(
    ("option", "value", "interval"),
    [
        ("beta1", 1.0, "[0, 1)"),
        ("beta1", -0.1, "[0, 1)"),
        ("beta1", None, "[0, 1)"),
        ("beta2", 1, "[0, 1)"),
        ("beta2", np.nan, "[0, 1)"),
        ("beta2", (0.9, 0.999), "[0, 1)"),
        ("epsilon", -1e-8, "[0, inf)"),
        ("epsilon", np.inf, "[0, inf)"),
        ("epsilon", "tiny", "[0, inf)"),
    ],
)
def test_wrong_options_are_explained(option, value, interval):
    message = re.escape(f"Adam: {option} must be a number in {interval}, got {value!r}")
    with pytest.raises(dl.ArgumentError, match=message):
        dl.Adam(**{option: value})
