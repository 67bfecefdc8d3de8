"""Learning rates over the steps, by hand; tests/parity compares them with PyTorch's."""

import copy
import math
import pickle
import re

import numpy as np
import pytest

import minidl as dl


def rates(schedule, steps):
    return [schedule(step) for step in steps]


SCHEDULES = [
    dl.StepDecay(0.5, step_size=3),
    dl.ExponentialDecay(0.5, steps=3),
    dl.PolynomialDecay(0.5, steps=3),
    dl.CosineDecay(0.5, steps=3),
    dl.CosineRestarts(0.5, period=3),
    dl.WarmUp(0.5, steps=3),
    dl.OneCycle(0.5, steps=10),
]
every_schedule = pytest.mark.parametrize("schedule", SCHEDULES, ids=lambda s: type(s).__name__)


def test_every_public_schedule_is_here():
    public = {getattr(dl, name) for name in dl.__all__}
    kinds = {v for v in public if isinstance(v, type) and issubclass(v, dl.Schedule)}
    assert kinds - {dl.Schedule} == {type(schedule) for schedule in SCHEDULES}


def test_step_decay():
    schedule = dl.StepDecay(8.0, step_size=3, factor=0.5)
    assert rates(schedule, range(8)) == [8, 8, 8, 4, 4, 4, 2, 2]
    assert dl.StepDecay(8.0, 3)(3) == pytest.approx(0.8, rel=1e-15)


def test_exponential_decay():
    schedule = dl.ExponentialDecay(8.0, steps=2, factor=0.25)
    assert rates(schedule, range(5)) == [8, 4, 2, 1, 0.5]
    assert dl.ExponentialDecay(8.0, 100)(300) == pytest.approx(0.008, rel=1e-14)


def test_polynomial_decay():
    assert rates(dl.PolynomialDecay(8.0, steps=4), range(6)) == [8, 6, 4, 2, 0, 0]
    # 2 + 6 (1 - t / 4)^2
    schedule = dl.PolynomialDecay(8.0, steps=4, final=2.0, power=2.0)
    assert rates(schedule, range(6)) == [8, 5.375, 3.5, 2.375, 2, 2]


def test_cosine_decay():
    # 1 + 7 (1 + cos(pi t / 6)) / 2: the cosine is 1, sqrt(3) / 2, 1/2, 0, ...
    expected = [8, 1 + 3.5 * (1 + math.sqrt(0.75)), 6.25, 4.5, 2.75]
    expected += [1 + 3.5 * (1 - math.sqrt(0.75)), 1, 1, 1]
    schedule = dl.CosineDecay(8.0, steps=6, final=1.0)
    np.testing.assert_allclose(rates(schedule, range(9)), expected, rtol=1e-14)
    assert dl.CosineDecay(8.0, steps=6)(6) == 0


def test_cosine_restarts():
    schedule = dl.CosineRestarts(8.0, period=2, final=4.0)
    np.testing.assert_allclose(rates(schedule, range(6)), [8, 6, 8, 6, 8, 6], rtol=1e-14)
    longer = dl.CosineRestarts(8.0, period=2, multiplier=3, final=4.0)
    starts = [step for step in range(100) if longer(step) == 8]
    assert starts == [0, 2, 8, 26, 80]  # periods of 2, 6, 18, 54
    assert longer(5) == pytest.approx(6, rel=1e-14)  # the middle of the second
    twice = dl.CosineRestarts(8.0, period=2, multiplier=2, final=4.0)
    assert [step for step in range(50) if twice(step) == 8] == [0, 2, 6, 14, 30]
    within = dl.CosineDecay(8.0, steps=18, final=4.0)
    np.testing.assert_allclose(rates(longer, range(8, 26)), rates(within, range(18)), rtol=1e-14)


def test_warm_up_before_a_constant_rate():
    assert rates(dl.WarmUp(8.0, steps=3), range(6)) == [2, 4, 6, 8, 8, 8]


def test_warm_up_before_another_schedule():
    seen = []
    schedule = dl.WarmUp(lambda step: seen.append(step) or 8.0 / (1 + step), steps=3)
    assert rates(schedule, range(6)) == [2, 4, 6, 8, 4, 8 / 3]
    assert seen == [0, 0, 0, 0, 1, 2]
    nested = dl.WarmUp(dl.CosineDecay(8.0, steps=10), steps=5)
    assert nested(15) == 0
    assert nested(5) == 8


