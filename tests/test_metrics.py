import dataclasses
import re
from functools import partial

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


@pytest.mark.parametrize("metric", [dl.accuracy, dl.confusion_matrix])
@pytest.mark.parametrize(
    ("true", "pred", "message"),
    [
        ([0, 1], [0, 1, 1], "y_true has shape (2,), y_pred (3,). Every sample needs one pred"),
        ([0, 1], np.eye(2), "For labels from probabilities use y_pred.argmax(axis=1)."),
        ([0, 1], np.eye(3)[:, :2], "y_pred (3, 2). Every sample needs one prediction."),
        ([0, 1], np.zeros((2, 2, 2)), "y_pred (2, 2, 2). Every sample needs one prediction."),
        ([0, 1], [[0], [1]], "y_true has shape (2,), y_pred (2, 1). Use y_pred.ravel()."),
        ([[0], [1]], [0, 1], "y_true has shape (2, 1), y_pred (2,)."),
        ([], [], "there are no samples."),
    ],
    ids=["length", "probabilities", "more rows", "images", "column", "true column", "empty"],
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
def test_accuracy_of_measurements_is_refused(true, pred, message):
    with pytest.raises(dl.DataError, match=f"^accuracy: compares labels, but {message}"):
        dl.accuracy(true, pred)


class Scorer:
    def __call__(self, y_true, y_pred):
        return 0.5


@pytest.mark.parametrize(
    ("function", "name"),
    [(dl.accuracy, "accuracy"), (Scorer(), "Scorer"), (partial(dl.accuracy), "partial")],
)
def test_a_metric_is_named_after_its_function(function, name):
    assert dl.Metric(function).name == name
    assert dl.Metric(function, name="mine").name == "mine"
    assert dl.Metric(function).needs == "labels"


@pytest.mark.parametrize("from_logits", [False, True])
@pytest.mark.parametrize("outputs", [1, 2])
def test_a_trainer_asks_for_labels_at_probability_one_half(outputs, from_logits):
    layers = [dl.Dense(outputs, weight_initializer=dl.Ones())]
    model = dl.Sequential(layers if from_logits else [*layers, dl.Sigmoid()]).build((1,))
    loss = dl.BinaryCrossEntropy(from_logits=from_logits)
    trainer = dl.Trainer(model, loss, dl.SGD(0.1), metrics=[dl.accuracy])
    x = np.array([[-2.0], [-0.2], [0.2], [0.4], [2.0]])  # also the logits
    assert trainer.evaluate(x, np.repeat(x > 0, outputs, axis=1))["accuracy"] == 1


def test_a_metric_is_a_value():
    assert dl.Metric(dl.accuracy) == dl.Metric(dl.accuracy, name="accuracy")
    with pytest.raises(dataclasses.FrozenInstanceError, match="cannot assign to field 'name'"):
        dl.Metric(dl.accuracy).name = "other"


@pytest.mark.parametrize("function", [0.5, "accuracy", None], ids=str)
def test_a_metric_needs_a_function(function):
    message = re.escape(f"expected a function (y_true, y_pred) -> float, got {function!r}")
    with pytest.raises(dl.ArgumentTypeError, match=message):
        dl.Metric(function)


def test_a_metric_needs_labels_or_probabilities():
    with pytest.raises(dl.ArgumentError, match="must be 'labels' or 'probabilities', got 'logits'"):
        dl.Metric(dl.accuracy, needs="logits")
