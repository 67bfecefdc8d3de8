import re

import numpy as np
import pytest

import minidl as dl

METRICS = [dl.precision, dl.recall, dl.f1_score]
TRUE = [0, 0, 0, 1, 1, 2, 2, 2]
PRED = [0, 0, 1, 1, 2, 2, 2, 3]
# class: right, predicted, there; 0: 2, 2, 3; 1: 1, 2, 2; 2: 2, 3, 3; 3: 0, 1, 0


@pytest.mark.parametrize(
    ("metric", "macro"),
    [
        (dl.precision, (2 / 2 + 1 / 2 + 2 / 3 + 0) / 4),
        (dl.recall, (2 / 3 + 1 / 2 + 2 / 3 + 0) / 4),
        (dl.f1_score, (4 / 5 + 2 / 4 + 4 / 6 + 0) / 4),
    ],
)
def test_by_hand(metric, macro):
    assert metric(TRUE, PRED) == pytest.approx(macro, rel=1e-15)
    assert metric(TRUE, PRED, average="macro") == metric(TRUE, PRED)
    assert metric(TRUE, PRED, average="micro") == 5 / 8 == dl.accuracy(TRUE, PRED)
    assert type(metric(TRUE, PRED)) is float


def brute_force(metric, true, pred, labels, average):
    counts = []
    for label in labels:
        pairs = list(zip(true, pred, strict=True))
        hits = sum(t == label and p == label for t, p in pairs)
        false_positives = sum(t != label and p == label for t, p in pairs)
        false_negatives = sum(t == label and p != label for t, p in pairs)
        counts.append((hits, false_positives, false_negatives))
    if average == "micro":
        counts = [np.sum(counts, axis=0)]
    values = []
    for hits, fp, fn in counts:
        below = {dl.precision: hits + fp, dl.recall: hits + fn, dl.f1_score: hits + (fp + fn) / 2}
        values.append(hits / below[metric] if below[metric] else 0)
    return np.mean(values)


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("average", ["macro", "micro"])
@pytest.mark.parametrize("classes", [2, 3, 7])
def test_against_counting_one_by_one(metric, average, classes):
    rng = np.random.default_rng(classes)
    for n in (1, 2, 5, 50):
        true, pred = rng.integers(0, classes, (2, n))
        expected = brute_force(metric, true, pred, set(true) | set(pred), average)
        assert metric(true, pred, average=average) == pytest.approx(expected, rel=1e-14)


@pytest.mark.parametrize("metric", METRICS)
def test_labels_0_and_1_mean_class_1(metric):
    true, pred = [1, 1, 1, 0, 0], [1, 1, 0, 1, 0]
    expected = brute_force(metric, true, pred, [1], "binary")
    assert metric(true, pred) == pytest.approx(expected, rel=1e-15) == 2 / 3
    assert metric(true, pred, average="binary") == metric(true, pred)
    assert metric(np.array(true, bool), np.array(pred, float)) == metric(true, pred)
    both = brute_force(metric, true, pred, [0, 1], "macro")
    assert metric(true, pred, average="macro") == pytest.approx(both, rel=1e-15)
    assert metric(true, pred, average="micro") == 3 / 5


@pytest.mark.parametrize("metric", METRICS)
def test_nothing_to_divide_by_is_0_and_no_warning(metric):
    assert metric([0, 0], [0, 0]) == 0  # class 1 does not occur
    assert metric([0, 1], [0, 0]) == 0
    assert metric([0, 0], [0, 1]) == 0
    assert metric([1, 1], [1, 1]) == 1
    assert metric([[0, 1]], [[0, 1]], average="macro") == 1 / 2
    assert metric([[0, 0]], [[0, 0]], average="micro") == 0


@pytest.mark.parametrize("metric", METRICS)
def test_classes_are_those_that_occur(metric):
    assert metric([2, 2], [2, 2]) == 1
    assert metric([5, 9], [5, 7]) == pytest.approx(1 / 3)
    assert metric(["cat", "dog"], ["cat", "cow"]) == pytest.approx(1 / 3)


@pytest.mark.parametrize("metric", METRICS)
def test_several_labels_a_sample(metric):
    rng = np.random.default_rng(0)
    true, pred = rng.integers(0, 2, (2, 40, 3))
    single = [metric(t, p, average="binary") for t, p in zip(true.T, pred.T, strict=True)]
    assert metric(true, pred) == metric(true, pred, average="macro")
    assert metric(true, pred) == pytest.approx(np.mean(single), rel=1e-15)
    pooled = metric(true.ravel(), pred.ravel(), average="binary")
    assert metric(true, pred, average="micro") == pytest.approx(pooled, rel=1e-15)
    assert metric(true[:, :1], pred[:, :1]) == single[0]


@pytest.mark.parametrize("metric", METRICS)
def test_f1_is_the_harmonic_mean_of_a_class(metric):
    true, pred = np.random.default_rng(1).integers(0, 2, (2, 30))
    p, r = dl.precision(true, pred), dl.recall(true, pred)
    assert dl.f1_score(true, pred) == pytest.approx(2 * p * r / (p + r), rel=1e-14)
    assert p != r
    assert metric(pred, true) == {dl.precision: r, dl.recall: p}.get(
        metric, dl.f1_score(true, pred)
    )


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize(
    ("true", "pred", "average", "kind", "message"),
    [
        ([0], [0], "weighted", dl.ArgumentError, "average must be 'auto', 'binary', 'macro' or"),
        ([0, 2], [0, 1], "binary", dl.DataError, "labels 0 and 1 of shape (N,), got [0 1 2] in (2"),
        ([[0, 1]], [[1, 1]], "binary", dl.DataError, "average='binary' goes with labels 0 and 1"),
        (["a"], ["b"], "binary", dl.DataError, "Use average='macro' or 'micro'."),
        ([[0, 2]], [[1, 1]], "auto", dl.DataError, "labels of shape (N, C) must be 0 or 1, got [0"),
        ([[[0]]], [[[0]]], "auto", dl.ShapeError, "expected labels of shape (N,) or (N, C), got"),
    ],
)
def test_what_cannot_be_averaged_is_explained(metric, true, pred, average, kind, message):
    with pytest.raises(kind, match=f"^{metric.__name__}: .*{re.escape(message)}"):
        metric(true, pred, average=average)
