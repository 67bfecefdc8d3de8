import copy
import math
import re

import numpy as np
import pytest

import minidl as dl


def momentum(t, beta=0.9, decay=0.004):
    return beta * (1 - 0.5 * 0.96 ** (t * decay))


def test_two_steps_by_hand():
    # betas 1/2 and 3/4, epsilon 1, learning rate 1, no decay of the momentum: mu = 1/4 throughout
    # g = 4: m = 2, v = 4, v^ = 16; (1/4 * 2 / (1 - 1/16) + 3/4 * 4 / (1 - 1/4)) / (4 + 1)
    # g = 0: m = 1, v = 3, v^ = 48/7; (1/4 * 1 / (1 - 1/64) + 0) / (sqrt(48/7) + 1)
    params = np.array([10.0])
    optimizer = dl.NAdam(1.0, beta1=0.5, beta2=0.75, momentum_decay=0.0, epsilon=1.0)
    optimizer.update(params, np.array([4.0]))
    first = (0.5 / (15 / 16) + 4) / 5
    assert params[0] == pytest.approx(10 - first, rel=1e-15)
    optimizer.update(params, np.array([0.0]))
    second = 0.25 / (63 / 64) / (math.sqrt(48 / 7) + 1)
    assert params[0] == pytest.approx(10 - first - second, rel=1e-15)


def test_the_momentum_grows_towards_its_limit():
    # a gradient only in step 2 shows mu_2 and the products up to steps 2 and 3
    params, optimizer = np.zeros(1), dl.NAdam(1.0, momentum_decay=30.0, epsilon=1e-30)
    optimizer.update(params, np.zeros(1))
    optimizer.update(params, np.ones(1))
    mu = [momentum(t, decay=30.0) for t in (1, 2, 3)]
    ahead = mu[2] * 0.1 / (1 - math.prod(mu)) + (1 - mu[1]) / (1 - mu[0] * mu[1])
    assert params[0] == pytest.approx(-ahead / math.sqrt(0.001 / (1 - 0.999**2)), rel=1e-12)


def test_steps_may_be_set_from_outside():
    # as when state and steps are read back from a file into a new optimizer
    grads, params = np.random.default_rng(0).normal(size=(8, 3)), np.ones(3)
    first, second = dl.NAdam(0.1), dl.NAdam(0.1)
    for g in grads[:4]:
        first.update(params, g)
    second.state, second.steps = copy.deepcopy(first.state), first.steps
    twin = params.copy()
    for g in grads[4:]:
        first.update(params, g)
        second.update(twin, g)
    np.testing.assert_array_equal(params, twin)


@pytest.mark.parametrize("back", [1, 2, 3])
def test_steps_may_be_set_back(back):
    grads, params = np.random.default_rng(0).normal(size=(6, 3)), np.ones(3)
    optimizer, saved = dl.NAdam(0.1), {}
    for step, g in enumerate(grads):
        saved[step] = params.copy(), copy.deepcopy(optimizer.state)
        optimizer.update(params, g)
    again, optimizer.state = saved[6 - back]
    optimizer.steps = 6 - back
    for g in grads[6 - back :]:
        optimizer.update(again, g)
    np.testing.assert_array_equal(again, params)


def test_a_zero_gradient_is_no_division_by_zero():
    params = np.ones(2, np.float32)
    dl.NAdam().update(params, np.zeros(2, np.float32))
    np.testing.assert_array_equal(params, [1, 1])


def test_defaults_are_pytorchs():
    assert (
        vars(dl.NAdam()).items()
        >= {
            "learning_rate": 0.002,
            "beta1": 0.9,
            "beta2": 0.999,
            "momentum_decay": 0.004,
            "epsilon": 1e-8,
            "weight_decay": 0.0,
        }.items()
    )


def test_a_negative_decay_of_the_momentum_is_explained():
    message = re.escape("NAdam: momentum_decay must be a number in [0, inf), got -1")
    with pytest.raises(dl.ArgumentError, match=message):
        dl.NAdam(momentum_decay=-1)


@pytest.mark.parametrize(
    ("option", "value", "message"),
    [
        ("beta1", 1.0, "a number in [0, 1), got 1.0"),
        ("beta1", -0.1, "a number in [0, 1), got -0.1"),
        ("beta2", 1.0, "a number in [0, 1), got 1.0"),
        ("beta2", -0.1, "a number in [0, 1), got -0.1"),
        ("epsilon", 0, "above 0, got 0"),
        ("epsilon", -1e-8, "a number in [0, inf), got -1e-08"),
    ],
)
def test_wrong_options_are_explained(option, value, message):
    with pytest.raises(dl.ArgumentError, match=re.escape(f"NAdam: {option} must be {message}")):
        dl.NAdam(**{option: value})
