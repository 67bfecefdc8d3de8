import re

import numpy as np
import pytest

import minidl as dl


def path(optimizer, grads, start):
    params = np.array([start])
    positions = []
    for g in grads:
        optimizer.update(params, np.array([g]))
        positions.append(params.item())
    return positions


def test_plain_by_hand():
    # 2 - 0.5 * 1 = 1.5;  1.5 + 0.5 * 3 = 3
    assert path(dl.SGD(0.5), [1.0, -3.0], 2.0) == [1.5, 3.0]


def test_momentum_by_hand():
    # v = 1, 1/2 + 1 = 1.5, 0.75 + 0 = 0.75;  each step is -0.5 v
    assert path(dl.SGD(0.5, momentum=0.5), [1.0, 1.0, 0.0], 0.0) == [-0.5, -1.25, -1.625]


def test_nesterov_by_hand():
    # v as above; each step is -0.5 (g + 0.5 v): 1.5, 1.75, 0.375
    nesterov = dl.SGD(0.5, momentum=0.5, nesterov=True)
    assert path(nesterov, [1.0, 1.0, 0.0], 0.0) == [-0.75, -1.625, -1.8125]


def test_weight_decay_by_hand_and_not_in_the_velocity():
    # x = 4 - 0.5 * 1 - 0.5 * 0.25 * 4 = 3;  v = 0.5: x = 3 - 0.25 - 0.125 * 3 = 2.375
    decayed = dl.SGD(0.5, momentum=0.5, weight_decay=0.25)
    assert path(decayed, [1.0, 0.0], 4.0) == [3.0, 2.375]
    assert decayed.state["velocity"].tolist() == [0.5]


def test_the_learning_rate_is_outside_the_velocity():
    # PyTorch's convention: v = 1, 1.5; steps of 1 * 1 and 0.5 * 1.5, whatever the rate was before
    schedule = dl.SGD(lambda step: [1.0, 0.5][step], momentum=0.5)
    assert path(schedule, [1.0, 1.0], 0.0) == [-1.0, -1.75]


def test_weight_decay_shrinks_with_the_learning_rate():
    schedule = dl.SGD(lambda step: [1.0, 0.5][step], weight_decay=0.5)
    assert path(schedule, [0.0, 0.0], 4.0) == [2.0, 1.5]


def test_plain_sgd_keeps_nothing_and_momentum_one_vector():
    assert dl.SGD(0.1).slots == ()
    assert dl.SGD(0.1, momentum=0.9).slots == ("velocity",)


@pytest.mark.parametrize("momentum", [1, 1.5, -0.1, np.nan, "0.9", None], ids=str)
def test_wrong_momentum_is_explained(momentum):
    message = re.escape(f"SGD: momentum must be a number in [0, 1), got {momentum!r}")
    with pytest.raises(dl.ArgumentError, match=message):
        dl.SGD(0.1, momentum=momentum)


def test_nesterov_needs_momentum():
    with pytest.raises(dl.ArgumentError, match="SGD: nesterov=True needs momentum above 0"):
        dl.SGD(0.1, nesterov=True)


def test_momentum_may_be_switched_on_later():
    optimizer, params = dl.SGD(0.1), np.ones(2)
    optimizer.update(params, np.ones(2))
    optimizer.momentum = 0.5
    for _ in range(2):
        optimizer.update(params, np.ones(2))
    np.testing.assert_allclose(params, 1 - 0.1 * (1 + 1 + 1.5), rtol=1e-14)


def test_a_frozen_parameter_gathers_no_momentum():
    optimizer, params = dl.SGD(0.1, momentum=0.9), np.ones(2)
    for _ in range(5):
        optimizer.update(params, np.ones(2), trainable=np.array([1.0, 0.0]))
    optimizer.update(params, np.zeros(2))
    assert params[1] == 1.0
    assert params[0] < 0.5


@pytest.mark.parametrize("options", [{"momentum": True}, {"weight_decay": True}])
def test_a_truth_value_is_no_number(options):
    with pytest.raises(dl.ArgumentError, match=r"must be a number in .*got True"):
        dl.SGD(0.1, **options)
