"""Losses of sequences and images: every step is a sample, and steps may have weights."""

import numpy as np
import pytest

import minidl as dl

rng = np.random.default_rng(0)
LOGITS = rng.normal(size=(4, 5, 3))  # (N, T, C)
LABELS = rng.integers(0, 3, (4, 5))
ONE_HOT = np.eye(3)[LABELS]
OF_ROWS = rng.random(4)
OF_STEPS = rng.random((4, 5)) * (rng.random((4, 5)) < 0.6)


def by_hand(w):
    log_p = LOGITS - np.log(np.exp(LOGITS).sum(axis=-1, keepdims=True))
    values = -(ONE_HOT * log_p).sum(axis=-1)
    return (w * values).sum() / w.sum(), w[..., None] * (np.exp(log_p) - ONE_HOT) / w.sum()


@pytest.mark.parametrize("target", [LABELS, ONE_HOT], ids=["labels", "one-hot"])
@pytest.mark.parametrize("weight", [None, OF_ROWS, OF_STEPS], ids=["plain", "rows", "steps"])
def test_cross_entropy_of_steps(target, weight):
    w = np.ones((4, 5)) if weight is None else np.broadcast_to(weight.reshape(4, -1), (4, 5))
    expected, gradient = by_hand(w)
    loss = dl.CrossEntropy(from_logits=True)
    value, found = loss.value_and_grad(LOGITS, target, sample_weight=weight)
    assert value == pytest.approx(expected, rel=1e-12)
    np.testing.assert_allclose(found, gradient, rtol=1e-11, atol=1e-15)
    out = np.full_like(LOGITS, np.nan)
    assert loss.value_and_grad(LOGITS, target, sample_weight=weight, out=out)[1] is out
    np.testing.assert_array_equal(out, found)


def test_pixels_of_images():
    logits = rng.normal(size=(2, 4, 3, 5))
    labels = rng.integers(0, 5, (2, 4, 3))
    loss = dl.CrossEntropy(from_logits=True)
    value, gradient = loss.value_and_grad(logits, labels)
    flat, flat_gradient = loss.value_and_grad(logits.reshape(-1, 5), labels.ravel())
    assert value == pytest.approx(flat, rel=1e-12)
    np.testing.assert_allclose(gradient.reshape(-1, 5), flat_gradient, rtol=1e-12)


@pytest.mark.parametrize(
    "loss", [dl.MeanSquaredError(), dl.BinaryCrossEntropy(from_logits=True)], ids=repr
)
def test_weights_of_steps_equal_repeated_steps(loss):
    target = (LOGITS > 0.3).astype(float)
    times = rng.integers(0, 3, (4, 5))
    value, gradient = loss.value_and_grad(LOGITS, target, sample_weight=times)
    repeated = [np.repeat(a.reshape(20, 3), times.ravel(), axis=0) for a in (LOGITS, target)]
    expected, other = loss.value_and_grad(*repeated)
    assert value == pytest.approx(expected, rel=1e-12)
    sums = np.zeros((20, 3))
    np.add.at(sums, np.repeat(np.arange(20), times.ravel()), other)
    np.testing.assert_allclose(gradient.reshape(20, 3), sums, rtol=1e-12)


def test_no_step_counts():
    value, gradient = dl.CrossEntropy(from_logits=True).value_and_grad(
        LOGITS, LABELS, sample_weight=np.zeros((4, 5))
    )
    assert value == 0
    assert not gradient.any()


@pytest.mark.parametrize(
    ("target", "message"),
    [
        (LABELS[:, 0], r"labels of shape \(4, 5\).*label for each step or pixel.*Flatten\(\)"),
        (LABELS[:, :3], r"labels of shape \(4, 5\) or rows .* \(4, 5, 3\), got \(4, 3\)"),
        (LABELS[..., None], r"got \(4, 5, 1\)\. Use labels\[\.\.\., 0\]"),
        (ONE_HOT[..., :2], r"got \(4, 5, 2\)\. The model has 3 outputs, the targets have 2"),
    ],
    ids=["one a sample", "too few", "column", "classes"],
)
def test_wrong_targets_are_explained(target, message):
    with pytest.raises(dl.ShapeError, match=message):
        dl.CrossEntropy(from_logits=True).value_and_grad(LOGITS, target)


def test_wrong_labels_name_their_row():
    labels = LABELS.copy()
    labels[2, 1] = 7
    with pytest.raises(dl.DataError, match=r"got 7 in row 2 \(1 of 20 labels"):
        dl.CrossEntropy(from_logits=True).value_and_grad(LOGITS, labels)
    with pytest.raises(dl.DataError, match="has softmax been applied already"):
        dl.CrossEntropy(from_logits=True).value_and_grad(ONE_HOT, LABELS)
    with pytest.raises(dl.DataError, match="which is no distribution"):
        dl.CrossEntropy().value_and_grad(LOGITS, LABELS)


def test_negative_weights_name_their_row():
    weight = np.ones((4, 5))
    weight[3, 2] = -1
    with pytest.raises(dl.DataError, match=r"must be at least 0, got -1.0 in row 3"):
        dl.CrossEntropy(from_logits=True).value_and_grad(LOGITS, LABELS, sample_weight=weight)


# --- through the trainer -------------------------------------------------------------------


def model_of_steps(input_shape=(5, 2)):
    return dl.Sequential([dl.Dense(3), dl.Softmax()]).build(input_shape, rng=0, dtype=np.float64)


X = rng.normal(size=(4, 5, 2))


@pytest.mark.parametrize("weight", [None, OF_ROWS, OF_STEPS], ids=["plain", "rows", "steps"])
def test_a_fit_over_steps_is_a_fit_over_rows(weight):
    steps, rows = model_of_steps(), model_of_steps((2,))
    w = np.ones((4, 5)) if weight is None else np.broadcast_to(weight.reshape(4, -1), (4, 5))
    results = []
    for model, data in (
        (steps, (X, LABELS, weight)),
        (rows, (X.reshape(20, 2), LABELS.ravel(), w.ravel())),
    ):
        trainer = dl.Trainer(model, dl.CrossEntropy(), dl.SGD(0.1), rng=0)
        x, y, sample_weight = data
        history = trainer.fit(x, y, epochs=3, batch_size=100, sample_weight=sample_weight)
        results.append([*history["loss"], *model.params])
    np.testing.assert_allclose(*results, rtol=1e-11)


def test_accuracy_counts_steps():
    model = model_of_steps()
    trainer = dl.Trainer(model, dl.CrossEntropy(), dl.SGD(0.1), metrics=[dl.accuracy])
    right = model.predict(X).argmax(axis=-1) == LABELS
    assert trainer.evaluate(X, LABELS)["accuracy"] == pytest.approx(right.mean())


def test_class_weights_need_one_class_a_sample():
    trainer = dl.Trainer(model_of_steps(), dl.CrossEntropy(), dl.SGD(0.1))
    with pytest.raises(dl.ArgumentError, match="class_weight: needs one class a sample"):
        trainer.fit(X, LABELS, epochs=1, class_weight={0: 2.0})
