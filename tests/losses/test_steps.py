"""Losses of sequences and images: every step is a sample, and steps may have weights."""

import copy
import re

import numpy as np
import pytest

import minidl as dl

rng = np.random.default_rng(0)
LOGITS = rng.normal(size=(4, 5, 3))  # (N, T, C)
LABELS = rng.integers(0, 3, (4, 5))
ONE_HOT = np.eye(3)[LABELS]
OF_ROWS = rng.random(4)
OF_STEPS = rng.random((4, 5)) * (rng.random((4, 5)) < 0.6)
OF_PIXELS = rng.random((4, 5, 6))


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


OF_OUTPUTS = [dl.MeanSquaredError(), dl.BinaryCrossEntropy(from_logits=True)]


@pytest.mark.parametrize("loss", OF_OUTPUTS, ids=repr)
@pytest.mark.parametrize("weight", [None, OF_ROWS, OF_STEPS], ids=["plain", "rows", "steps"])
def test_every_step_is_a_sample_of_every_loss(loss, weight):
    target = (LOGITS > 0.3).astype(float)
    w = np.ones((4, 5)) if weight is None else np.broadcast_to(weight.reshape(4, -1), (4, 5))
    out = np.full_like(LOGITS, np.nan)
    value, gradient = loss.value_and_grad(LOGITS, target, sample_weight=weight, out=out)
    assert gradient is out
    steps = [a.reshape(20, 3) for a in (LOGITS, target)]
    expected, same = loss.value_and_grad(*steps, sample_weight=w.ravel())
    assert value == pytest.approx(expected, rel=1e-12)
    np.testing.assert_allclose(gradient.reshape(20, 3), same, rtol=1e-12)


def test_a_loss_of_ones_own_sees_steps():
    shapes = []

    class Watched(dl.MeanSquaredError):
        def per_sample(self, prediction, target):
            shapes.append((prediction.shape, target.shape))
            return super().per_sample(prediction, target)

    Watched().value_and_grad(LOGITS, LOGITS)
    Watched().value_and_grad(LOGITS[0], LOGITS[0])
    Watched().value_and_grad(LOGITS[np.newaxis], LOGITS[np.newaxis])  # an image
    assert [a for a, _ in shapes] == [b for _, b in shapes] == [(20, 3), (5, 3), (1, 4, 5, 3)]


@pytest.mark.parametrize(
    ("loss", "shape", "weight", "axes", "total"),
    [
        (dl.MeanSquaredError(), (4, 3), None, 1, 4),
        (dl.MeanSquaredError(), (4, 5, 3), None, 2, 20),
        (dl.MeanSquaredError(), (4, 5, 3), OF_ROWS, 2, 5 * OF_ROWS.sum()),
        (dl.MeanSquaredError(), (4, 5, 3), OF_STEPS, 2, OF_STEPS.sum()),
        (dl.MeanSquaredError(), (4, 5, 6, 3), None, 1, 4),
        (dl.MeanSquaredError(), (4, 5, 6, 3), OF_ROWS, 1, OF_ROWS.sum()),
        (dl.MeanSquaredError(), (4, 5, 6, 3), OF_STEPS, 2, OF_STEPS.sum()),
        (dl.MeanSquaredError(), (4, 5, 6, 3), OF_PIXELS, 3, OF_PIXELS.sum()),
        (dl.BinaryCrossEntropy(), (4, 5, 6, 1), None, 3, 120),
        (dl.BinaryCrossEntropy(), (4, 5, 6, 3), OF_ROWS, 3, 30 * OF_ROWS.sum()),
        (dl.Hinge(), (4, 5, 6, 1), None, 3, 120),
        (dl.KLDivergence(), (4, 5, 6, 3), OF_PIXELS, 3, OF_PIXELS.sum()),
        (dl.CrossEntropy(), (4, 3), OF_ROWS, 1, OF_ROWS.sum()),
        (dl.CrossEntropy(), (4, 5, 3), None, 2, 20),
        (dl.CrossEntropy(), (4, 5, 6, 3), None, 3, 120),
        (dl.CrossEntropy(), (4, 5, 6, 3), OF_ROWS, 3, 30 * OF_ROWS.sum()),
        (dl.CrossEntropy(), (4, 5, 6, 3), OF_STEPS, 3, 6 * OF_STEPS.sum()),
        (dl.CrossEntropy(), (4, 5, 6, 3), OF_PIXELS, 3, OF_PIXELS.sum()),
    ],
)
def test_what_the_samples_are_and_what_they_weigh(loss, shape, weight, axes, total):
    assert loss.sample_axes(shape, weight) == axes
    given = 4.0 if weight is None else weight.sum()
    assert loss.total_weight(shape, weight, given) == pytest.approx(total, rel=1e-14)


