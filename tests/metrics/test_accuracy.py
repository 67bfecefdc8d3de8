import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import minidl as dl

TRUE = np.array([0, 1, 2, 2, 1, 0, 2, 2])
PRED = np.array([0, 2, 2, 1, 1, 0, 2, 0])


def test_by_hand():
    # class 0: 2 of 2 right; class 1: 1 right, 1 taken for 2; class 2: 2 right, one each for 0, 1
    assert dl.accuracy(TRUE, PRED) == 5 / 8
    assert type(dl.accuracy(TRUE, PRED)) is float
    np.testing.assert_array_equal(
        dl.confusion_matrix(TRUE, PRED), [[2, 0, 0], [0, 1, 1], [1, 1, 2]]
    )


@pytest.mark.parametrize(
    ("true", "pred", "expected"),
    [
        ([1, 0], [1, 0], 1.0),
        ([1, 0], [0, 1], 0.0),
        (["cat", "dog"], ["cat", "cat"], 0.5),
        ([[1, 0], [1, 1], [0, 0]], [[1, 0], [1, 0], [1, 1]], 1 / 3),
        ([True, False], [1, 0], 1.0),
        ([1.0, 2.0], [1, 0], 0.5),
    ],
    ids=["right", "wrong", "strings", "several labels", "bool", "whole floats"],
)
def test_accuracy(true, pred, expected):
    assert dl.accuracy(true, pred) == expected


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), min_size=1, max_size=40))
@settings(deadline=None)
def test_confusion_matrix_counts_pairs(pairs):
    true, pred = zip(*pairs, strict=True)
    matrix = dl.confusion_matrix(true, pred, n_classes=6)
    assert matrix.shape == (6, 6)
    for i in range(6):
        for j in range(6):
            assert matrix[i, j] == pairs.count((i, j))
    assert matrix.trace() / matrix.sum() == pytest.approx(dl.accuracy(true, pred), rel=1e-15)


def test_confusion_matrix_has_a_row_for_classes_that_do_not_occur():
    np.testing.assert_array_equal(dl.confusion_matrix([0], [2]), [[0, 0, 1], [0] * 3, [0] * 3])
    assert dl.confusion_matrix([0], [2], n_classes=10).shape == (10, 10)


@pytest.mark.parametrize("dtype", [np.uint8, np.int8, np.int16, np.uint64])
def test_confusion_matrix_of_any_integer_dtype(dtype):
    labels = np.arange(100).astype(dtype)
    np.testing.assert_array_equal(dl.confusion_matrix(labels, labels), np.eye(100))


def test_confusion_matrix_of_two_integer_dtypes():
    matrix = dl.confusion_matrix(np.array([0, 1], np.uint64), np.array([1, 1], np.int64))
    np.testing.assert_array_equal(matrix, [[0, 1], [0, 1]])


@pytest.mark.parametrize(
    "metric", [dl.accuracy, dl.confusion_matrix, dl.f1_score, dl.r2_score, dl.mean_absolute_error]
)
@pytest.mark.parametrize(
    ("true", "pred", "message"),
    [
        ([0, 1], [0, 1, 1], "y_true has shape (2,), y_pred (3,). Every sample needs one pred"),
        ([0, 1], np.eye(2), "For labels from probabilities use y_pred.argmax(axis=-1)."),
        (
            np.eye(2),
            np.zeros((2, 2, 3)),
            "For labels from probabilities use y_pred.argmax(axis=-1).",
        ),
        (1, [1, 1], "y_pred (2,). Every sample needs one prediction."),
        ([0, 1], np.eye(3)[:, :2], "y_pred (3, 2). Every sample needs one prediction."),
        ([0, 1], np.zeros((2, 2, 2)), "y_pred (2, 2, 2). Every sample needs one prediction."),
        ([0, 1], [[0], [1]], "y_true has shape (2,), y_pred (2, 1). Use y_pred.ravel()."),
        ([[0], [1]], [0, 1], "y_true has shape (2, 1), y_pred (2,)."),
        ([], [], "there are no samples. Expected shape (N, ...), got (0,)."),
        (1, 1, "there are no samples. Expected shape (N, ...), got ()."),
    ],
    ids=[
        "length",
        "probabilities",
        "probabilities of steps",
        "one truth",
        "more rows",
        "images",
        "column",
        "true column",
        "empty",
        "number",
    ],
)
def test_shapes_that_do_not_fit_are_explained(metric, true, pred, message):
    with pytest.raises(dl.ShapeError, match=f"^{metric.__name__}: .*{re.escape(message)}"):
        metric(true, pred)


@pytest.mark.parametrize(
    ("true", "pred", "n_classes", "message"),
    [
        ([0.0, 1.0], [0, 1], None, "got float64 (2,) and int64 (2,)"),
        ([0, 1], [0.5, 1.0], None, "got int64 (2,) and float64 (2,)"),
        (["a"], ["a"], None, "expected integer labels of shape (N,), got <U1 (1,)"),
        ([[0, 1]], [[0, 1]], None, "expected integer labels of shape (N,), got int64 (1, 2)"),
        ([0, 3], [0, 1], 3, "labels must be in 0..2, got values from 0 to 3."),
        ([0, 1], [0, 3], 3, "labels must be in 0..2, got values from 0 to 3."),
        ([0, -1], [0, 1], None, "labels must be in 0..1, got values from -1 to 1."),
        ([0, 1], [-2, 1], 5, "labels must be in 0..4, got values from -2 to 1."),
    ],
)
def test_labels_that_cannot_be_counted_are_explained(true, pred, n_classes, message):
    with pytest.raises(dl.DataError, match=f"^confusion_matrix: .*{re.escape(message)}"):
        dl.confusion_matrix(true, pred, n_classes)


@pytest.mark.parametrize(
    ("true", "pred", "message"),
    [
        ([0.5, 1.0], [0, 1], "y_true has numbers such as 0.5"),
        ([0, 1], [1.0, 0.25], "y_pred has numbers such as 0.25"),
        ([0, np.nan], [0, 1], "y_true has numbers such as nan"),
    ],
    ids=["true", "predicted", "nan"],
)
def test_labels_that_are_measurements_are_refused(true, pred, message):
    fix = ". For regression use dl.mean_absolute_error or dl.r2_score."
    for metric in (dl.accuracy, dl.f1_score):
        expected = f"{metric.__name__}: compares labels, but {message}{fix}"
        with pytest.raises(dl.DataError, match=f"^{re.escape(expected)}"):
            metric(true, pred)


@pytest.mark.parametrize("metric", [dl.accuracy, dl.f1_score])
def test_names_of_classes_are_not_compared_with_numbers(metric):
    assert metric(["cat", "dog"], ["cat", "dog"]) == 1
    for true, pred in ((["0", "1"], [0, 1]), ([0, 1], ["0", "1"])):
        with pytest.raises(dl.DataError, match=f"^{metric.__name__}: cannot compare text with num"):
            metric(true, pred)


@pytest.mark.parametrize("n_classes", [0, 2.5, "3", True])
def test_the_number_of_classes_is_a_whole_number(n_classes):
    message = f"confusion_matrix: n_classes must be a whole number of at least 1, got {n_classes!r}"
    with pytest.raises(dl.ArgumentError, match=re.escape(message)):
        dl.confusion_matrix([0], [0], n_classes)
