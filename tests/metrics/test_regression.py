import math

import numpy as np
import pytest

import minidl as dl


def test_by_hand():
    true, pred = [1.0, 2.0, 3.0, 6.0], [1.0, 1.0, 4.0, 8.0]
    # mean 3, squares 4 + 1 + 0 + 9 = 14; errors 0, 1, -1, -2
    assert dl.r2_score(true, pred) == pytest.approx(1 - 6 / 14, rel=1e-15)
    assert dl.mean_absolute_error(true, pred) == 1.0
    assert type(dl.r2_score(true, pred)) is type(dl.mean_absolute_error(true, pred)) is float


def test_what_r2_means():
    y = np.random.default_rng(0).normal(size=(50, 2))
    assert dl.r2_score(y, y) == 1
    assert dl.r2_score(y, np.broadcast_to(y.mean(axis=0), y.shape)) == pytest.approx(0, abs=1e-15)
    assert dl.r2_score(y, -y) < -2


def test_several_outputs_count_alike():
    rng = np.random.default_rng(0)
    true, pred = rng.normal(size=(2, 30, 3)) * [1, 10, 100] + 5
    single = [
        1 - ((true[:, m] - pred[:, m]) ** 2).mean() / true[:, m].var()  # of a variance
        for m in range(3)
    ]
    assert dl.r2_score(true, pred) == pytest.approx(np.mean(single), rel=1e-13)
    assert dl.mean_absolute_error(true, pred) == pytest.approx(np.abs(true - pred).mean())
    images = true.reshape(30, 1, 3, 1), pred.reshape(30, 1, 3, 1)
    assert dl.r2_score(*images) == dl.r2_score(true, pred)
    assert dl.mean_absolute_error(*images) == dl.mean_absolute_error(true, pred)


@pytest.mark.parametrize("constant", [0.0, 0.1, 1e17])
def test_r2_of_a_constant_target(constant):
    target = np.full(7, constant)  # of which the rounded mean may be another number
    assert dl.r2_score(target, target) == 1
    assert dl.r2_score(target, target + 64 * np.eye(7)[6]) == 0
    two = np.stack([target, np.arange(7.0)], axis=1)
    assert dl.r2_score(two, two + np.array([64, 0])) == 1 / 2


def test_r2_of_one_sample_is_not_defined():
    assert math.isnan(dl.r2_score([1.0], [1.0]))
    assert dl.r2_score([1.0, 2.0], [1.0, 2.0]) == 1


@pytest.mark.parametrize("dtype", [np.uint8, np.int8, np.float16, np.float32, bool])
def test_dtypes_do_not_wrap_around(dtype):
    true, pred = np.array([0, 1, 1, 1, 0]).astype(dtype), np.array([1, 1, 0, 1, 0]).astype(dtype)
    assert dl.mean_absolute_error(true, pred) == 2 / 5
    assert dl.r2_score(true, pred) == pytest.approx(1 - 2 / 1.2, rel=1e-14)


def test_arguments_are_left_alone():
    true, pred = np.array([1.0, 2.0, 4.0]), np.array([1.0, 2.0, 3.0])
    dl.r2_score(true, pred)
    np.testing.assert_array_equal(true, [1, 2, 4])
    np.testing.assert_array_equal(pred, [1, 2, 3])


@pytest.mark.parametrize("metric", [dl.r2_score, dl.mean_absolute_error])
def test_what_is_no_number_is_refused(metric):
    message = f"^{metric.__name__}: y_true must be real numbers, got dtype <U1"
    with pytest.raises(dl.DataError, match=message):
        metric(["a", "b"], [1.0, 2.0])
    message = f"^{metric.__name__}: y_pred must be real numbers, got dtype complex128"
    with pytest.raises(dl.DataError, match=message):
        metric([1.0, 2.0], [1j, 2.0])
