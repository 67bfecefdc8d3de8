"""Weights of rows, steps, pixels and classes: in every loss by the same rule, sum(w l) / sum(w)."""

import itertools
import re

import numpy as np
import pytest
from loss_cases import LOSS_CASES

import minidl as dl

rng = np.random.default_rng(1)
ORDERS = [np.arange(5), np.array([3, 0, 4, 1, 2]), np.array([1, 4, 2, 2, 0])]
OF_ROWS = np.array([2.0, 0.0, 0.5, 1.0, 3.0])
OF_STEPS = np.array([[1, 2, 0], [0, 0, 0], [3, 0.5, 1], [0.1, 1, 1], [0, 0, 4]])
MASK = np.array([[1, 1, 1], [1, 0, 0], [1, 1, 0], [0, 0, 0], [1, 1, 0]], bool)
BY_CLASS = {0: 2.5, 1: 0.0, 3: 0.25}

every_loss = pytest.mark.parametrize("case", LOSS_CASES, ids=str)
of_vectors = pytest.mark.parametrize(
    "case", [case for case in LOSS_CASES if case.prediction.ndim == 2], ids=str
)


def class_labels(case, prediction, target):
    return case.loss.class_labels(
        case.loss.check_target(target, prediction.shape), prediction.shape
    )


def has_classes(case):
    return case.target.ndim == 1 or (
        isinstance(case.loss, dl.CrossEntropy | dl.KLDivergence | dl.Hinge)
        or (isinstance(case.loss, dl.BinaryCrossEntropy) and case.prediction.shape[1:] == (1,))
    )


def in_steps(case):
    """The rows of a case as sequences of three steps (N, 3, ...)."""
    return [
        np.stack([a[order] for order in ORDERS], axis=1) for a in (case.prediction, case.target)
    ]


def weightings(case, prediction, target, own):
    """Every combination of sample weights with class weights, by name."""
    for name, weight in own.items():
        yield name, weight
        if has_classes(case):
            labels = class_labels(case, prediction, target)
            for kind in (BY_CLASS, "balanced"):
                both = dl.class_weights(labels, kind, sample_weight=weight)
                yield f"{name}, classes {kind}", both


def assert_weighted_mean(case, prediction, target, weight, name, samples):
    """Value and gradient against the reference's, which sees single samples."""
    shape = prediction.shape

    def mean(p):
        rows = p.reshape(-1, *shape[samples:])
        values = case.reference(rows, target.reshape(-1, *target.shape[samples:]))
        if weight is None:
            return float(values.mean())
        w = weight.reshape(weight.shape + (1,) * (samples - weight.ndim))
        w = np.broadcast_to(w, shape[:samples]).ravel()
        return float((w * values).sum() / w.sum()) if w.any() else 0.0

    value, gradient = case.loss.value_and_grad(prediction, target, sample_weight=weight)
    np.testing.assert_allclose(value, mean(prediction), rtol=1e-12, atol=1e-15, err_msg=name)
    expected = dl.numerical_gradient(mean, prediction)
    np.testing.assert_allclose(gradient, expected, rtol=1e-6, atol=1e-9, err_msg=name)
    if weight is not None:
        assert not gradient[weight == 0].any()


@every_loss
def test_every_weighting_of_rows(case):
    own = {"none": None, "rows": OF_ROWS, "zeros": np.zeros(5), "whole numbers": np.arange(5)}
    samples = 2 if case.prediction.ndim == 3 else 1
    found = list(weightings(case, case.prediction, case.target, own))
    assert len(found) == (12 if has_classes(case) else 4)
    for name, weight in found:
        assert_weighted_mean(case, case.prediction, case.target, weight, name, samples)


@of_vectors
def test_every_weighting_of_steps(case):
    prediction, target = in_steps(case)
    own = {"none": None, "rows": OF_ROWS, "steps": OF_STEPS, "mask": MASK, "both": OF_STEPS * MASK}
    for name, weight in weightings(case, prediction, target, own):
        assert_weighted_mean(case, prediction, target, weight, name, 2)


@of_vectors
def test_weights_of_pixels(case):
    prediction, target = (np.stack([a, a[::-1]], axis=1) for a in in_steps(case))  # (5, 2, 3, ...)
    weight = rng.random((5, 2, 3)) * (rng.random((5, 2, 3)) < 0.7)
    for name, w in weightings(case, prediction, target, {"pixels": weight}):
        assert_weighted_mean(case, prediction, target, w, name, 3)


