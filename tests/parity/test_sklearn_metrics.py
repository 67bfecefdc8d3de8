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
