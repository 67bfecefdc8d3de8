import math
import re

import numpy as np
import pytest
from scipy import special

import minidl as dl

PROBABILITIES = dl.CrossEntropy()
LOGITS = dl.CrossEntropy(from_logits=True)
both_forms = pytest.mark.parametrize("loss", [LOGITS, PROBABILITIES], ids=str)
both_dtypes = pytest.mark.parametrize(
    ("dtype", "eps"), [(np.float32, 2**-23), (np.float64, 2**-52)], ids=["float32", "float64"]
)


def test_by_hand():
    # softmax(ln 1, ln 3) = (1/4, 3/4), so l = ln 4 for class 0 and ln 4/3 for class 1
    value, gradient = LOGITS.value_and_grad(np.log([[1.0, 3.0], [1.0, 3.0]]), [0, 1])
    assert value == pytest.approx((math.log(4) + math.log(4 / 3)) / 2, rel=1e-15)
    np.testing.assert_allclose(gradient, [[-3 / 8, 3 / 8], [1 / 8, -1 / 8]], rtol=1e-15)
    value, gradient = PROBABILITIES.value_and_grad(np.array([[0.25, 0.75], [0.25, 0.75]]), [0, 1])
    assert value == pytest.approx((math.log(4) + math.log(4 / 3)) / 2, rel=1e-15)
    np.testing.assert_allclose(gradient, [[-2, 0], [0, -2 / 3]], rtol=1e-15)


@both_dtypes
@pytest.mark.parametrize("classes", [2, 10, 1000])
@pytest.mark.parametrize("level", [0.0, 3.0, -1e4])
def test_uniform_logits_give_log_of_the_number_of_classes(dtype, eps, classes, level):
    logits = np.full((3, classes), level, dtype)
    value, gradient = LOGITS.value_and_grad(logits, [0, 1, classes - 1])
    assert value == pytest.approx(math.log(classes), rel=eps)
    assert gradient[0, 0] == pytest.approx((1 / classes - 1) / 3, rel=1e-6)


@both_dtypes
@pytest.mark.parametrize("form", ["labels", "rows"])
def test_extreme_logits_keep_an_exact_and_useful_gradient(dtype, eps, form):
    logits = np.array([[1e4, -1e4], [1e4, -1e4], [-1e4, 1e4], [1e4, 1e4]], dtype)
    labels = np.array([0, 1, 0, 1])
    target = labels if form == "labels" else np.eye(2)[labels]
    value, gradient = LOGITS.value_and_grad(logits, target)
    assert value == pytest.approx((0 + 2e4 + 2e4 + math.log(2)) / 4, rel=eps)
    expected = np.array([[0, 0], [1, -1], [-1, 1], [0.5, -0.5]]) / 4
    np.testing.assert_array_equal(gradient, expected.astype(dtype))


def test_gradient_at_the_logits_is_softmax_minus_target():
    logits = np.random.default_rng(0).normal(size=(6, 10)) * 5
    labels = np.arange(6)
    expected = (special.softmax(logits, axis=1) - np.eye(10)[labels]) / 6
    for target in (labels, np.eye(10)[labels]):
        _, gradient = LOGITS.value_and_grad(logits, target)
        np.testing.assert_allclose(gradient, expected, rtol=1e-14, atol=1e-17)
        np.testing.assert_allclose(gradient.sum(axis=1), 0, atol=1e-16)


@both_dtypes
@pytest.mark.parametrize("classes", [2, 10, 31, 32, 33, 100])
@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("form", ["labels", "rows"])
def test_any_number_of_classes_in_any_memory_order(dtype, eps, classes, order, form):
    rng = np.random.default_rng(classes)
    logits = np.asarray(rng.normal(size=(7, classes)) * 5, dtype, order)
    before, labels = logits.copy(), rng.integers(0, classes, 7)
    target = labels if form == "labels" else np.eye(classes)[labels]
    value, gradient = LOGITS.value_and_grad(logits, target)
    exact = logits.astype(float)
    expected = -special.log_softmax(exact, axis=1)[range(7), labels].mean()
    assert value == pytest.approx(expected, rel=10 * eps)
    at_logits = (special.softmax(exact, axis=1) - np.eye(classes)[labels]) / 7
    np.testing.assert_allclose(gradient, at_logits, rtol=20 * eps, atol=eps)
    assert gradient.dtype == dtype
    np.testing.assert_array_equal(logits, before)
    p = LOGITS.from_logits_to_predictions(logits)
    np.testing.assert_allclose(p, special.softmax(exact, axis=1), rtol=20 * eps)


