"""check_loss finds each usual mistake and says what it is; right losses pass."""

import numpy as np
import pytest
from loss_cases import LOSS_CASES

import minidl as dl
from minidl.testing import CheckError

PREDICTION = np.array([[0.5, -1.0, 2.0], [1.5, 0.25, -0.75], [-2.0, 3.0, 1.0], [0.1, 0.2, 0.4]])
TARGET = np.array([[1.0, 0.0, 0.5], [-1.0, 2.0, 0.0], [0.3, 0.6, 0.9], [2.0, 1.0, -1.0]])


class LogCosh(dl.Loss):
    """mean over outputs of ln cosh(e), e the error."""

    def per_sample(self, prediction, target):
        e = prediction - target.astype(prediction.dtype)
        return self.value(e), self.gradient(e)

    def value(self, e):
        return np.log(np.cosh(e)).mean(axis=1)

    def gradient(self, e):
        return np.tanh(e) / e.shape[1]


def variant(**methods):
    return type("Variant", (LogCosh,), methods)()


def check(loss):
    return dl.check_loss(loss, PREDICTION, TARGET)


@pytest.mark.parametrize("case", LOSS_CASES, ids=str)
def test_minidls_losses_pass(case):
    assert dl.check_loss(case.loss, case.prediction, case.target) < 1e-6


def test_a_right_loss_passes_and_is_not_touched():
    loss = LogCosh()
    assert check(loss) < 1e-8
    assert not loss._checked


MISTAKES = {
    "Its sign is wrong everywhere": {"gradient": lambda _, e: -np.tanh(e) / 3},
    "It is 3 times too large, the number of outputs": {"gradient": lambda _, e: np.tanh(e)},
    "It is 4 times too small, the number of rows": {"gradient": lambda _, e: np.tanh(e) / 12},
    "It is 0.5 times the right one everywhere": {"gradient": lambda _, e: np.tanh(e) / 6},
    "It is all zeros": {"gradient": lambda _, e: np.zeros_like(e)},
    "It is not finite": {"gradient": lambda _, e: np.full_like(e, np.nan)},
    "The derivative is another one": {"gradient": lambda _, e: np.sin(e) / 3},
    "the mean over its rows taken one by one": {
        "value": lambda _, e: np.log(np.cosh(e)).mean(axis=1) / len(e)
    },
    "a gradient can be checked only where": {"value": lambda _, e: np.full(len(e), np.inf)},
}


@pytest.mark.parametrize("message", MISTAKES)
def test_mistakes_are_named(message):
    with pytest.raises(CheckError, match=message):
        check(variant(**MISTAKES[message]))


def test_what_is_random_or_remembered_is_found():
    rng = np.random.default_rng(0)
    with pytest.raises(CheckError, match="a second call with the same arguments"):
        check(variant(value=lambda _, e: np.log(np.cosh(e)).mean(axis=1) + rng.random()))


def test_a_loss_that_overflows_in_float32_is_found():
    with pytest.raises(CheckError, match="in float64 and inf in float32"):
        dl.check_loss(LogCosh(), PREDICTION + 200, TARGET)


def test_a_gradient_that_overflows_in_float32_is_found():
    wrong = variant(
        value=lambda _, e: (np.abs(e) + np.log1p(np.exp(-2 * np.abs(e))) - np.log(2)).mean(axis=1),
        gradient=lambda _, e: np.sinh(e) / np.cosh(e) / e.dtype.type(e.shape[1]),
    )
    with pytest.raises(CheckError, match=r"the gradient at index .* and nan in float32"):
        dl.check_loss(wrong, PREDICTION + 200, TARGET)


def test_what_is_kept_in_attributes_is_found():
    def value(self, e):
        self.error = e
        return np.log(np.cosh(e)).mean(axis=1)

    with pytest.raises(CheckError, match="keeps something in the attribute 'error'"):
        check(variant(value=value))


def test_an_argument_that_is_not_kept_is_found():
    class Scaled(LogCosh):
        def __init__(self, factor=1.0):
            self._factor = factor

    with pytest.raises(CheckError, match=r"self\.factor = factor"):
        check(Scaled())


def test_arguments_are_checked():
    with pytest.raises(dl.ArgumentTypeError, match="write LogCosh"):
        dl.check_loss(LogCosh, PREDICTION, TARGET)
    for rows in (PREDICTION[:1], PREDICTION[:3]):
        with pytest.raises(dl.ArgumentError, match="two rows or more, and a target for each"):
            dl.check_loss(LogCosh(), rows, TARGET[:1])
    with pytest.raises(dl.ArgumentError, match=r"got predictions \(\) and targets \(\)"):
        dl.check_loss(LogCosh(), 1.0, 2.0)
