import re

import numpy as np
import pytest

import minidl as dl

LABELS = np.array([0, 2, 2, 2, 0, 2])
rng = np.random.default_rng(0)


def test_a_dict_gives_each_sample_the_weight_of_its_class():
    weight = dl.class_weights(LABELS, {2: 3, 7: 9.0})
    np.testing.assert_array_equal(weight, [1, 3, 3, 3, 1, 3])
    assert weight.dtype == np.float64
    np.testing.assert_array_equal(dl.class_weights([True, False], {np.int64(1): 0.5}), [0.5, 1])
    np.testing.assert_array_equal(dl.class_weights([-1, 1], {-1: 4}), [4, 1])


def test_balanced_classes_weigh_the_same():
    # n / (C n_c) over the classes that there are: 6 / (2 * 2) and 6 / (2 * 4)
    weight = dl.class_weights(LABELS, "balanced")
    np.testing.assert_array_equal(weight, [1.5, 0.75, 0.75, 0.75, 1.5, 0.75])


def test_balanced_classes_count_weights():
    own = np.array([1, 1, 0, 3, 2, 0])  # class 0 weighs 3 and class 2 weighs 4, together 7
    weight = dl.class_weights(LABELS, "balanced", sample_weight=own)
    np.testing.assert_allclose(weight, own * np.where(LABELS == 0, 7 / 6, 7 / 8), rtol=1e-15)
    assert weight.sum() == pytest.approx(own.sum())
    small = dl.class_weights(LABELS, "balanced", sample_weight=own / 100)
    np.testing.assert_allclose(small, weight / 100, rtol=1e-15)


def test_a_class_without_weight_stays_without():
    weight = dl.class_weights(LABELS, "balanced", sample_weight=LABELS == 0)
    np.testing.assert_array_equal(weight, LABELS == 0)
    np.testing.assert_array_equal(
        dl.class_weights(LABELS, "balanced", sample_weight=np.zeros(6)), np.zeros(6)
    )


@pytest.mark.parametrize("shape", [(4, 5), (4, 5, 6)], ids=["steps", "pixels"])
def test_labels_of_steps_and_pixels(shape):
    labels = rng.integers(0, 3, shape)
    factors = np.array([1.0, 0.5, 4.0])
    by_class = {1: 0.5, 2: 4.0}
    np.testing.assert_array_equal(dl.class_weights(labels, by_class), factors[labels])
    for axes in range(1, len(shape) + 1):
        own = rng.random(shape[:axes])
        expected = factors[labels] * own.reshape(own.shape + (1,) * (len(shape) - axes))
        found = dl.class_weights(labels, by_class, sample_weight=own)
        np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        (
            {"class_weight": "balance"},
            dl.ArgumentError,
            "class_weight: expected 'balanced', or a dict from labels to weights, such as "
            "{0: 1.0, 1: 2.5}, got 'balance'.",
        ),
        ({"class_weight": [1.0, 2.0]}, dl.ArgumentError, "to weights, such as {0: 1.0, 1: 2.5},"),
        ({"class_weight": {"2": 1.0}}, dl.ArgumentError, "from labels to weights"),
        ({"class_weight": {1.5: 1.0}}, dl.ArgumentError, "from labels to weights"),
        (
            {"class_weight": {2: 1.0, 3: 1.0}, "n_classes": 3},
            dl.ArgumentError,
            "a dict from labels 0..2 to weights",
        ),
        ({"class_weight": {-1: 1.0}, "n_classes": 3}, dl.ArgumentError, "labels 0..2 to weights"),
        (
            {"class_weight": {2: -1.0}},
            dl.ArgumentError,
            "class_weight: the weight of class 2 must be a number in [0, inf), got -1.0.",
        ),
        (
            {"class_weight": {}, "labels": [0.0, 1.0]},
            dl.DataError,
            "must be integers of shape (N,), (N, T) or (N, H, W), got float64 (2,). Use "
            "labels.astype(np.int64), or of one-hot rows labels.argmax(axis=-1).",
        ),
        ({"class_weight": {}, "labels": 3}, dl.DataError, "(N, H, W), got int64 ()."),
        (
            {"class_weight": {}, "sample_weight": [1.0, 2.0]},
            dl.ShapeError,
            "sample_weight: expected shape (6,), got (2,).",
        ),
    ],
)
def test_wrong_arguments_are_explained(options, error, message):
    with pytest.raises(error, match=re.escape(message)):
        dl.class_weights(**{"labels": LABELS} | options)


def test_the_last_class_may_be_named():
    weight = dl.class_weights([0, 2], {0: 2.0, 2: 5.0}, n_classes=3)
    np.testing.assert_array_equal(weight, [2, 5])


# --- through the trainer -------------------------------------------------------------------

RARE = (rng.random(60) < 0.2).astype(np.int64)
X = rng.normal(size=(60, 2)) + RARE[:, None]