def test_a_constant_added_to_the_logits_changes_nothing():
    logits = np.random.default_rng(0).normal(size=(4, 3))
    value, gradient = LOGITS.value_and_grad(logits, [0, 1, 2, 0])
    moved, same = LOGITS.value_and_grad(logits + 1024, [0, 1, 2, 0])
    assert moved == pytest.approx(value, rel=1e-12)
    np.testing.assert_allclose(same, gradient, rtol=1e-12)


@both_dtypes
def test_the_two_forms_agree_through_the_softmax(dtype, eps):
    logits = np.random.default_rng(0).normal(size=(4, 3)).astype(dtype)
    labels = np.array([2, 0, 1, 1])
    softmax = dl.Softmax().build((3,), dtype=dtype)
    value, gradient = PROBABILITIES.value_and_grad(softmax.forward(logits, training=True), labels)
    expected, at_logits = LOGITS.value_and_grad(logits, labels)
    assert value == pytest.approx(expected, rel=4 * eps)
    np.testing.assert_allclose(softmax.backward(gradient), at_logits, atol=eps)


@both_dtypes
@pytest.mark.parametrize("form", ["labels", "rows"])
def test_probabilities_are_floored_at_epsilon(dtype, eps, form):
    target = np.array([0, 1]) if form == "labels" else np.eye(2)
    value, gradient = PROBABILITIES.value_and_grad(np.array([[0, 1], [0, 1]], dtype), target)
    assert value == pytest.approx(-math.log(eps) / 2, rel=1e-6)
    np.testing.assert_array_equal(gradient, [[-0.5 / eps, 0], [0, -0.5]])


@pytest.mark.parametrize(
    "target",
    [np.eye(3, dtype=bool), np.eye(3, dtype=np.float16), np.eye(3, dtype=np.int8).tolist()],
    ids=["bool", "float16", "lists"],
)
@both_forms
def test_one_hot_rows_of_any_real_dtype_equal_labels(loss, target):
    prediction = np.array([[0.5, 0.25, 0.25], [0.125, 0.5, 0.375], [0.25, 0.25, 0.5]])
    if loss.from_logits:
        prediction *= 3
    value, gradient = loss.value_and_grad(prediction, target)
    expected, same = loss.value_and_grad(prediction, np.arange(3))
    assert value == pytest.approx(expected, rel=1e-15)
    np.testing.assert_allclose(gradient, same, rtol=1e-14)


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.uint64])
def test_labels_of_any_integer_dtype(dtype):
    logits = np.array([[0.5, 2.0], [1.0, -1.0]])
    assert LOGITS(logits, np.array([0, 1], dtype)) == LOGITS(logits, [0, 1])


def test_one_row_is_a_batch():
    assert LOGITS(np.log([[1.0, 4.0]]), [1]) == pytest.approx(math.log(5 / 4), rel=1e-15)


SUM = "is no distribution: [0.5 0.4] sums to 0.9. Rows must be at least 0 and sum to 1."
WRONG_TARGETS = {
    "1..C": ([1, 2], dl.DataError, "got 2 in row 1 (1 of 2 labels are out of range, which"),
    "1..C, the fix": ([1, 2], dl.DataError, "Labels start at 0: use labels - 1."),
    "too large": ([0, 5], dl.DataError, "must be in 0..1 for 2 outputs, got 5 in row 1"),
    "too large, the fix": ([0, 5], dl.DataError, "needs one output for each class."),
    "negative": ([0, -1], dl.DataError, "got -1 in row 1"),
    "floats": ([0.0, 1.0], dl.DataError, "got dtype float64. Use labels.astype(np.int64)."),
    "NaN": ([0.0, np.nan], dl.DataError, "labels must be integers, got dtype float64"),
    "bool": ([True, False], dl.DataError, "got dtype bool. Use labels.astype(np.int64)."),
    "strings": (["a", "b"], dl.DataError, "got dtype <U1. Number the classes: names, labels ="),
    "objects": (np.array(["a", None]), dl.DataError, "labels must be integers, got dtype object"),
    "complex": ([0j, 1j], dl.DataError, "labels must be integers, got dtype complex128"),
    "column": ([[0], [1]], dl.ShapeError, "got (2, 1). Use labels.ravel()."),
    "too few": ([0], dl.ShapeError, "expected labels of shape (2,) or rows of probabilities of"),
    "one number": (0, dl.ShapeError, "got (). Every sample needs one label."),
    "three axes": (np.zeros((2, 1, 1), int), dl.ShapeError, "got (2, 1, 1)."),
    "classes": (np.eye(3)[:2], dl.ShapeError, "has 2 outputs, the targets have 3 classes."),
    "too many rows": (np.eye(2)[[0, 1, 1]], dl.ShapeError, "(3, 2). Every sample needs one row."),
    "sum": ([[1, 0], [0.5, 0.4]], dl.DataError, f"row 1 of the targets {SUM}"),
    "zero row": ([[0, 0], [1, 0]], dl.DataError, "row 0 of the targets is no distribution: [0 0]"),
    "negative row": ([[1, 0], [-0.5, 1.5]], dl.DataError, "row 1 of the targets is no distributio"),
    "NaN row": ([[1, 0], [np.nan, 1]], dl.DataError, "row 1 of the targets is no distribution: [n"),
    "infinite row": ([[np.inf, -np.inf], [1, 0]], dl.DataError, "row 0 of the targets is no distr"),
    "string rows": ([["a", "b"], ["c", "d"]], dl.DataError, "must be numbers, got dtype <U1."),
}


