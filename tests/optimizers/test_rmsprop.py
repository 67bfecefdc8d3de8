import math
import re

import numpy as np
import pytest

import minidl as dl


def test_two_steps_by_hand():
    # rho 3/4, epsilon 1, learning rate 1; g = 4: v = 4, step 4 / (2 + 1)
    # g = 2: v = 3 + 1 = 4, step 2 / 3
    params, optimizer = np.array([10.0]), dl.RMSprop(1.0, rho=0.75, epsilon=1.0)
    optimizer.update(params, np.array([4.0]))
    assert params[0] == pytest.approx(10 - 4 / 3, rel=1e-15)
    optimizer.update(params, np.array([2.0]))
    assert params[0] == pytest.approx(10 - 4 / 3 - 2 / 3, rel=1e-15)
    assert optimizer.state["mean_square"][0] == 4


def test_momentum_by_hand():
    # as above, with u = 4/3, then 2/3 + 2/3; the learning rate is outside u (PyTorch's convention)
    rates = [1.0, 0.5]
    optimizer = dl.RMSprop(lambda step: rates[step], rho=0.75, epsilon=1.0, momentum=0.5)
    params = np.array([10.0])
    optimizer.update(params, np.array([4.0]))
    assert params[0] == pytest.approx(10 - 4 / 3, rel=1e-15)
    optimizer.update(params, np.array([2.0]))
    assert optimizer.state["velocity"][0] == pytest.approx(4 / 3, rel=1e-15)
    assert params[0] == pytest.approx(10 - 4 / 3 - 0.5 * 4 / 3, rel=1e-15)


def test_epsilon_is_outside_the_root():
    params = np.zeros(1)
    dl.RMSprop(1.0, rho=0.0, epsilon=0.25).update(params, np.array([0.75]))
    assert params[0] == -0.75  # inside, it would be -0.75 / sqrt(0.75^2 + 0.25) = -0.832


def test_the_first_step_is_longer_than_later_ones():
    params, optimizer = np.zeros(1), dl.RMSprop(1.0, rho=0.75, epsilon=1e-30)
    for _ in range(100):
        before = params.copy()
        optimizer.update(params, np.ones(1))
        if optimizer.steps == 1:
            assert params[0] == pytest.approx(-1 / math.sqrt(1 - 0.75), rel=1e-15)
    assert (params - before)[0] == pytest.approx(-1, rel=1e-9)


def test_plain_keeps_one_vector_and_momentum_two():
    assert dl.RMSprop().slots == ("mean_square",)
    assert dl.RMSprop(momentum=0.9).slots == ("mean_square", "velocity")


def test_defaults_are_pytorchs():
    assert (
        vars(dl.RMSprop()).items()
        >= {
            "learning_rate": 0.01,
            "rho": 0.99,
            "momentum": 0.0,
            "epsilon": 1e-8,
            "weight_decay": 0.0,
        }.items()
    )


@pytest.mark.parametrize(
    ("option", "value", "message"),
    [
        ("rho", 1.0, "a number in [0, 1), got 1.0"),
        ("rho", -0.1, "a number in [0, 1), got -0.1"),
        ("momentum", 1.0, "a number in [0, 1), got 1.0"),
        ("momentum", -0.1, "a number in [0, 1), got -0.1"),
        ("epsilon", 0, "above 0, got 0"),
        ("epsilon", -1e-8, "a number in [0, inf), got -1e-08"),
    ],
)
def test_wrong_options_are_explained(option, value, message):
    with pytest.raises(dl.ArgumentError, match=re.escape(f"RMSprop: {option} must be {message}")):
        dl.RMSprop(**{option: value})