@pytest.mark.parametrize("loss", OF_OUTPUTS, ids=repr)
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


def test_weights_of_the_lines_of_images():
    logits, labels = rng.normal(size=(4, 5, 6, 3)), rng.integers(0, 3, (4, 5, 6))
    loss, weight = dl.CrossEntropy(from_logits=True), OF_STEPS
    value, gradient = loss.value_and_grad(logits, labels, sample_weight=weight)
    each = np.repeat(weight.ravel(), 6)
    expected, same = loss.value_and_grad(logits.reshape(-1, 3), labels.ravel(), sample_weight=each)
    assert value == pytest.approx(expected, rel=1e-12)
    np.testing.assert_allclose(gradient.reshape(-1, 3), same, rtol=1e-12)


def test_no_step_counts():
    value, gradient = dl.CrossEntropy(from_logits=True).value_and_grad(
        LOGITS, LABELS, sample_weight=np.zeros((4, 5))
    )
    assert value == 0
    assert not gradient.any()


@pytest.mark.parametrize(
    ("target", "message"),
    [
        (
            LABELS[:, 0],
            r"labels of shape \(4, 5\).*outputs for each step or pixel\. .*Flatten\(\)",
        ),
        (LABELS[:, :3], r"labels of shape \(4, 5\) or rows .* \(4, 5, 3\), got \(4, 3\)"),
        (LABELS[..., None], r"got \(4, 5, 1\)\. Use labels\[\.\.\., 0\]"),
        (ONE_HOT[..., :2], r"got \(4, 5, 2\)\. The model has 3 outputs, the targets have 2"),
    ],
    ids=["one a sample", "too few", "column", "classes"],
)
def test_wrong_targets_are_explained(target, message):
    with pytest.raises(dl.ShapeError, match=message):
        dl.CrossEntropy(from_logits=True).value_and_grad(LOGITS, target)


@pytest.mark.parametrize(
    ("target", "hint"),
    [
        (
            np.ones(4),
            " The model gives outputs for each step or pixel. For one target a sample, ",
        ),
        (np.ones((4, 1)), " The model gives outputs for each step or pixel. For one target a samp"),
        (np.ones((4, 5)), " The number of the model's outputs and of the targets must be the same"),
        (np.ones((4, 2)), " The number of the model's outputs and of the targets must be the same"),
        (np.ones((4, 5), int), " If these are labels of classes, use CrossEntropy."),
    ],
    ids=["one a sample", "column", "one a step", "too few", "labels"],
)
def test_wrong_numbers_for_steps_are_explained(target, hint):
    message = f"shape (4, 5, 3), that of the predictions, got {target.shape}.{hint}"
    for loss in (dl.MeanSquaredError(), dl.BinaryCrossEntropy(from_logits=True)):
        with pytest.raises(dl.ShapeError, match=re.escape(message)):
            loss.value_and_grad(LOGITS, target)
    with pytest.raises(dl.ShapeError, match=r"shape \(4, 3\), .* got \(4,\)\. The number of the"):
        dl.MeanSquaredError().value_and_grad(LOGITS[:, 0], np.ones(4))


def test_wrong_labels_name_their_row():
    labels = LABELS.copy()
    labels[2, 1] = 7
    with pytest.raises(dl.DataError, match=r"got 7 in row 2, step 1 \(1 of 20 labels"):
        dl.CrossEntropy(from_logits=True).value_and_grad(LOGITS, labels)
    with pytest.raises(dl.DataError, match="has softmax been applied already"):
        dl.CrossEntropy(from_logits=True).value_and_grad(ONE_HOT, LABELS)
    probabilities = ONE_HOT.copy()
    probabilities[3, 2] = 0.5
    with pytest.raises(
        dl.DataError, match=r"got \[0\.5 0\.5 0\.5\] in row 3, step 2, which is no distribution"
    ):
        dl.CrossEntropy().value_and_grad(probabilities, LABELS)
    with pytest.raises(
        dl.DataError, match=r": row 3, step 2 of the targets is no distribution: \[0\.5 0\.5 0\.5\]"
    ):
        dl.CrossEntropy(from_logits=True).value_and_grad(LOGITS, probabilities)


RETURN_ALL = "the recurrent layer in it needs return_sequences=True"