def fitted(loss, outputs, x, y, layers=(), input_shape=(2,), **options):
    model = dl.Sequential([*layers, dl.Dense(outputs)])
    model.build(input_shape, rng=0, dtype=np.float64)
    trainer = dl.Trainer(model, loss, dl.SGD(0.1), rng=0)
    history = trainer.fit(x, y, epochs=2, batch_size=25, **options)
    return [*history["loss"], *model.params]


FORMS = {
    "cross-entropy": (dl.CrossEntropy(from_logits=True), 2, RARE),
    "one-hot": (dl.CrossEntropy(from_logits=True, label_smoothing=0.1), 2, np.eye(2)[RARE]),
    "divergence": (dl.KLDivergence(from_logits=True), 2, np.eye(2)[RARE]),
    "yes or no": (dl.BinaryCrossEntropy(from_logits=True), 1, RARE[:, None]),
    "hinge, 0 and 1": (dl.Hinge(), 1, RARE[:, None]),
    "hinge, -1 and 1": (dl.Hinge(), 1, 2 * RARE[:, None] - 1.0),
    "hinge of labels": (dl.Hinge(), 2, RARE),
}


@pytest.mark.parametrize(("loss", "outputs", "y"), FORMS.values(), ids=FORMS)
@pytest.mark.parametrize("kind", [{1: 4.0}, "balanced"], ids=["dict", "balanced"])
@pytest.mark.parametrize("own", [None, rng.random(60)], ids=["", "weighted"])
def test_fit_weighs_the_classes_of_arrays(loss, outputs, y, kind, own):
    found = fitted(loss, outputs, X, y, class_weight=kind, sample_weight=own)
    weight = dl.class_weights(RARE, kind, sample_weight=own)
    assert found == fitted(loss, outputs, X, y, sample_weight=weight)
    assert found != fitted(loss, outputs, X, y, sample_weight=own)


@pytest.mark.parametrize(
    ("loss", "outputs", "axes"),
    [
        (dl.CrossEntropy(from_logits=True), 2, ()),
        (dl.BinaryCrossEntropy(from_logits=True), 1, (1,)),
        (dl.Hinge(), 1, (1,)),
        (dl.Hinge(), 2, ()),
    ],
    ids=str,
)
@pytest.mark.parametrize("own", [None, rng.random(15), rng.random((15, 4))], ids=np.shape)
@pytest.mark.parametrize("kind", [{1: 4.0}, "balanced"], ids=["dict", "balanced"])
def test_fit_weighs_the_classes_of_steps(loss, outputs, axes, own, kind):
    x, labels = X.reshape(15, 4, 2), RARE.reshape(15, 4)
    y = labels.reshape(15, 4, *axes)
    options = {"input_shape": (4, 2), "class_weight": kind, "sample_weight": own}
    found = fitted(loss, outputs, x, y, **options)
    weight = dl.class_weights(labels, kind, sample_weight=own)
    options = {"input_shape": (4, 2), "sample_weight": weight}
    assert found == fitted(loss, outputs, x, y, **options)


@pytest.mark.parametrize("own", [None, rng.random(6), rng.random((6, 4))], ids=np.shape)
def test_masked_steps_count_neither_in_balance_nor_in_the_loss(own):
    x, labels = rng.normal(size=(6, 4, 2)), rng.integers(0, 2, (6, 4))
    mask = np.arange(4) < np.array([4, 1, 3, 2, 4, 3])[:, None]
    x[~mask] = 0
    loss, options = dl.CrossEntropy(from_logits=True), {"input_shape": (4, 2)}
    weight = mask if own is None else own.reshape(6, -1) * mask
    weight = dl.class_weights(labels, "balanced", sample_weight=weight)
    expected = fitted(loss, 2, x, labels, sample_weight=weight, **options)
    options |= {"layers": [dl.Masking()], "class_weight": "balanced", "sample_weight": own}
    assert fitted(loss, 2, x, labels, **options) == expected
    options["layers"] = [dl.Masking()]
    assert fitted(loss, 2, x, np.where(mask, labels, 1 - labels), **options) == expected


@pytest.mark.parametrize(
    ("loss", "outputs", "axes"),
    [
        (dl.CrossEntropy(from_logits=True), 2, ()),
        (dl.BinaryCrossEntropy(from_logits=True), 1, (1,)),
    ],
    ids=str,
)
@pytest.mark.parametrize("own", [np.ones(5), rng.random(5), rng.random((5, 3, 4))], ids=np.shape)
def test_fit_weighs_the_classes_of_pixels(loss, outputs, axes, own):
    """A 1 x 1 convolution over the pixels of images is a Dense layer over as many rows."""
    images = dl.Conv2D(outputs, 1).build((3, 4, 2), dtype=np.float64)
    pixels = dl.Dense(outputs).build((2,), dtype=np.float64)
    of_pixels = np.broadcast_to(own.reshape(own.shape + (1,) * (3 - own.ndim)), (5, 3, 4)).ravel()
    found = []
    for model, samples, weight in ((images, (5, 3, 4), own), (pixels, (60,), of_pixels)):
        model.params[...] = 0.1
        trainer = dl.Trainer(model, loss, dl.SGD(0.1), metrics=[dl.accuracy], rng=0)
        data = X.reshape(*samples, 2), RARE.reshape(*samples, *axes)
        options = {"batch_size": 60, "class_weight": {1: 4.0}, "sample_weight": weight}
        history = trainer.fit(*data, epochs=2, validation_data=data, **options)
        values = [history[name] for name in ("loss", "accuracy", "val_loss", "val_accuracy")]
        found.append([*np.ravel(values), *model.weight.ravel(), *model.bias])
    np.testing.assert_allclose(*found, rtol=1e-12)