@of_vectors
def test_weights_of_steps_are_repeated_steps(case):
    prediction, target = in_steps(case)
    counts = rng.integers(0, 4, (5, 3))
    value, gradient = case.loss.value_and_grad(prediction, target, sample_weight=counts)
    drawn = np.repeat(np.arange(15), counts.ravel())
    p, y = (a.reshape(15, *a.shape[2:])[drawn] for a in (prediction, target))
    expected, by_copy = case.loss.value_and_grad(p, y)
    summed = np.zeros((15, prediction.shape[2]))
    np.add.at(summed, drawn, by_copy)
    np.testing.assert_allclose(value, expected, rtol=1e-15, atol=1e-15)
    np.testing.assert_allclose(gradient.reshape(summed.shape), summed, rtol=2e-15, atol=1e-15)


@pytest.mark.parametrize("case", [c for c in LOSS_CASES if has_classes(c)], ids=str)
@pytest.mark.parametrize("kind", [BY_CLASS, "balanced"], ids=["dict", "balanced"])
def test_class_weights_of_weighted_rows_are_those_of_repeated_rows(case, kind):
    counts = np.array([2, 1, 0, 3, 1])
    labels = class_labels(case, case.prediction, case.target)
    weight = dl.class_weights(labels, kind, sample_weight=counts)
    value, _ = case.loss.value_and_grad(case.prediction, case.target, sample_weight=weight)
    p, y, drawn = (np.repeat(a, counts, axis=0) for a in (case.prediction, case.target, labels))
    repeated, _ = case.loss.value_and_grad(p, y, sample_weight=dl.class_weights(drawn, kind))
    np.testing.assert_allclose(value, repeated, rtol=1e-14)


def test_class_weighted_cross_entropy_is_the_weighted_mean():
    # softmax(ln 1, ln 3) = (1/4, 3/4): l = ln 4 for class 0 and ln 4/3 for class 1. With weights
    # 3 and 1 for labels 0, 1, 1 they sum to 5: L = (3 ln 4 + 2 ln 4/3) / 5, gradient w (a - y) / 5.
    logits, labels = np.log([[1.0, 3.0]] * 3), np.array([0, 1, 1])
    expected = [[-9 / 20, 9 / 20], [1 / 20, -1 / 20], [1 / 20, -1 / 20]]
    weight = dl.class_weights(labels, {0: 3.0, 1: 1.0})
    for target in (labels, np.eye(2)[labels]):
        value, gradient = dl.CrossEntropy(from_logits=True).value_and_grad(
            logits, target, sample_weight=weight
        )
        assert value == pytest.approx((3 * np.log(4) + 2 * np.log(4 / 3)) / 5, rel=1e-15)
        np.testing.assert_allclose(gradient, expected, rtol=1e-15)
    # from probabilities: gradient w (-y / p) / 5
    _, gradient = dl.CrossEntropy().value_and_grad(
        np.array([[0.25, 0.75]] * 3), labels, sample_weight=weight
    )
    np.testing.assert_allclose(gradient, [[-12 / 5, 0], [0, -4 / 15], [0, -4 / 15]], rtol=1e-15)
    # and through a model, whose only parameters are biases: the sum of the rows above
    model = dl.Sequential([dl.Dense(2), dl.Softmax()]).build((1,), dtype=np.float64)
    model.layers[0].bias = np.log([1.0, 3.0])
    objective = dl.Objective(model, dl.CrossEntropy())
    objective.value_and_grad(np.zeros((3, 1)), labels, sample_weight=weight)
    np.testing.assert_allclose(model.layers[0].gradients["bias"], [-7 / 20, 7 / 20], rtol=1e-14)


@pytest.mark.parametrize("axes", [1, 2, 3])
def test_a_mask_of_steps_goes_with_weights_of_any_axes(axes):
    x, labels = rng.normal(size=(4, 5, 2)), rng.integers(0, 3, (4, 5, 2))
    x[1, 3:], x[2, 1:] = 0, 0
    mask = (x != 0).any(axis=2)
    weight = rng.random((4, 5, 2)[:axes])
    model = dl.Sequential([dl.Masking(), dl.Dense(6), dl.Reshape((5, 2, 3))])
    model.build((5, 2), rng=0, dtype=np.float64)
    loss = dl.CrossEntropy(from_logits=True)
    value, _ = dl.Objective(model, loss).value_and_grad(x, labels, sample_weight=weight)
    both = weight.reshape(weight.shape + (1,) * (3 - axes)) * mask[..., None] * np.ones(2)
    expected, _ = loss.value_and_grad(model(x), labels, sample_weight=both)
    assert value == pytest.approx(expected, rel=1e-14)


