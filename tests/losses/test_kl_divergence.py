import re

import numpy as np
import pytest
from scipy import special

import minidl as dl

PROBABILITIES, LOGITS = dl.KLDivergence(), dl.KLDivergence(from_logits=True)
both_forms = pytest.mark.parametrize("loss", [LOGITS, PROBABILITIES], ids=str)
rng = np.random.default_rng(0)


def test_by_hand():
    # y = (1/4, 3/4) from (1/2, 1/2): 1/4 ln 1/2 + 3/4 ln 3/2; gradients -y / p and a - y
    y, expected = np.array([[0.25, 0.75]]), 0.25 * np.log(0.5) + 0.75 * np.log(1.5)
    value, gradient = PROBABILITIES.value_and_grad(np.array([[0.5, 0.5]]), y)
    assert value == pytest.approx(expected, rel=1e-15)
    np.testing.assert_allclose(gradient, [[-0.5, -1.5]], rtol=1e-15)
    value, gradient = LOGITS.value_and_grad(np.array([[7.0, 7.0]]), y)
    assert value == pytest.approx(expected, rel=1e-15)
    np.testing.assert_allclose(gradient, [[0.25, -0.25]], rtol=1e-15)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_it_is_0_where_the_two_are_equal(dtype):
    y = rng.dirichlet(np.ones(5), 20).astype(dtype)
    y[0], y[1] = [0, 1, 0, 0, 0], [0.5, 0, 0.5, 0, 0]
    assert PROBABILITIES(y, y) == 0
    logits = rng.normal(size=(20, 5)).astype(dtype)
    value, gradient = LOGITS.value_and_grad(logits, special.softmax(logits, axis=1))
    assert abs(value) < np.finfo(dtype).eps
    assert np.abs(gradient).max() < np.finfo(dtype).eps


def test_it_differs_from_cross_entropy_by_the_entropy():
    y, logits = rng.dirichlet(np.ones(4), 6), rng.normal(size=(6, 4))
    value, gradient = LOGITS.value_and_grad(logits, y)
    expected, same = dl.CrossEntropy(from_logits=True).value_and_grad(logits, y)
    assert value == pytest.approx(expected - special.entr(y).sum(axis=1).mean(), rel=1e-13)
    np.testing.assert_array_equal(gradient, same)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_probabilities_are_floored_at_epsilon(dtype):
    eps = float(np.finfo(dtype).eps)
    value, gradient = PROBABILITIES.value_and_grad(np.array([[0, 1]], dtype), [[1, 0]])
    assert value == pytest.approx(-np.log(eps), rel=1e-6)
    np.testing.assert_allclose(gradient, [[-1 / eps, 0]], rtol=1e-6)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_extreme_logits(dtype):
    logits = np.array([[1e4, -1e4], [-1e4, 1e4]], dtype)
    value, gradient = LOGITS.value_and_grad(logits, [[1, 0], [1, 0]])
    assert value == 1e4
    np.testing.assert_array_equal(gradient, [[0, 0], [-0.5, 0.5]])


def test_softmax_and_divergence_are_fused():
    x, y = rng.normal(size=(6, 3)), rng.dirichlet(np.ones(4), 6)
    ended = dl.Sequential([dl.Dense(4), dl.Softmax()]).build((3,), rng=0, dtype=np.float64)
    plain = dl.Sequential([dl.Dense(4)]).build((3,), rng=0, dtype=np.float64)
    objective = dl.Objective(ended, PROBABILITIES)
    assert objective.fused
    assert not dl.Objective(plain, LOGITS).fused
    value, grads = objective.value_and_grad(x, y)
    expected, same = dl.Objective(plain, LOGITS).value_and_grad(x, y)
    assert value == expected
    np.testing.assert_array_equal(grads, same)
    ended.params *= 1e4  # probabilities of 0, of which the logarithm is not finite
    value, grads = objective.value_and_grad(x, y)
    assert np.isfinite(value)
    assert np.abs(grads).max() > 0.01
    with pytest.raises(
        dl.ArgumentError, match=r"Softmax would be applied twice\. Use KLDivergence"
    ):
        dl.Objective(ended, LOGITS)
    with pytest.raises(
        dl.ArgumentError, match=r"Add Softmax\(\) .*use KLDivergence\(from_logits=T"
    ):
        dl.Objective(plain, PROBABILITIES)
    logs = dl.Sequential([dl.Dense(4), dl.LogSoftmax()]).build((3,))
    with pytest.raises(
        dl.ArgumentError, match=r"Put Softmax\(\) .*use KLDivergence\(from_logits=T"
    ):
        dl.Objective(logs, PROBABILITIES)
    assert repr(PROBABILITIES.with_logits()) == repr(LOGITS)


def test_labels_for_metrics():
    rows = np.array([[0.1, 0.9], [0.6, 0.4]])
    np.testing.assert_array_equal(LOGITS.predicted_labels(rows), [1, 0])
    np.testing.assert_array_equal(LOGITS.true_labels(rows), [1, 0])
    np.testing.assert_allclose(LOGITS.from_logits_to_predictions(np.log(rows)), rows, rtol=1e-14)


WRONG_TARGETS = {
    "labels": (
        *([0, 1], dl.ShapeError),
        "expected targets of shape (2, 3), that of the predictions, got (2,). If these are labels "
        "of classes, use CrossEntropy.",
    ),
    "classes": (
        np.eye(4)[:2],
        dl.ShapeError,
        "expected targets of shape (2, 3), that of the predi",
    ),
    "too few": (np.eye(3)[:1], dl.ShapeError, "got (1, 3). Every sample needs one target."),
    "sum": ([[1, 0, 0], [0.5, 0.4, 0]], dl.DataError, "row 1 of the targets is no distribution"),
    "negative": (
        [[1, 0, 0], [1.5, -0.5, 0]],
        dl.DataError,
        "row 1 of the targets is no distributi",
    ),
    "NaN": ([[1, 0, 0], [np.nan, 1, 0]], dl.DataError, "target has NaN in row 1, column 0."),
}


@both_forms
@pytest.mark.parametrize(("target", "error", "message"), WRONG_TARGETS.values(), ids=WRONG_TARGETS)
def test_wrong_targets_are_explained(loss, target, error, message):
    prediction = np.array([[0.25, 0.5, 0.25]] * 2) * (3 if loss.from_logits else 1)
    with pytest.raises(error, match=rf"^{re.escape(f'{loss}: ')}.*{re.escape(message)}"):
        loss.value_and_grad(prediction, target)


def test_wrong_predictions_are_explained():
    with pytest.raises(dl.DataError, match=r"already\? Use KLDivergence\(\) behind Softmax"):
        LOGITS.value_and_grad(np.full((2, 2), 0.5), np.eye(2))
    with pytest.raises(dl.DataError, match=r"use KLDivergence\(from_logits=True\)\."):
        PROBABILITIES.value_and_grad(np.ones((2, 2)), np.eye(2))
    with pytest.raises(
        dl.ShapeError, match=r"KLDivergence\(\): needs predictions of shape \(N, C\)"
    ):
        PROBABILITIES.value_and_grad(np.ones((2, 1)), np.ones((2, 1)))
