import numpy as np
import pytest

import minidl as dl


def test_by_hand():
    # errors 1, -2, 3, 0 with delta 2: 1/2, 2, 2 (3 - 1) = 4, 0; gradients 1, -2, 2, 0; M N = 4
    value, gradient = dl.Huber(2).value_and_grad(np.array([[1.0, -2.0], [3.0, 0.0]]), [[0, 0]] * 2)
    assert value == 6.5 / 4
    np.testing.assert_array_equal(gradient, [[0.25, -0.5], [0.5, 0]])


def test_within_delta_it_is_half_the_squared_error_and_beyond_close_to_the_absolute_one():
    prediction, target = np.array([[0.5, -0.25]]), np.zeros((1, 2))
    assert dl.Huber(1.0)(prediction, target) == dl.MeanSquaredError()(prediction, target) / 2
    small = dl.Huber(1e-9)(prediction, target) / 1e-9
    assert small == pytest.approx(dl.MeanAbsoluteError()(prediction, target), rel=1e-8)


def test_delta_is_kept_as_a_python_number():
    loss = dl.Huber(np.float64(0.5))
    assert (type(loss.delta), repr(loss), repr(dl.Huber())) == (
        float,
        "Huber(delta=0.5)",
        "Huber()",
    )
    assert loss.value_and_grad(np.ones((1, 1), np.float32), [[0]])[1].dtype == np.float32


def test_delta_must_be_above_0():
    with pytest.raises(dl.ArgumentError, match=r"^Huber: delta must be above 0, got 0\.$"):
        dl.Huber(0)
    for wrong in (-1.0, np.nan, np.inf, "1", None, True):
        with pytest.raises(dl.ArgumentError, match=r"^Huber: delta must be a number in \[0, inf\)"):
            dl.Huber(wrong)
