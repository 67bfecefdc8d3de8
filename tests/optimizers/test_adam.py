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


def test_amsgrad_by_hand():
    # beta2 3/4, epsilon 1, learning rate 1, beta1 0; g = 4: v = 4, v^ = 16, step 4 / 5
    # g = 0: v = 3, but 4 stays: no step.  g = 2: v = 9/4 + 1, 4 stays: v^ = 4 / (37/64)
    params = np.array([10.0])
    optimizer = dl.Adam(1.0, beta1=0.0, beta2=0.75, epsilon=1.0, amsgrad=True)
    for g, position in ((4.0, 9.2), (0.0, 9.2), (2.0, 9.2 - 2 / (math.sqrt(256 / 37) + 1))):
        optimizer.update(params, np.array([g]))
        assert params[0] == pytest.approx(position, rel=1e-15)
    assert optimizer.state["mean_square"][0] == 3.25
    assert optimizer.state["largest_mean_square"][0] == 4


def test_reddis_example_needs_amsgrad():
    # Reddi et al. 2018, theorem 1: gradients 4, -1, -1 in turn, so the best of [-1, 1] is -1
    def end(**options):
        x, adam = np.zeros(1), dl.Adam(0.01, beta1=0.0, beta2=1 / 17, **options)
        for step in range(900):
            adam.update(x, np.array([-1.0 if step % 3 else 4.0]))
            np.clip(x, -1, 1, out=x)
        return x[0]

    assert end() > 0.9
    assert end(amsgrad=True) < -0.9


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
