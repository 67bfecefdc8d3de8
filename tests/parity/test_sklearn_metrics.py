"""The comparison with scikit-learn: its metrics work in a Trainer, and minidl's equal them."""

from functools import partial

import numpy as np
import pytest
from sklearn import metrics

import minidl as dl


def trained(layers, loss, x, y, wanted, **options):
    model = dl.Sequential(layers).build(x.shape[1:], rng=0)
    trainer = dl.Trainer(model, loss, dl.Adam(0.01), metrics=wanted, rng=0)
    return model, trainer, trainer.fit(x, y, epochs=2, validation_split=0.25, **options)


@pytest.fixture(scope="module")
def digits():
    return dl.synthetic_digits(400, rng=0)


@pytest.mark.parametrize("target", ["labels", "one-hot"])
@pytest.mark.parametrize("from_logits", [False, True])
def test_classification(digits, target, from_logits):
    x, labels = digits
    y = labels if target == "labels" else np.eye(10)[labels]
    wanted = [
        dl.accuracy,
        metrics.accuracy_score,
        dl.Metric(partial(metrics.f1_score, average="macro"), name="f1"),
        metrics.matthews_corrcoef,
        *([] if from_logits else [dl.Metric(metrics.log_loss, needs="probabilities")]),
    ]
    layers = [dl.Dense(10), dl.ReLU(), dl.Dense(10), *([] if from_logits else [dl.Softmax()])]
    loss = dl.CrossEntropy(from_logits=from_logits)
    model, trainer, history = trained(layers, loss, x, y, wanted)
    values, outputs = trainer.evaluate(x, y), model.predict(x)
    predicted = outputs.argmax(axis=1)
    assert values["accuracy_score"] == values["accuracy"] == (predicted == labels).mean()
    assert values["f1"] == metrics.f1_score(labels, predicted, average="macro")
    assert values["matthews_corrcoef"] == metrics.matthews_corrcoef(labels, predicted)
    if not from_logits:
        assert values["log_loss"] == pytest.approx(metrics.log_loss(labels, outputs), rel=1e-6)
        assert values["log_loss"] == pytest.approx(values["loss"], rel=1e-5)
    for name in ("f1", "val_f1", "accuracy_score", "val_accuracy_score"):
        assert len(history[name]) == 2


def test_yes_or_no(digits):
    x, labels = digits
    y = (labels % 2)[:, np.newaxis]
    wanted = [
        metrics.precision_score,
        metrics.balanced_accuracy_score,
        dl.Metric(metrics.roc_auc_score, needs="probabilities"),
        dl.Metric(metrics.brier_score_loss, needs="probabilities"),
    ]
    layers = [dl.Dense(10), dl.Tanh(), dl.Dense(1), dl.Sigmoid()]
    model, trainer, _ = trained(layers, dl.BinaryCrossEntropy(), x, y, wanted)
    values, p = trainer.evaluate(x, y), model.predict(x)[:, 0]
    assert values["precision_score"] == metrics.precision_score(y[:, 0], p > 0.5)
    assert values["balanced_accuracy_score"] == metrics.balanced_accuracy_score(y[:, 0], p > 0.5)
    assert values["roc_auc_score"] == pytest.approx(metrics.roc_auc_score(y[:, 0], p), rel=1e-12)
    assert values["brier_score_loss"] == pytest.approx(np.mean((p - y[:, 0]) ** 2), rel=1e-5)


def test_several_yes_or_no(digits):
    x, labels = digits
    y = np.stack([labels % 2, labels < 5], axis=1)
    wanted = [dl.accuracy, metrics.accuracy_score, metrics.hamming_loss]
    layers = [dl.Dense(10), dl.Tanh(), dl.Dense(2), dl.Sigmoid()]
    model, trainer, _ = trained(layers, dl.BinaryCrossEntropy(), x, y, wanted)
    values, predicted = trainer.evaluate(x, y), model.predict(x) > 0.5
    assert values["accuracy"] == values["accuracy_score"] == (predicted == y).all(axis=1).mean()
    assert values["hamming_loss"] == pytest.approx((predicted != y).mean(), rel=1e-12)


def test_regression(digits):
    x = digits[0]
    y = x[:, 300:302] - x[:, 200:202]
    wanted = [metrics.r2_score, metrics.mean_squared_error]
    model, trainer, _ = trained([dl.Dense(2)], dl.MeanSquaredError(), x, y, wanted)
    values = trainer.evaluate(x, y)
    assert values["mean_squared_error"] == pytest.approx(values["loss"], rel=1e-5)
    assert values["r2_score"] == pytest.approx(metrics.r2_score(y, model.predict(x)), rel=1e-6)


@pytest.mark.parametrize("classes", [2, 10, 300])
@pytest.mark.parametrize("dtype", [np.int64, np.int32, np.uint16])
def test_accuracy_and_confusion_matrix(classes, dtype):
    rng = np.random.default_rng(0)
    true, pred = rng.integers(0, classes, size=(2, 500)).astype(dtype)
    assert dl.accuracy(true, pred) == metrics.accuracy_score(true, pred)
    np.testing.assert_array_equal(
        dl.confusion_matrix(true, pred, n_classes=classes),
        metrics.confusion_matrix(true, pred, labels=range(classes)),
    )


def test_accuracy_of_several_labels_and_of_strings():
    true, pred = np.random.default_rng(0).integers(0, 2, size=(2, 100, 2))
    assert dl.accuracy(true, pred) == metrics.accuracy_score(true, pred)
    names = np.array(["cat", "dog"])
    assert dl.accuracy(names[true[:, 0]], names[pred[:, 0]]) == metrics.accuracy_score(
        true[:, 0], pred[:, 0]
    )