@pytest.mark.parametrize(
    ("loss", "target", "hint"),
    [
        (dl.CrossEntropy(from_logits=True), LABELS, f"If these are labels .*{RETURN_ALL}"),
        (dl.CrossEntropy(from_logits=True), LABELS[:, :3] + 1, f"If these are lab.*{RETURN_ALL}"),
        (
            dl.CrossEntropy(from_logits=True),
            ONE_HOT,
            f"are targets of single steps, .*{RETURN_ALL}",
        ),
        (dl.MeanSquaredError(), LOGITS, f"are targets of single steps, .*{RETURN_ALL}"),
        (dl.BinaryCrossEntropy(), ONE_HOT, f"are targets of single steps, .*{RETURN_ALL}"),
    ],
    ids=["labels", "as many labels as classes", "one-hot", "numbers", "yes or no"],
)
def test_targets_of_steps_for_one_output_a_sample_point_to_return_sequences(loss, target, hint):
    with pytest.raises(ValueError, match=hint):
        loss.value_and_grad(np.full((4, 3), 0.5), target)


@pytest.mark.parametrize("target", [np.eye(5, dtype=int)[:4], np.full((4, 5), 0.2)], ids=str)
def test_rows_of_another_number_of_classes_point_to_nothing_else(target):
    with pytest.raises(dl.ShapeError, match=r"have 5 classes\.$"):
        dl.CrossEntropy().value_and_grad(np.full((4, 3), 1 / 3), target)


def test_masked_steps_need_labels_too():
    labels = LABELS.copy()
    labels[1, 3:] = -1
    loss = dl.CrossEntropy(from_logits=True)
    with pytest.raises(
        dl.DataError, match=r"row 1, step 3 \(2 of 20.*mask leaves out need a label too.*as 0\.$"
    ):
        loss.value_and_grad(LOGITS, labels)
    with pytest.raises(dl.DataError, match=r"needs one output for each class\.$"):
        loss.value_and_grad(LOGITS, np.where(labels < 0, -2, labels))
    labels[0, 0] = 3
    with pytest.raises(dl.DataError, match=r"got 3 .*needs one output for each class\.$"):
        loss.value_and_grad(LOGITS, labels)


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


def sequences_of_several_lengths(*target_axes):
    def batch(steps):
        return rng.normal(size=(3, steps, 2)), rng.integers(0, 2, (3, steps, *target_axes))

    return [batch(steps) for steps in (2, 9, 4)]


def absolute_error(y_true, y_pred):
    return float(np.abs(y_true - y_pred).mean())


SEVERAL_LENGTHS = {
    "labels": (dl.CrossEntropy(), dl.Softmax, 2, (), dl.accuracy),
    "yes or no": (dl.BinaryCrossEntropy(), dl.Sigmoid, 1, (1,), dl.accuracy),
    "numbers": (dl.MeanSquaredError(), dl.Tanh, 2, (2,), absolute_error),
}


@pytest.mark.parametrize(
    ("loss", "last", "outputs", "axes", "metric"), SEVERAL_LENGTHS.values(), ids=SEVERAL_LENGTHS
)
@pytest.mark.parametrize("masked", [False, True], ids=["plain", "masked"])
def test_all_steps_of_batches_of_several_lengths_count_alike(
    loss, last, outputs, axes, metric, masked
):
    front = [dl.Masking()] if masked else []  # which finds nothing to mask
    model = dl.Sequential([*front, dl.Dense(outputs), last()])
    model.build((None, 2), rng=0, dtype=np.float64)
    source = sequences_of_several_lengths(*axes)
    trainer = dl.Trainer(model, loss, dl.SGD(1e-12), metrics=[metric], rng=0)
    values = trainer.evaluate(source)
    steps = dl.Sequential([*map(copy.deepcopy, model.layers[-2:])]).build((2,), dtype=np.float64)
    x = np.concatenate([x.reshape(-1, 2) for x, _ in source])
    y = np.concatenate([y.reshape(-1, *axes) for _, y in source])
    expected = dl.Trainer(steps, loss, dl.SGD(0.1), metrics=[metric]).evaluate(x, y)
    assert values == pytest.approx(expected, rel=1e-12)
    history = trainer.fit(source, epochs=1)
    name = metric.__name__
    assert history["loss"][0] == pytest.approx(expected["loss"], rel=1e-9)
    assert history[name][0] == pytest.approx(expected[name], rel=1e-9)


def test_rows_of_several_lengths_are_no_array_for_a_metric():
    model = dl.Sequential([dl.Dense(1), dl.Reshape((-1,))]).build((None, 2), rng=0)
    source = sequences_of_several_lengths()
    trainer = dl.Trainer(model, dl.MeanSquaredError(), dl.SGD(0.1), metrics=[absolute_error])
    with pytest.raises(
        dl.ShapeError, match=r"several shapes, \[\(2,\), \(4,\), \(9,\)\].* Keep the"
    ):
        trainer.evaluate(source)
    with pytest.raises(dl.ShapeError, match=r"several shapes, \[\(2,\), \(9,\)\]"):
        trainer.evaluate(source[:2])
    trainer = dl.Trainer(model, dl.MeanSquaredError(), dl.SGD(0.1))
    assert set(trainer.evaluate(source)) == {"loss"}