def test_one_cycle():
    # up from 8 / 4 in 4 steps, and down to 2 / 5 in 5
    schedule = dl.OneCycle(8.0, steps=10, warm_up=0.5, start_divisor=4.0, end_divisor=5.0)
    assert schedule(0) == pytest.approx(2, rel=1e-15)
    assert schedule(2) == pytest.approx(5, rel=1e-14)  # the middle
    assert schedule(4) == 8
    first = 0.4 + 7.6 * (1 + math.cos(math.pi / 5)) / 2
    assert schedule(5) == pytest.approx(first, rel=1e-14)
    assert rates(schedule, [9, 10, 1000]) == pytest.approx([0.4] * 3, rel=1e-14)


def test_the_peak_of_one_cycle_may_lie_between_two_steps():
    schedule = dl.OneCycle(8.0, steps=7, warm_up=0.5)  # at 2.5
    assert schedule(2) > 7
    assert schedule(3) > 7
    assert max(rates(schedule, range(7))) < 8


def test_one_cycle_by_default():
    schedule = dl.OneCycle(8.0, steps=100)
    assert schedule(0) == pytest.approx(8 / 25, rel=1e-14)
    assert schedule(29) == 8
    assert schedule(99) == pytest.approx(8 / 25e4, rel=1e-9)


@every_schedule
def test_a_schedule_drives_an_optimizer(schedule):
    params, optimizer, position = np.zeros(1), dl.SGD(schedule), 0.0
    for step in range(12):
        assert optimizer.current_learning_rate() == schedule(step)
        optimizer.update(params, np.ones(1))
        position -= schedule(step)
    assert params[0] == pytest.approx(position, rel=1e-14)
    assert repr(optimizer) == f"SGD({schedule!r})"


@every_schedule
def test_a_schedule_is_a_value(schedule):
    for twin in (copy.deepcopy(schedule), pickle.loads(pickle.dumps(schedule))):
        assert twin == schedule
        assert rates(twin, range(9)) == rates(schedule, range(9))
    with pytest.raises(AttributeError, match="cannot assign to field"):
        schedule.steps = 5


@every_schedule
def test_rates_stay_within_their_range(schedule):
    values = rates(schedule, range(1000))
    assert all(isinstance(value, float) for value in values)
    assert 0 <= min(values) < max(values) <= 0.5


WRONG = {
    "initial": [(0, "above 0, got 0"), (-1, "a number in [0, inf)"), ("1", "a number in [0, inf)")],
    "highest": [(0.0, "above 0, got 0.0"), (np.nan, "a number in [0, inf), got nan")],
    "steps": [(0, "a whole number of at least"), (2.5, "a whole number of at least")],
    "step_size": [(0, "a whole number of at least 1, got 0"), (1e3, "a whole number")],
    "period": [(0, "a whole number of at least 1, got 0"), (True, "a whole number")],
    "multiplier": [(0, "a whole number of at least 1, got 0"), (1.5, "a whole number")],
    "factor": [(0, "above 0, got 0"), (1.0, "a number in [0, 1), got 1.0")],
    "final": [(-0.1, "a number in [0, inf), got -0.1"), (None, "a number in [0, inf)")],
    "power": [(0, "above 0, got 0"), (-1.0, "a number in [0, inf), got -1.0")],
    "warm_up": [(1.0, "a number in [0, 1), got 1.0"), (0.1, "above 1 / steps, so that")],
    "start_divisor": [(0, "above 0, got 0")],
    "end_divisor": [(0, "above 0, got 0")],
    "schedule": [(0.0, "above 0, got 0.0"), (True, "a number in [0, inf), got True")],
}


@every_schedule
def test_wrong_options_are_explained(schedule):
    kind = type(schedule)
    for name in vars(schedule):
        for value, message in WRONG[name]:
            text = rf"{kind.__name__}: {name} must be {re.escape(message)}"
            with pytest.raises(dl.ArgumentError, match=text):
                kind(**(vars(schedule) | {name: value}))


def test_one_cycle_needs_two_steps_and_one_to_rise_in():
    with pytest.raises(dl.ArgumentError, match="steps must be a whole number of at least 2, got 1"):
        dl.OneCycle(0.1, steps=1)
    with pytest.raises(dl.ArgumentError, match=r"warm_up must be above .* got 0.5 of 2 steps"):
        dl.OneCycle(0.1, steps=2, warm_up=0.5)
    assert dl.OneCycle(0.1, steps=3, warm_up=0.5)(0) == pytest.approx(0.004, rel=1e-14)


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("cosine", "'cosine'."),
        (dl.SGD(0.1), "SGD(0.1)."),
        (None, "None."),
        (dl.CosineDecay, "CosineDecay'>. Write CosineDecay(...), with its arguments."),
    ],
)
def test_what_cannot_follow_a_warm_up_is_explained(value, message):
    start = "WarmUp: schedule must be a number or a function of the step, got "
    with pytest.raises(dl.ArgumentTypeError, match=f"^{start}.*{re.escape(message)}$"):
        dl.WarmUp(value, steps=3)