@pytest.mark.parametrize("weight", [None, np.array([1.0, 0.0, 0.5, 2.0])], ids=str)
def test_losses(weight):
    p = np.array([[0.7, 0.2, 0.1], [0.1, 0.8, 0.1], [0.3, 0.3, 0.4], [0.25, 0.25, 0.5]])
    labels, y = np.array([0, 2, 1, 2]), np.array([[0.5, 1], [0, -1], [2, 2], [0.25, 3]])
    options = {"sample_weight": weight}
    value, _ = dl.CrossEntropy().value_and_grad(p, labels, **options)
    assert value == pytest.approx(metrics.log_loss(labels, p, **options), rel=1e-12)
    value, _ = dl.MeanSquaredError().value_and_grad(p[:, :2], y, **options)
    assert value == pytest.approx(metrics.mean_squared_error(y, p[:, :2], **options), rel=1e-12)
    yes = (labels == 2).astype(int)
    value, _ = dl.BinaryCrossEntropy().value_and_grad(p[:, 2:], yes[:, None], **options)
    assert value == pytest.approx(metrics.log_loss(yes, p[:, 2], **options), rel=1e-12)


PAIRS = [
    (dl.precision, metrics.precision_score),
    (dl.recall, metrics.recall_score),
    (dl.f1_score, metrics.f1_score),
]


@pytest.mark.parametrize(("ours", "theirs"), PAIRS)
@pytest.mark.parametrize("average", ["macro", "micro"])
@pytest.mark.parametrize("classes", [1, 2, 3, 10, 40])
@pytest.mark.parametrize("n", [1, 7, 500])
def test_precision_recall_f1(ours, theirs, average, classes, n):
    rng = np.random.default_rng(classes)
    true = rng.integers(0, classes, n)
    pred = np.where(rng.random(n) < 0.6, true, rng.integers(0, classes + 2, n))  # 2 never true
    expected = theirs(true, pred, average=average, zero_division=0)
    assert ours(true, pred, average=average) == pytest.approx(expected, rel=1e-12, abs=1e-12)
    several = rng.integers(0, 2, (2, n, classes))
    several[:, :, 0] = 0  # a label that is never there and never predicted
    if classes > 1:
        expected = theirs(*several, average=average, zero_division=0)
        assert ours(*several, average=average) == pytest.approx(expected, rel=1e-12, abs=1e-12)


@pytest.mark.parametrize(("ours", "theirs"), PAIRS)
@pytest.mark.parametrize("share", [0.0, 0.3, 1.0])
@pytest.mark.parametrize("predicted", [0.0, 0.3, 1.0])
def test_precision_recall_f1_of_class_1(ours, theirs, share, predicted):
    rng = np.random.default_rng(0)
    true, pred = rng.random((2, 200)) < [[share], [predicted]]
    expected = theirs(true, pred, zero_division=0)
    assert ours(true, pred) == pytest.approx(expected, rel=1e-12)
    assert ours(true.astype(int), pred.astype(int)) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("k", [1, 2, 4])
@pytest.mark.parametrize("values", [3, 10**9])
def test_top_k_accuracy(k, values):
    rng = np.random.default_rng(k)
    scores, labels = rng.integers(0, values, (500, 6)) / values, rng.integers(0, 6, 500)
    # Of equal scores they put the larger class first, and ours the smaller: the other way round.
    expected = metrics.top_k_accuracy_score(5 - labels, scores[:, ::-1], k=k, labels=range(6))
    assert dl.top_k_accuracy(labels, scores, k=k) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("values", [2, 7, 10**9], ids=["two scores", "ties", "no ties"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_roc_auc(values, dtype):
    rng = np.random.default_rng(values)
    true, score = rng.random(500) < 0.2, (rng.integers(0, values, 500) / values).astype(dtype)
    assert dl.roc_auc(true, score) == pytest.approx(metrics.roc_auc_score(true, score), rel=1e-12)
    labels, scores = rng.integers(0, 4, 500), 1 + rng.integers(0, values, (500, 4))
    p = (scores / scores.sum(axis=1, keepdims=True)).astype(dtype)
    expected = metrics.roc_auc_score(labels, p, multi_class="ovr", average="macro")
    assert dl.roc_auc(labels, p) == pytest.approx(expected, rel=1e-12)
    several = rng.random((500, 4)) < 0.3
    expected = metrics.roc_auc_score(several, scores, average="macro")
    assert dl.roc_auc(several, scores) == pytest.approx(expected, rel=1e-12)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.UndefinedMetricWarning")
@pytest.mark.parametrize(
    ("true", "score"),
    [
        (np.ones(5, int), np.linspace(0, 1, 5)),
        (np.zeros(5, int), np.linspace(0, 1, 5)),
        (np.array([[0, 1], [1, 1]]), np.array([[0.5, 0.3], [0.1, 0.2]])),
    ],
    ids=["no negatives", "no positives", "second label always 1"],
)
def test_roc_auc_that_is_not_defined(true, score):
    assert np.isnan(dl.roc_auc(true, score))
    assert np.isnan(metrics.roc_auc_score(true, score))


@pytest.mark.parametrize("shape", [(2,), (300,), (300, 1), (300, 4)])
def test_regression_metrics(shape):
    rng = np.random.default_rng(0)
    true, pred = rng.normal(size=(2, *shape)) + 3
    for _ in range(2):  # the second time with a constant target
        assert dl.r2_score(true, pred) == pytest.approx(metrics.r2_score(true, pred), rel=1e-12)
        assert dl.r2_score(true, true) == metrics.r2_score(true, true) == 1
        expected = metrics.mean_absolute_error(true, pred)
        assert dl.mean_absolute_error(true, pred) == pytest.approx(expected, rel=1e-12)
        true.reshape(len(true), -1)[:, 0] = 2.5
