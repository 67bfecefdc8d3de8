import re

import numpy as np
import pytest

import minidl as dl


def test_steps_by_hand():
    # betas 1/2 and 3/4; the sign is that of m / 2 + g / 2, then m becomes 3/4 m + g / 4
    params, optimizer = np.zeros(1), dl.Lion(0.25, beta1=0.5, beta2=0.75)
    for g, position, m in ((4.0, -0.25, 1.0), (-0.5, -0.5, 0.625), (-2.0, -0.25, -0.03125)):
        optimizer.update(params, np.array([g]))
        assert (params[0], optimizer.state["mean"][0]) == (position, m)


def test_the_length_of_the_gradient_does_not_matter():
    params = np.zeros(5)
    dl.Lion(0.5).update(params, np.array([1e-30, -1e30, 0.0, 3.0, -3.0]))
    np.testing.assert_array_equal(params, [-0.5, 0.5, 0.0, -0.5, 0.5])


def test_without_memory_it_follows_the_sign():
    params, optimizer = np.zeros(2), dl.Lion(0.5, beta1=0.0, beta2=0.0)
    for grads in ([3.0, -2.0], [-7.0, -0.1]):
        optimizer.update(params, np.array(grads))
    np.testing.assert_array_equal(params, [0, 1])


def test_defaults_are_the_papers():
    assert (
        vars(dl.Lion()).items()
        >= {
            "learning_rate": 1e-4,
            "beta1": 0.9,
            "beta2": 0.99,
            "weight_decay": 0.0,
        }.items()
    )


@pytest.mark.parametrize(
    ("option", "value", "message"),
    [
        ("beta1", 1.0, "a number in [0, 1), got 1.0"),
        ("beta1", -0.1, "a number in [0, 1), got -0.1"),
        ("beta2", 1.0, "a number in [0, 1), got 1.0"),
        ("beta2", -0.1, "a number in [0, 1), got -0.1"),
    ],
)
def test_wrong_options_are_explained(option, value, message):
    with pytest.raises(dl.ArgumentError, match=re.escape(f"Lion: {option} must be {message}")):
        dl.Lion(**{option: value})