@both_forms
@pytest.mark.parametrize(("target", "error", "message"), WRONG_TARGETS.values(), ids=WRONG_TARGETS)
def test_wrong_targets_are_explained(loss, target, error, message):
    prediction = np.array([[0.25, 0.75], [0.5, 0.5]]) * (3 if loss.from_logits else 1)
    with pytest.raises(error, match=re.escape(message)) as caught:
        loss.value_and_grad(prediction, target)
    assert str(caught.value).startswith(f"{loss}: ")


@pytest.mark.parametrize("shape", [(2, 1), (2, 3, 1), (2, 0)], ids=str)
@both_forms
def test_predictions_need_one_axis_of_classes(loss, shape):
    inner = "".join(f", {length}" for length in shape[1:])
    expected = f"needs predictions of shape (N, C) with C at least 2, got (N{inner})."
    with pytest.raises(dl.ShapeError, match=re.escape(expected)):
        loss.value_and_grad(np.ones(shape), [0, 1])


def test_probabilities_where_logits_belong_are_refused():
    message = re.escape("has softmax been applied already? Use CrossEntropy() behind Softmax")
    with pytest.raises(dl.DataError, match=message):
        LOGITS.value_and_grad(np.array([[0.25, 0.75], [1.0, 0.0]]), [0, 1])


def test_one_row_of_logits_may_look_like_probabilities_in_a_larger_batch():
    assert LOGITS(np.array([[0.25, 0.75], [1.0, 2.0]]), [0, 1]) > 0


def test_logits_that_happen_to_sum_to_1_do_not_stop_training():
    # with two classes and one row a step this happens once in some ten thousand steps
    model = dl.Dense(2).build((1,), dtype=np.float64)
    model.bias = [0.25, 0.75]
    value, _ = dl.Objective(model, LOGITS).value_and_grad(np.zeros((1, 1)), [1])
    assert value == pytest.approx(math.log1p(math.exp(-0.5)), rel=1e-14)


@pytest.mark.parametrize(
    "row",
    [[2.0, -1.0], [0.5, 0.4], [-0.1, 1.1], [np.nan, 1.0], [np.inf, -np.inf]],
    ids=str,
)
def test_logits_where_probabilities_belong_are_refused(row):
    message = re.escape("in row 1, which is no distribution. Add Softmax() as the last layer, or")
    with pytest.raises(dl.DataError, match=message):
        PROBABILITIES.value_and_grad(np.array([[0.5, 0.5], row]), [0, 1])


def test_with_logits_is_the_same_loss_for_logits():
    assert repr(PROBABILITIES.with_logits()) == repr(LOGITS) == "CrossEntropy(from_logits=True)"
    assert not PROBABILITIES.from_logits
    assert PROBABILITIES.activation is dl.Softmax


@both_dtypes
def test_logits_become_probabilities(dtype, eps):
    logits = np.array([[0, np.log(3)], [1e4, -1e4], [-1e4, -1e4]], dtype)
    p = LOGITS.from_logits_to_predictions(logits)
    assert p.dtype == dtype
    np.testing.assert_allclose(p, [[0.25, 0.75], [1, 0], [0.5, 0.5]], rtol=2 * eps)


