import math
import re

import numpy as np
import pytest

import minidl as dl


def over_pairs(positive, score):
    """The definition: every positive against every negative."""
    p, q = score[positive][:, None], score[~positive]
    return ((p > q) + 0.5 * (p == q)).mean()


def test_by_hand():
    # positives 0.4 and 0.8 against negatives 0.1 and 0.4: above, equal, above, above
    assert dl.roc_auc([0, 0, 1, 1], [0.1, 0.4, 0.4, 0.8]) == 3.5 / 4
    assert dl.roc_auc([0, 1], [0.2, 0.3]) == 1
    assert dl.roc_auc([1, 0], [0.2, 0.3]) == 0
    assert dl.roc_auc([1, 0, 1], [0.5, 0.5, 0.5]) == 0.5
    assert type(dl.roc_auc([0, 1], [0.2, 0.3])) is float


@pytest.mark.parametrize("values", [2, 5, 10**6])
@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int64])
def test_against_all_pairs(values, dtype):
    rng = np.random.default_rng(values)
    true, score = rng.random(60) < 0.3, rng.integers(0, values, 60).astype(dtype)
    expected = over_pairs(true, score)
    assert dl.roc_auc(true, score) == pytest.approx(expected, rel=1e-14)
    assert dl.roc_auc(true.astype(int), score[:, None]) == dl.roc_auc(true, score)
    assert dl.roc_auc(true[:, None], score[:, None]) == dl.roc_auc(true, score)
    assert dl.roc_auc(~true, score) == pytest.approx(1 - expected, rel=1e-14)


def test_two_classes_count_by_the_second_score():
    rng = np.random.default_rng(0)
    true, score = rng.integers(0, 2, 40), rng.random((40, 2))
    assert dl.roc_auc(true, score) == dl.roc_auc(true, score[:, 1])


@pytest.mark.parametrize("classes", [3, 5])
def test_several_classes_count_each_against_the_rest(classes):
    rng = np.random.default_rng(classes)
    true, score = rng.integers(0, classes, 60), rng.integers(0, 9, (60, classes))
    single = [over_pairs(true == c, score[:, c]) for c in range(classes)]
    assert dl.roc_auc(true, score) == pytest.approx(np.mean(single), rel=1e-14)


@pytest.mark.parametrize("labels", [2, 3])
def test_several_labels_a_sample(labels):
    rng = np.random.default_rng(labels)
    true, score = rng.integers(0, 2, (60, labels)), rng.integers(0, 9, (60, labels))
    single = [over_pairs(true[:, m] == 1, score[:, m]) for m in range(labels)]
    assert dl.roc_auc(true, score) == pytest.approx(np.mean(single), rel=1e-14)


@pytest.mark.parametrize(
    ("true", "score"),
    [
        ([1, 1], [0.1, 0.2]),
        ([0, 0], [0.1, 0.2]),
        ([0, 1, 1], np.eye(3)),
        ([[0, 1], [1, 1]], [[0.1, 0.2], [0.3, 0.4]]),
    ],
    ids=["no negatives", "no positives", "no class 2", "second label always 1"],
)
def test_nan_where_a_class_has_no_positives_or_no_negatives(true, score):
    assert math.isnan(dl.roc_auc(true, score))


@pytest.mark.parametrize(
    ("true", "score", "kind", "message"),
    [
        ([0, 1], [0.5], dl.ShapeError, "y_true has shape (2,), y_score (1,). Every sample needs"),
        ([0, 1], np.ones((2, 0)), dl.ShapeError, "y_true has shape (2,), y_score (2, 0). Every"),
        (1, 0.5, dl.ShapeError, "got () and ()."),
        ([0, 1], np.ones((2, 2, 2)), dl.ShapeError, "expected labels (N,) with scores (N,) or (N,"),
        (np.eye(2), np.ones((2, 3)), dl.ShapeError, "got (2, 2) and (2, 3)."),
        (np.eye(2), np.ones(2), dl.ShapeError, "got (2, 2) and (2,)."),
        ([0, 2], [0.5, 0.6], dl.DataError, "labels must be in 0..1, got [0 2]."),
        ([0, 2], np.ones((2, 1)), dl.DataError, "labels must be in 0..1, got [0 2]."),
        ([0, 2], np.ones((2, 2)), dl.DataError, "labels must be in 0..1, got [0 2]."),
        ([0, 3], np.ones((2, 3)), dl.DataError, "labels must be in 0..2, got [0 3]."),
        ([[0, 0, 2]], np.ones((1, 3)), dl.DataError, "labels must be in 0..1, got [0 2]."),
        ([0, 1], [0.5, np.inf], dl.DataError, "y_score has infinity in row 1."),
    ],
)
def test_what_does_not_fit_is_explained(true, score, kind, message):
    with pytest.raises(kind, match=f"^roc_auc: .*{re.escape(message)}"):
        dl.roc_auc(true, score)