@pytest.mark.parametrize(
    ("shape", "weight", "message"),
    [
        ((4, 3), np.ones((4, 1)), "expected shape (4,), got (4, 1). Use sample_weight.ravel()."),
        ((4, 3), np.ones((4, 3)), "expected shape (4,), got (4, 3)."),
        ((4, 5, 3), np.ones((4, 5, 3)), "(4,), or (4, 5) for single steps, got (4, 5, 3)."),
        ((4, 5, 6, 3), np.ones((4, 6)), "(4,), or (4, 5, 6) for single pixels, got (4, 6)."),
        ((4, 5, 3), np.ones(20), "expected shape (4,), or (4, 5) for single steps, got (20,)."),
    ],
)
def test_weights_of_another_shape_are_explained(shape, weight, message):
    p = np.full(shape, 0.5)
    with pytest.raises(dl.ShapeError, match=re.escape(message) + "$"):
        dl.MeanSquaredError().value_and_grad(p, p, sample_weight=weight)


@pytest.mark.parametrize("weight", ["balanced", {0: 2.0}])
def test_weights_of_classes_are_no_weights_of_samples(weight):
    message = f"got {weight!r}. Weights of classes are class_weight in fit, or dl.class_weights("
    with pytest.raises(dl.DataError, match=re.escape(message)):
        dl.MeanSquaredError().value_and_grad(np.ones((4, 1)), np.ones((4, 1)), sample_weight=weight)


@pytest.mark.parametrize(
    ("loss", "prediction"),
    [(dl.Poisson(), 1e3), (dl.MeanSquaredError(), 1e30)],
    ids=str,
)
@pytest.mark.parametrize("shape", [(3, 1), (1, 3, 1), (3, 2)])
@pytest.mark.parametrize("with_out", [False, True])
def test_what_has_no_weight_is_left_out_though_it_overflows(loss, prediction, shape, with_out):
    p, y = np.full(shape, 2, np.float32), np.ones(shape)
    weight = np.array([1.0, 0.0, 3.0]).reshape(shape[: p.ndim - 1])
    p[weight == 0] = prediction
    out = np.full_like(p, np.nan) if with_out else None
    with np.errstate(all="ignore"):
        value, gradient = loss.value_and_grad(p, y, sample_weight=weight, out=out)
        nothing, zeros = loss.value_and_grad(p, y, sample_weight=0 * weight)
    counted = weight > 0
    expected, rest = loss.value_and_grad(p[counted], y[counted], sample_weight=weight[counted])
    assert value == expected
    np.testing.assert_array_equal(gradient[counted], rest)
    assert not gradient[~counted].any()
    assert not zeros.any()
    assert nothing == 0
    assert p[weight == 0] == pytest.approx(prediction)  # what it was


def test_a_negative_weight_is_placed():
    p, weight = np.zeros((2, 3, 4, 1)), np.ones((2, 3, 4))
    weight[1, 2, 0] = -1
    with pytest.raises(dl.DataError, match=r"got -1\.0 in row 1, pixel 2, 0\. A weight of 0 leave"):
        dl.MeanSquaredError().value_and_grad(p, p, sample_weight=weight)


@pytest.mark.parametrize(
    ("loss", "shape"),
    list(
        itertools.product(
            [
                *(dl.MeanSquaredError(), dl.MeanAbsoluteError(), dl.Huber(), dl.Quantile(0.3)),
                *(dl.Poisson(), dl.BinaryCrossEntropy(from_logits=True)),
            ],
            [(5, 4), (5, 3, 4), (5, 1)],
        )
    ),
    ids=str,
)
def test_several_outputs_are_averaged(loss, shape):
    """Multi-output regression and multi-label: the mean over the last axis, for steps too."""
    prediction, target = rng.normal(size=shape), (rng.random(shape) < 0.5).astype(float)
    value, gradient = loss.value_and_grad(prediction, target)
    single = [
        loss.value_and_grad(prediction[..., m : m + 1], target[..., m : m + 1])
        for m in range(shape[-1])
    ]
    assert value == pytest.approx(np.mean([v for v, _ in single]), rel=1e-14)
    whole = np.concatenate([g for _, g in single], axis=-1) / shape[-1]
    np.testing.assert_allclose(gradient, whole, rtol=1e-14)
