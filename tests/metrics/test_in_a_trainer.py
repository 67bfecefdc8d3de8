"""Metrics by their plain names in `Trainer(metrics=[...])`, over batches of any sizes."""

import copy
import re
from functools import partial

import numpy as np
import pytest

import minidl as dl

X = np.random.default_rng(0).normal(size=(60, 5))
ACTIVATIONS = {dl.CrossEntropy: dl.Softmax, dl.BinaryCrossEntropy: dl.Sigmoid}


class Uneven:
    """A source of batches of 1, 2, 30 and 27 rows."""

    def __init__(self, x, y):
        self.x, self.y = x, y

    def __iter__(self):
        for start, stop in ((0, 1), (1, 3), (3, 33), (33, 60)):
            yield self.x[start:stop], self.y[start:stop]


def trained(outputs, loss, y, metrics):
    """Values of an epoch without steps, from uneven batches; and the outputs, as probabilities."""
    layers = [dl.Dense(8), dl.Tanh(), dl.Dense(outputs)]
    if type(loss) in ACTIVATIONS:
        layers.append(ACTIVATIONS[type(loss)]())
    told = dl.Sequential(layers).build((5,), rng=1, dtype=np.float64)
    kept = layers[:-1] if loss.from_logits else layers
    model = dl.Sequential(map(copy.deepcopy, kept)).build((5,), rng=1, dtype=np.float64)
    trainer = dl.Trainer(model, loss, dl.SGD(lambda step: 0.0), metrics=metrics)
    history = trainer.fit(Uneven(X, y), epochs=1)
    found = {name: history[name][0] for name in history if name not in ("loss", "seconds")}
    expected = trainer.evaluate(X, y)
    assert found == pytest.approx({name: expected[name] for name in found}, rel=1e-12)
    return found, told.predict(X)


@pytest.mark.parametrize("from_logits", [False, True])
def test_classes(from_logits):
    y = np.random.default_rng(1).integers(0, 6, 60)
    metrics = [
        *(dl.accuracy, dl.precision, dl.recall, dl.f1_score, dl.top_k_accuracy, dl.roc_auc),
        partial(dl.f1_score, average="micro"),
        partial(dl.top_k_accuracy, k=2),
    ]
    found, p = trained(6, dl.CrossEntropy(from_logits=from_logits), y, metrics)
    labels = p.argmax(axis=1)
    assert found == pytest.approx(
        {
            "accuracy": dl.accuracy(y, labels),
            "precision": dl.precision(y, labels),
            "recall": dl.recall(y, labels),
            "f1_score": dl.f1_score(y, labels),
            "top_k_accuracy": dl.top_k_accuracy(y, p),
            "roc_auc": dl.roc_auc(y, p),
            "f1_score_micro": dl.accuracy(y, labels),
            "top_k_accuracy_k2": dl.top_k_accuracy(y, p, k=2),
        },
        rel=1e-12,
    )
    assert len(set(found.values())) == 7  # each is another measure; micro F1 is the accuracy


@pytest.mark.parametrize("from_logits", [False, True])
@pytest.mark.parametrize("outputs", [1, 3])
def test_yes_or_no(outputs, from_logits):
    y = np.random.default_rng(1).integers(0, 2, (60, outputs))
    loss = dl.BinaryCrossEntropy(from_logits=from_logits)
    found, p = trained(outputs, loss, y, [dl.precision, dl.recall, dl.f1_score, dl.roc_auc])
    for name in ("precision", "recall", "f1_score"):
        assert found[name] == pytest.approx(getattr(dl, name)(y, p > 0.5), rel=1e-12)
    assert found["roc_auc"] == pytest.approx(dl.roc_auc(y, p), rel=1e-12)


@pytest.mark.parametrize("outputs", [1, 3])
def test_regression(outputs):
    y = np.random.default_rng(1).normal(size=(60, outputs))
    metrics = [dl.r2_score, dl.mean_absolute_error]
    found, prediction = trained(outputs, dl.MeanSquaredError(), y, metrics)
    assert found["r2_score"] == pytest.approx(dl.r2_score(y, prediction), rel=1e-12)
    assert found["mean_absolute_error"] == pytest.approx(np.abs(y - prediction).mean(), rel=1e-12)


def test_steps_that_a_mask_leaves_out():
    rng = np.random.default_rng(0)
    words = rng.integers(1, 9, (12, 7))
    words[:, 4:] *= rng.integers(0, 2, (12, 1))  # index 0 is padding
    y = rng.integers(0, 3, (12, 7))
    layers = [dl.Embedding(9, 4, padding_index=0), dl.Dense(3), dl.Softmax()]
    model = dl.Sequential(layers).build((7,), rng=0, dtype=np.float64)
    metrics = [dl.f1_score, dl.recall, dl.roc_auc, partial(dl.top_k_accuracy, k=2)]
    values = dl.Trainer(model, dl.CrossEntropy(), dl.SGD(0.1), metrics=metrics).evaluate(words, y)
    counts = words != 0
    assert 0 < counts.mean() < 1
    p, y = model.predict(words)[counts], y[counts]
    assert values["f1_score"] == dl.f1_score(y, p.argmax(axis=1))
    assert values["recall"] == dl.recall(y, p.argmax(axis=1))
    assert values["roc_auc"] == pytest.approx(dl.roc_auc(y, p), rel=1e-12)
    assert values["top_k_accuracy_k2"] == dl.top_k_accuracy(y, p, k=2)


