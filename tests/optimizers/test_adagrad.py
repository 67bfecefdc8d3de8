import math
import re

import numpy as np
import pytest

import minidl as dl


def test_steps_by_hand():
    # the root of the sum of squares: 3, then sqrt(9 + 16) = 5, then sqrt(25 + 144) = 13
    params, optimizer = np.zeros(1), dl.Adagrad(2.0, epsilon=1.0)
    for g, root in ((3.0, 3), (-4.0, 5), (12.0, 13)):
        before = params.copy()
        optimizer.update(params, np.array([g]))
        assert (params - before)[0] == pytest.approx(-2 * g / (root + 1), rel=1e-15)


def test_initial_accumulator_by_hand():
    params, optimizer = np.zeros(1), dl.Adagrad(1.0, initial_accumulator=16.0, epsilon=1.0)
    optimizer.update(params, np.array([3.0]))
    assert params[0] == pytest.approx(-3 / (math.sqrt(16 + 9) + 1), rel=1e-15)
    assert optimizer.state["sum_of_squares"][0] == 9  # the start is added, not kept


def test_a_rare_gradient_keeps_its_step():
    params, optimizer = np.zeros(2), dl.Adagrad(1.0)
    for step in range(100):
        before = params.copy()
        optimizer.update(params, np.array([1.0, float(step == 99)]))
    np.testing.assert_allclose(before - params, [0.1, 1.0], rtol=1e-9)


def test_defaults_are_pytorchs():
    assert (
        vars(dl.Adagrad()).items()
        >= {
            "learning_rate": 0.01,
            "initial_accumulator": 0.0,
            "epsilon": 1e-10,
            "weight_decay": 0.0,
        }.items()
    )


def test_a_negative_accumulator_is_explained():
    message = re.escape("Adagrad: initial_accumulator must be a number in [0, inf), got -1")
    with pytest.raises(dl.ArgumentError, match=message):
        dl.Adagrad(initial_accumulator=-1)


@pytest.mark.parametrize(
    ("option", "value", "message"),
    [
        ("epsilon", 0, "above 0, got 0"),
        ("epsilon", -1e-8, "a number in [0, inf), got -1e-08"),
    ],
)
def test_wrong_options_are_explained(option, value, message):
    with pytest.raises(dl.ArgumentError, match=re.escape(f"Adagrad: {option} must be {message}")):
        dl.Adagrad(**{option: value})
