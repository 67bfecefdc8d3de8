import math
import re

import numpy as np
import pytest

import minidl as dl

PROBABILITIES = dl.BinaryCrossEntropy()
LOGITS = dl.BinaryCrossEntropy(from_logits=True)
both_forms = pytest.mark.parametrize("loss", [LOGITS, PROBABILITIES], ids=str)
both_dtypes = pytest.mark.parametrize(
    ("dtype", "eps"), [(np.float32, 2**-23), (np.float64, 2**-52)], ids=["float32", "float64"]
)


def test_by_hand():
    # sigmoid(ln 3) = 3/4: l = ln 4/3 for yes and ln 4 for no; gradient (a - y) / (M N), M N = 2
    value, gradient = LOGITS.value_and_grad(np.log([[3.0], [3.0]]), [[1], [0]])
    assert value == pytest.approx((math.log(4 / 3) + math.log(4)) / 2, rel=1e-15)
    np.testing.assert_allclose(gradient, [[-1 / 8], [3 / 8]], rtol=1e-15)
    # the derivative of -ln p is -1/p = -4/3, of -ln(1 - p) it is 1/(1 - p) = 4
    value, gradient = PROBABILITIES.value_and_grad(np.array([[0.75, 0.75]]), [[1, 0]])
    assert value == pytest.approx((math.log(4 / 3) + math.log(4)) / 2, rel=1e-15)
    np.testing.assert_allclose(gradient, [[-2 / 3, 2]], rtol=1e-15)


@both_dtypes
def test_logits_of_0_give_log_2(dtype, eps):
    value, gradient = LOGITS.value_and_grad(np.zeros((2, 3), dtype), [[0, 1, 0.5], [1, 1, 0]])
    assert value == pytest.approx(math.log(2), rel=eps)
    expected = np.array([[1, -1, 0], [-1, -1, 1]]) / 12
    np.testing.assert_allclose(gradient, expected, rtol=eps)


@both_dtypes
def test_extreme_logits_keep_an_exact_and_useful_gradient(dtype, eps):
    logits = np.array([[1e4, 1e4], [-1e4, -1e4], [1e4, -1e4], [-1e4, 1e4]], dtype)
    target = [[1, 0], [1, 0], [0.5, 0.5], [0.25, 0.75]]
    value, gradient = LOGITS.value_and_grad(logits, target)
    assert value == (0 + 1e4 + 1e4 + 0 + 5e3 + 5e3 + 2.5e3 + 2.5e3) / 8
    expected = np.array([[0, 1], [-1, 0], [0.5, -0.5], [-0.25, 0.25]]) / 8
    np.testing.assert_array_equal(gradient, expected.astype(dtype))


@both_dtypes
def test_probabilities_of_0_and_1_stay_finite(dtype, eps):
    wrong, gradient = PROBABILITIES.value_and_grad(np.array([[0, 1]], dtype), [[1, 0]])
    assert wrong == pytest.approx(-math.log(eps), rel=1e-6)
    np.testing.assert_allclose(gradient, [[-0.5 / eps, 0.5 / eps]], rtol=1e-6)
    right, gradient = PROBABILITIES.value_and_grad(np.array([[0, 1]], dtype), [[0, 1]])
    assert 0 <= right <= 2 * eps
    np.testing.assert_allclose(gradient, [[0.5, -0.5]], rtol=2 * eps)


@both_dtypes
def test_the_two_forms_agree_through_the_sigmoid(dtype, eps):
    logits = np.random.default_rng(0).normal(size=(4, 3)).astype(dtype)
    target = np.random.default_rng(1).random((4, 3)).astype(dtype)
    sigmoid = dl.Sigmoid().build((3,), dtype=dtype)
    value, gradient = PROBABILITIES.value_and_grad(sigmoid.forward(logits, training=True), target)
    expected, at_logits = LOGITS.value_and_grad(logits, target)
    assert value == pytest.approx(expected, rel=4 * eps)
    np.testing.assert_allclose(sigmoid.backward(gradient), at_logits, atol=eps)