@pytest.mark.parametrize("shape", [(5,), (3, 5)], ids=["rows", "steps"])
def test_samples_without_weight_are_left_out(shape):
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(40, *shape)), rng.integers(0, 3, (40, *shape[:-1]))
    weight = rng.random(y.shape) * (rng.random(y.shape) < 0.6)
    model = dl.Sequential([dl.Dense(3), dl.Softmax()]).build(shape, rng=0, dtype=np.float64)
    trainer = dl.Trainer(
        model, dl.CrossEntropy(), dl.SGD(lambda step: 0.0), metrics=[dl.accuracy, dl.roc_auc], rng=0
    )
    counted = weight > 0
    p = model.predict(x)
    expected = dl.accuracy(y[counted], p[counted].argmax(axis=1))
    assert expected != dl.accuracy(y, p.argmax(axis=-1))
    values = trainer.evaluate(x, y, sample_weight=weight)
    assert values["accuracy"] == expected
    assert values["roc_auc"] == pytest.approx(dl.roc_auc(y[counted], p[counted]), rel=1e-12)
    history = trainer.fit(x, y, epochs=1, batch_size=7, sample_weight=weight)
    assert history["accuracy"] == expected
    history = trainer.fit(x, y, epochs=1, batch_size=7, class_weight={1: 0.0})
    assert history["accuracy"][-1] == dl.accuracy(y[y != 1], p[y != 1].argmax(axis=-1))
    nothing = trainer.evaluate(x, y, sample_weight=np.zeros(y.shape))
    assert nothing["loss"] == 0
    assert np.isnan([nothing["accuracy"], nothing["roc_auc"]]).all()


@pytest.mark.parametrize("outputs", [1, 2])
def test_pixels(outputs):
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(6, 4, 3, 2)), rng.integers(0, 2, (6, 4, 3, outputs))
    weight = rng.random((6, 4, 3)) * (rng.random((6, 4, 3)) < 0.6)
    model = dl.Sequential([dl.Conv2D(outputs, 1), dl.Sigmoid()])
    model.build((4, 3, 2), rng=0, dtype=np.float64)
    metrics = [dl.accuracy, dl.roc_auc]
    trainer = dl.Trainer(model, dl.BinaryCrossEntropy(), dl.SGD(0.1), metrics=metrics)
    p = model.predict(x)
    for w, counted in ((None, np.ones(weight.shape, bool)), (weight, weight > 0)):
        values = trainer.evaluate(x, y, sample_weight=w)
        right = ((p > 0.5) == y).all(axis=-1)[counted]  # of a pixel, all its answers
        assert values["accuracy"] == pytest.approx(right.mean(), rel=1e-15)
        assert values["roc_auc"] == pytest.approx(dl.roc_auc(y[counted], p[counted]), rel=1e-12)


@pytest.mark.parametrize("result", [None, np.ones(3), "much"], ids=["none", "array", "text"])
def test_a_metric_that_gives_no_number_is_named(result):
    metric = dl.Metric(lambda y_true, y_pred: result, name="mine")
    model = dl.Dense(1).build((5,))
    trainer = dl.Trainer(model, dl.MeanSquaredError(), dl.SGD(0.1), metrics=[metric])
    message = f"metrics: mine must return one number, got {result!r} of type "
    with pytest.raises(dl.ArgumentTypeError, match=re.escape(message)):
        trainer.evaluate(X, np.ones((60, 1)))


@pytest.mark.parametrize("names", [["val_loss"], ["x", "y", "val_x"], ["seconds"]])
def test_a_metric_must_not_take_the_name_of_another_value(names):
    metrics = [dl.Metric(dl.accuracy, name=name) for name in names]
    with pytest.raises(
        dl.ArgumentError, match=r"different names.*also with 'val_' before.*; got \["
    ):
        dl.Trainer(dl.Dense(3).build((5,)), dl.Hinge(), dl.SGD(0.1), metrics=metrics)


def test_two_metrics_of_one_name_are_an_error():
    model = dl.Sequential([dl.Dense(3), dl.Softmax()]).build((5,))
    twice = [partial(dl.f1_score, average="micro")] * 2
    with pytest.raises(dl.ArgumentError, match=r"different names.*'f1_score_micro', 'f1_score_mic"):
        dl.Trainer(model, dl.CrossEntropy(), dl.SGD(0.1), metrics=twice)
