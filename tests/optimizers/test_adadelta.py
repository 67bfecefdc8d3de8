import math
import re

import numpy as np
import pytest

import minidl as dl


def test_two_steps_by_hand():
    # rho 3/4, epsilon 1; g = 4: v = 4, d = sqrt(1 / 5) * 4, u = d^2 / 4 = 0.8
    # g = 2: v = 3 + 1 = 4, d = sqrt(1.8 / 5) * 2 = 1.2, u = 0.6 + 0.36
    params, optimizer = np.zeros(1), dl.Adadelta(0.5, rho=0.75, epsilon=1.0)
    optimizer.update(params, np.array([4.0]))
    assert params[0] == pytest.approx(-0.5 * 4 * math.sqrt(0.2), rel=1e-15)
    assert optimizer.state["mean_square_step"][0] == pytest.approx(0.8, rel=1e-15)
    before = params.copy()
    optimizer.update(params, np.array([2.0]))
    assert (params - before)[0] == pytest.approx(-0.5 * 1.2, rel=1e-14)
    assert optimizer.state["mean_square"][0] == 4
    assert optimizer.state["mean_square_step"][0] == pytest.approx(0.96, rel=1e-15)


def test_the_scale_of_the_gradient_does_not_matter():
    params, optimizer = np.zeros(2), dl.Adadelta(epsilon=1e-12)
    for g in np.random.default_rng(0).normal(size=50):
        optimizer.update(params, np.array([g, 1e6 * g]))
    assert params[0] == pytest.approx(params[1], rel=1e-4)


def test_epsilon_decides_on_the_first_step():
    for epsilon in (1e-4, 1e-8):
        params = np.zeros(1)
        dl.Adadelta(epsilon=epsilon).update(params, np.array([10.0]))
        assert params[0] == pytest.approx(-math.sqrt(epsilon / 0.1), rel=1e-4)


def test_defaults_are_pytorchs():
    assert (
        vars(dl.Adadelta()).items()
        >= {
            "learning_rate": 1.0,
            "rho": 0.9,
            "epsilon": 1e-6,
            "weight_decay": 0.0,
        }.items()
    )


@pytest.mark.parametrize(
    ("option", "value", "message"),
    [
        ("rho", 1.0, "a number in [0, 1), got 1.0"),
        ("rho", -0.1, "a number in [0, 1), got -0.1"),
        ("epsilon", 0, "above 0, got 0"),
        ("epsilon", -1e-8, "a number in [0, inf), got -1e-08"),
    ],
)
def test_wrong_options_are_explained(option, value, message):
    with pytest.raises(dl.ArgumentError, match=re.escape(f"Adadelta: {option} must be {message}")):
        dl.Adadelta(**{option: value})