RANGE = "targets must be between 0 and 1, got values from"
WRONG_TARGETS = {
    "+-1": ([[-1], [1]], dl.DataError, f"{RANGE} -1 to 1. Use (target + 1) / 2."),
    "negative": ([[-0.5], [1]], dl.DataError, f"{RANGE} -0.5 to 1.0."),
    "above 1": ([[1.5], [0]], dl.DataError, f"{RANGE} 0.0 to 1.5."),
    "0..255": (np.array([[0], [255]], np.uint8), dl.DataError, f"{RANGE} 0 to 255."),
    "NaN": ([[0], [np.nan]], dl.DataError, "target has NaN in row 1, column 0."),
    "infinity": ([[np.inf], [0]], dl.DataError, "target has infinity in row 0, column 0."),
    "strings": ([["no"], ["yes"]], dl.DataError, "targets must be real numbers, got dtype <U3."),
    "vector": ([0, 1], dl.ShapeError, "got (2,). Use target.reshape(-1, 1)."),
    "too few": ([[1]], dl.ShapeError, "got (1, 1). Every sample needs one target."),
    "two outputs": ([[0, 1], [1, 0]], dl.ShapeError, "outputs and of the targets must be the same"),
}


@both_forms
@pytest.mark.parametrize(("target", "error", "message"), WRONG_TARGETS.values(), ids=WRONG_TARGETS)
def test_wrong_targets_are_explained(loss, target, error, message):
    with pytest.raises(error, match=re.escape(message)) as caught:
        loss.value_and_grad(np.array([[0.5], [0.5]]), target)
    assert str(caught.value).startswith(f"{loss}: ")


def test_other_targets_out_of_range_get_no_advice_for_plus_minus_1():
    with pytest.raises(dl.DataError, match=r"got values from -1 to 2\.$"):
        LOGITS.value_and_grad(np.zeros((3, 1)), [[-1], [1], [2]])


@pytest.mark.parametrize("dtype", [bool, np.uint8, np.float16])
@both_forms
def test_targets_of_any_real_dtype(loss, dtype):
    prediction = np.array([[0.5], [0.25]])
    assert loss(prediction, np.array([[0], [1]], dtype)) == loss(prediction, [[0.0], [1.0]])


@pytest.mark.parametrize("value", [-0.1, 1.1, 3.0])
def test_logits_where_probabilities_belong_are_refused(value):
    message = re.escape("Add Sigmoid() as the last layer, or use BinaryCrossEntropy(from_logits=T")
    with pytest.raises(dl.DataError, match=f"expected probabilities between 0 and 1, .*{message}"):
        PROBABILITIES.value_and_grad(np.array([[0.5], [value]]), [[0], [1]])


def test_with_logits_is_the_same_loss_for_logits():
    same = PROBABILITIES.with_logits()
    assert repr(same) == repr(LOGITS) == "BinaryCrossEntropy(from_logits=True)"
    assert not PROBABILITIES.from_logits
    assert PROBABILITIES.activation is dl.Sigmoid


@both_dtypes
def test_logits_become_probabilities(dtype, eps):
    logits = np.array([[0, np.log(3), -np.log(3), 1e4, -1e4]], dtype)
    p = LOGITS.from_logits_to_predictions(logits)
    assert p.dtype == dtype
    np.testing.assert_allclose(p, [[0.5, 0.75, 0.25, 1, 0]], rtol=2 * eps)


def test_labels_for_metrics():
    np.testing.assert_array_equal(PROBABILITIES.predicted_labels(np.array([[0.4, 0.6]])), [[0, 1]])
    np.testing.assert_array_equal(LOGITS.predicted_labels(np.array([[-0.1], [0.4]])), [0, 1])
    np.testing.assert_array_equal(LOGITS.true_labels(np.array([[0], [1], [0.6]])), [0, 1, 1])
    assert LOGITS.predicted_labels(np.zeros((2, 3, 1))).shape == (2, 3, 1)


def test_what_is_undecided_counts_as_no():
    assert PROBABILITIES.predicted_labels(np.array([[0.5]])) == [0]
    assert LOGITS.predicted_labels(np.array([[0.0]])) == [0]
    assert LOGITS.true_labels(np.array([[0.5]])) == [0]