@pytest.mark.parametrize(
    ("loss", "y"),
    [
        (dl.BinaryCrossEntropy(from_logits=True), np.ones((60, 3))),
        (dl.MeanSquaredError(), np.ones((60, 3), int)),
        (dl.Poisson(), np.ones((60, 3), int)),
        (dl.Quantile([0.1, 0.5, 0.9]), np.ones((60, 1))),
    ],
    ids=str,
)
def test_targets_without_one_class_a_sample_are_refused(loss, y):
    message = (
        f"class_weight: needs one class a sample, and targets of shape {y.shape} for {loss} have "
        "none or several. Give sample_weight instead, a number for each sample."
    )
    for kind in ({0: 2.0}, "balanced"):
        with pytest.raises(dl.ArgumentError, match=re.escape(message)):
            fitted(loss, 3, X, y, class_weight=kind)


def test_labels_that_the_model_does_not_have_are_refused():
    with pytest.raises(dl.ArgumentError, match=r"from labels 0\.\.1 to weights.* got \{2: 1\.0\}"):
        fitted(dl.CrossEntropy(from_logits=True), 2, X, RARE, class_weight={2: 1.0})
    with pytest.raises(dl.ArgumentError, match=r"from labels 0\.\.1 to weights.* got \{-1: 1\.0\}"):
        fitted(dl.Hinge(), 1, X, 2 * RARE[:, None] - 1, class_weight={-1: 1.0})
    options = {"input_shape": (4, 2), "class_weight": {2: 1.0}}
    with pytest.raises(dl.ArgumentError, match=r"from labels 0\.\.1 to weights.* got \{2: 1\.0\}"):
        fitted(dl.Hinge(), 2, X.reshape(15, 4, 2), RARE.reshape(15, 4), **options)


@pytest.mark.parametrize("axes", [0, 1, 2])
def test_fit_weighs_the_classes_of_a_source_of_batches(axes):
    """In every pass anew, with the weights that the source has itself."""
    x, y = np.random.default_rng(2).normal(size=(20, 3, 2)), RARE.reshape(20, 3)
    own = np.random.default_rng(3).random((20, 3)[:axes]) if axes else None
    by_class = {1: 5.0, 0: 0.5}
    given = dl.class_weights(y, by_class, sample_weight=own)
    parts = [slice(0, 6), slice(6, 20)]
    told = [(x[rows], y[rows], given[rows]) for rows in parts]
    found = [(x[rows], y[rows], *(() if own is None else (own[rows],))) for rows in parts]
    trainers = []
    for source, options in ((told, {}), (found, {"class_weight": by_class})):
        model = dl.Dense(2).build((3, 2), rng=0, dtype=np.float64)
        trainers.append(dl.Trainer(model, dl.CrossEntropy(from_logits=True), dl.SGD(0.5)))
        trainers[-1].fit(source, epochs=2, validation_data=found, **options)
    for name in ("loss", "val_loss"):
        ours, theirs = (trainer.history[name] for trainer in trainers)
        np.testing.assert_array_equal(ours, theirs)
    assert (trainers[0].model.params == trainers[1].model.params).all()


def test_a_source_of_batches_cannot_be_balanced():
    message = (
        "fit: class_weight='balanced' goes with arrays, of which all labels can be counted. For a "
        "source of batches give a dict from labels to weights."
    )
    with pytest.raises(dl.ArgumentError, match=re.escape(message)):
        fitted(dl.Hinge(), 2, [(X, RARE)], None, class_weight="balanced")
    with pytest.raises(dl.ArgumentError, match=r"from labels 0\.\.1 to weights.* got \[1, 2\]"):
        fitted(dl.Hinge(), 2, [(X, RARE)], None, class_weight=[1, 2])


def test_balance_is_that_of_the_rows_trained_on():
    x, y = np.ones((60, 2)), np.arange(60) % 5 // 4
    options = {"validation_split": 0.5, "shuffle": False}
    loss = dl.CrossEntropy(from_logits=True)
    model = dl.Dense(2).build((2,), dtype=np.float64)
    model.params[...] = 0
    trainer = dl.Trainer(model, loss, dl.SGD(lambda step: 0.0), rng=0)
    # all rows are alike to the model, so that in balance the gradient of both classes is the same
    trainer.fit(x, y, epochs=1, batch_size=60, class_weight="balanced", **options)
    np.testing.assert_allclose(model.grads, 0, atol=1e-16)