@both_forms
def test_labels_for_metrics(loss):
    np.testing.assert_array_equal(loss.predicted_labels(np.array([[0.1, 0.9], [2, -1]])), [1, 0])
    steps = np.eye(3)[[[2, 0], [1, 1]]]  # (2, 2, 3)
    np.testing.assert_array_equal(loss.predicted_labels(steps), [[2, 0], [1, 1]])
    np.testing.assert_array_equal(loss.true_labels(steps), [[2, 0], [1, 1]])
    np.testing.assert_array_equal(loss.true_labels(np.array([2, 0])), [2, 0])
    np.testing.assert_array_equal(loss.true_labels(np.array([[0.4, 0.6], [1, 0]])), [1, 0])


# --- label smoothing -----------------------------------------------------------------------

SMOOTH = dl.CrossEntropy(from_logits=True, label_smoothing=0.2)


def test_label_smoothing_by_hand():
    # two classes, s = 0.2: y' = (0.9, 0.1) for label 0. softmax(ln 1, ln 3) = (1/4, 3/4), so that
    # l = 0.9 ln 4 + 0.1 ln 4/3 and the gradient is a - y'
    logits, expected = np.log([[1.0, 3.0]]), 0.9 * math.log(4) + 0.1 * math.log(4 / 3)
    for target in ([0], [[1, 0]]):
        value, gradient = SMOOTH.value_and_grad(logits, target)
        assert value == pytest.approx(expected, rel=1e-15)
        np.testing.assert_allclose(gradient, [[-0.65, 0.65]], rtol=1e-14)
        loss = dl.CrossEntropy(label_smoothing=0.2)
        value, gradient = loss.value_and_grad(np.array([[0.25, 0.75]]), target)
        assert value == pytest.approx(expected, rel=1e-15)
        np.testing.assert_allclose(gradient, [[-3.6, -0.4 / 3]], rtol=1e-14)


def test_the_least_loss_is_where_probabilities_are_the_smoothed_labels():
    logits = np.log([[0.8, 0.1, 0.1]])  # s = 0.3 of three classes: 0.7 + 0.1, 0.1, 0.1
    loss = dl.CrossEntropy(from_logits=True, label_smoothing=0.3)
    _, gradient = loss.value_and_grad(logits, [0])
    np.testing.assert_allclose(gradient, 0, atol=1e-15)


def test_no_smoothing_is_the_plain_loss():
    logits = np.random.default_rng(0).normal(size=(4, 3))
    plain = dl.CrossEntropy(from_logits=True, label_smoothing=0)
    assert repr(plain) == repr(LOGITS)
    for target in ([0, 2, 1, 1], np.eye(3)[[0, 2, 1, 1]]):
        value, gradient = plain.value_and_grad(logits, target)
        expected, same = LOGITS.value_and_grad(logits, target)
        assert value == expected
        np.testing.assert_array_equal(gradient, same)


@both_dtypes
def test_smoothed_loss_of_extreme_logits(dtype, eps):
    logits = np.array([[1e4, -1e4], [-1e4, 1e4]], dtype)
    value, gradient = SMOOTH.value_and_grad(logits, [0, 0])
    assert value == pytest.approx((0.1 * 2e4 + 0.9 * 2e4) / 2, rel=2 * eps)
    expected = np.array([[0.1, -0.1], [-0.9, 0.9]]) / 2
    np.testing.assert_allclose(gradient, expected, rtol=4 * eps)
    assert gradient.dtype == dtype


def test_smoothing_goes_with_the_fused_softmax_and_leaves_metrics_alone():
    x, labels = np.random.default_rng(0).normal(size=(6, 3)), np.array([0, 1, 2, 2, 1, 0])
    ended = dl.Sequential([dl.Dense(3), dl.Softmax()]).build((3,), rng=0, dtype=np.float64)
    plain = dl.Sequential([dl.Dense(3)]).build((3,), rng=0, dtype=np.float64)
    objective = dl.Objective(ended, dl.CrossEntropy(label_smoothing=0.2))
    assert objective.fused
    value, grads = objective.value_and_grad(x, labels)
    expected, same = dl.Objective(plain, SMOOTH).value_and_grad(x, labels)
    assert value == expected
    np.testing.assert_array_equal(grads, same)
    np.testing.assert_array_equal(SMOOTH.true_labels(labels), labels)


@pytest.mark.parametrize("value", [1.0, -0.1, np.nan, "0.1", None, True], ids=repr)
def test_label_smoothing_is_below_1(value):
    message = r"CrossEntropy: label_smoothing must be a number in \[0, 1\)"
    with pytest.raises(dl.ArgumentError, match=message):
        dl.CrossEntropy(label_smoothing=value)
