import numpy as np
import pytest

from minidl.errors import DataError, ShapeError
from minidl.losses.labels import (
    check_class_labels,
    check_probability_rows,
    find_improper_row,
    place_of,
)


def test_right_labels_come_back_as_indices():
    labels = check_class_labels(np.array([0, 9, 3], np.uint8), (3, 10), "who")
    assert labels.dtype == np.intp
    np.testing.assert_array_equal(labels, [0, 9, 3])


def test_indices_are_not_copied():
    labels = np.array([0, 1], np.intp)
    assert check_class_labels(labels, (2, 2), "who") is labels


def test_the_message_counts_and_places_wrong_labels():
    labels = np.tile(np.arange(1, 11), 1000)
    message = (
        r"^who: labels must be in 0\.\.9 for 10 outputs, got 10 in row 9 \(1,000 of 10,000 labels "
        r"are out of range, which runs from 1 to 10\)\. Labels start at 0: use labels - 1\.$"
    )
    with pytest.raises(DataError, match=message):
        check_class_labels(labels, (10000, 10), "who")


def test_labels_of_minus_1_and_1():
    fix = r"\. Of -1 and 1 make 0 and 1: \(labels \+ 1\) // 2\.$"
    with pytest.raises(DataError, match=f"got -1 in row 1 .*{fix}"):
        check_class_labels(np.array([1, -1, 1]), (3, 2), "who")
    with pytest.raises(DataError, match=r"mask leaves out need a label too: .*, such as 0\.$"):
        check_class_labels(np.array([[1, -1, 1]]), (1, 3, 2), "who")


@pytest.mark.parametrize("labels", [[0, 1, 2], [1, 1, 3], [-1, 0, 1], [-1, -1, 0]], ids=str)
def test_subtracting_1_is_advised_only_where_it_helps(labels):
    with pytest.raises(DataError, match=r"The last layer needs one output for each class\.$"):
        check_class_labels(np.array(labels), (3, 2), "who")


def test_labels_of_another_number():
    with pytest.raises(ShapeError, match=r"^who: expected labels of shape \(3,\) .* \(2,\)"):
        check_class_labels(np.array([0, 1]), (3, 4), "who")


def test_labels_of_steps_of_another_number():
    with pytest.raises(
        ShapeError, match=r"\(3, 2\) or .* \(2, 3\)\. Every sample needs one label\.$"
    ):
        check_class_labels(np.zeros((2, 3), int), (3, 2, 4), "who")


@pytest.mark.parametrize(
    ("labels", "fix"),
    [
        ([0.0, 1.0], r"dtype float64\. Use labels.astype\(np.int64\)\.$"),
        ([True, False], r"dtype bool\. Use labels.astype\(np.int64\)\.$"),
        (["a", "b"], r"dtype <U1\. Number the classes: .*return_inverse=True\)\.$"),
    ],
)
def test_labels_that_are_no_integers(labels, fix):
    with pytest.raises(DataError, match=f"^who: labels must be integers, got {fix}"):
        check_class_labels(np.array(labels), (2, 3), "who")


def test_right_rows_come_back_as_they_are():
    target = np.array([[0.25, 0.75], [1, 0]], np.float32)
    assert check_probability_rows(target, (2, 2), "who") is target


@pytest.mark.parametrize(
    ("n", "classes", "message"),
    [
        (3, 5, r"shape \(3,\) or .* \(3, 4\), got \(3, 5\)\. .* 4 outputs, .* have 5 classes\.$"),
        (2, 4, r"shape \(3,\) or .* \(3, 4\), got \(2, 4\)\. Every sample needs one row\.$"),
    ],
)
def test_rows_of_another_shape(n, classes, message):
    with pytest.raises(ShapeError, match=message):
        check_probability_rows(np.eye(5)[:n, :classes], (3, 4), "who")


def test_a_row_that_is_no_distribution_is_shown_with_its_sum():
    rows = np.array([[0.5, 0.5], [0.5, 0.75]])
    with pytest.raises(
        DataError, match=r"row 1 of the targets .* \[0\.5\s+0\.75\] sums to 1\.25\."
    ):
        check_probability_rows(rows, (2, 2), "who")


@pytest.mark.parametrize(
    ("dtype", "error", "row"),
    [
        (np.float64, 0.9e-4, None),
        (np.float64, 1.1e-4, 1),
        (np.float64, -1.1e-4, 1),
        (np.float32, 0.9e-4, None),
        (np.float32, 1.1e-4, 1),
        (np.float16, 0.9e-3, None),
        (np.float16, -2e-3, 1),
    ],
)
def test_rows_may_miss_1_by_rounding(dtype, error, row):
    rows = np.array([[0, 1], [0.5 + error, 0.5], [0, 1]], dtype)
    assert find_improper_row(rows) == row


def test_the_first_wrong_row_is_found():
    assert find_improper_row(np.array([[1, 0], [2, -1], [3, -2]])) == 1
    assert find_improper_row(np.array([[1, 0], [0, 1]])) is None
    assert find_improper_row(np.array([[0, 0]], np.uint8)) == 0


@pytest.mark.parametrize(
    ("shape", "place"),
    [((30,), "row 17"), ((5, 6), "row 2, step 5"), ((3, 2, 5), "row 1, pixel 1, 2")],
)
def test_the_place_of_a_sample(shape, place):
    assert place_of(17, shape) == place
