import re

import numpy as np
import pytest

import minidl as dl

SCORES = np.array([[0.1, 0.2, 0.3, 0.4], [0.4, 0.3, 0.2, 0.1], [0.25, 0.5, 0.0, 0.25]])


@pytest.mark.parametrize(("k", "expected"), [(1, 1 / 3), (2, 2 / 3), (3, 2 / 3)])
def test_by_hand(k, expected):
    assert dl.top_k_accuracy([3, 1, 2], SCORES, k=k) == pytest.approx(expected)  # places 1, 2, 4
    assert type(dl.top_k_accuracy([3, 1, 2], SCORES, k=k)) is float


def test_k_is_5_by_default():
    scores = np.arange(10.0)[np.newaxis].repeat(10, axis=0)
    assert dl.top_k_accuracy(np.arange(10), scores) == 5 / 10


@pytest.mark.parametrize("k", [1, 2, 5])
def test_against_sorting_with_many_ties(k):
    rng = np.random.default_rng(k)
    scores, labels = rng.integers(0, 4, (200, 8)), rng.integers(0, 8, 200)
    first = np.argsort(-scores, axis=1, kind="stable")[:, :k]  # of equal ones the smaller class
    expected = (first == labels[:, None]).any(axis=1).mean()
    assert dl.top_k_accuracy(labels, scores, k=k) == expected
    accuracy = dl.accuracy(labels, scores.argmax(axis=1))
    assert dl.top_k_accuracy(labels, scores, k=1) == accuracy


def test_only_the_order_of_scores_counts():
    rng = np.random.default_rng(0)
    logits, labels = rng.normal(size=(50, 6)).astype(np.float32), rng.integers(0, 6, 50)
    value = dl.top_k_accuracy(labels, logits, k=2)
    assert value == dl.top_k_accuracy(labels.astype(np.uint8), np.exp(logits), k=2)
    assert 0 < value < 1


@pytest.mark.parametrize(
    ("labels", "scores", "k", "kind", "message"),
    [
        ([0, 1], SCORES, 2, dl.ShapeError, "y_true has shape (2,), y_score (3, 4). Every sample"),
        ([], np.zeros((0, 3)), 2, dl.ShapeError, "y_true has shape (0,)"),
        ([0, 1, 2], SCORES[:, 0], 1, dl.ShapeError, "expected labels (N,) and scores (N, C), got"),
        (np.eye(4)[:3], SCORES, 1, dl.ShapeError, "got (3, 4) and (3, 4)."),
        ([0, 1, 2], SCORES, 4, dl.ArgumentError, "k must be below the number of classes, got k=4"),
        ([0, 1, 2], SCORES, 0, dl.ArgumentError, "k must be a whole number of at least 1, got 0."),
        ([0, 1, 4], SCORES, 2, dl.DataError, "labels must be in 0..3, got [0 1 4]."),
        ([0, 1, -1], SCORES, 2, dl.DataError, "labels must be in 0..3, got [-1  0  1]."),
        ([0, 1, 0.5], SCORES, 2, dl.DataError, "labels must be in 0..3, got [0.  0.5 1. ]."),
        (["0", "1", "1"], SCORES, 2, dl.DataError, "labels must be in 0..3, got ['0' '1']."),
        ([0, 1, 2], SCORES * np.nan, 2, dl.DataError, "y_score has NaN in rows 0, 1, 2, column"),
        ([0, 1, 2], SCORES.astype(str), 2, dl.DataError, "y_score must be real numbers, got dtype"),
    ],
)
def test_what_does_not_fit_is_explained(labels, scores, k, kind, message):
    with pytest.raises(kind, match=f"^top_k_accuracy: .*{re.escape(message)}"):
        dl.top_k_accuracy(labels, scores, k=k)
