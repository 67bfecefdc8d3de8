"""The losses beside PyTorch's, in float64: value and gradient at the predictions."""

import numpy as np
import pytest
import torch
from loss_cases import COUNTS, HALF_SURE, IMAGES, LABELS, LOGITS, LOSS_CASES, ONE_HOT, SOFT
from parity.comparison import tensor

import minidl as dl

F = torch.nn.functional
TINY = 1e-300  # in place of what PyTorch adds to rates: nothing
WEIGHT = [2.0, 0.0, 0.5, 1.0, 3.0]


def likelihood(p, y, reduction, label_smoothing=0.0):
    """`cross_entropy` of probabilities, for which PyTorch has `nll_loss` of their logarithms."""
    log_p = torch.log(p)
    if not label_smoothing and y.ndim == 1:
        return F.nll_loss(log_p, y, reduction="none")
    y = F.one_hot(y, p.shape[1]).to(p) if y.ndim == 1 else y
    y = (1 - label_smoothing) * y + label_smoothing / p.shape[1]
    return -(y * log_p).sum(1)


def pinball(*quantiles):
    """By hand: PyTorch has none."""
    q = torch.tensor(quantiles, dtype=torch.float64)
    return lambda p, y, reduction: torch.maximum(q * (y - p), (q - 1) * (y - p))


def hinge(z, y, reduction):
    """`hinge_embedding_loss` of y z, with "no" for all; for classes the best rival, by hand."""
    if y.ndim == 2:
        y = torch.where(y > 0, 1.0, -1.0).to(z)
        return F.hinge_embedding_loss(y * z, -torch.ones_like(z), margin=1.0, reduction="none")
    others = z.masked_fill(F.one_hot(y, z.shape[1]).bool(), -torch.inf)
    return F.relu(1 + others.max(1).values - z.gather(1, y[:, None])[:, 0])


def poisson(log_input):
    return lambda p, y, reduction: F.poisson_nll_loss(
        p, y, log_input=log_input, eps=TINY, reduction=reduction
    )


def divergence(p, y, reduction):
    return F.kl_div(torch.log(p), y, reduction="none").sum(1)


# PyTorch's function of (prediction, target, reduction=...) for each loss
LOSSES = {
    repr(dl.CrossEntropy(from_logits=True)): F.cross_entropy,
    repr(dl.CrossEntropy(from_logits=True, label_smoothing=0.2)): lambda z, y, reduction: (
        F.cross_entropy(z, y, reduction=reduction, label_smoothing=0.2)
    ),
    repr(dl.CrossEntropy()): likelihood,
    repr(dl.CrossEntropy(label_smoothing=0.1)): lambda p, y, reduction: likelihood(
        p, y, reduction, 0.1
    ),
    repr(dl.BinaryCrossEntropy(from_logits=True)): F.binary_cross_entropy_with_logits,
    repr(dl.BinaryCrossEntropy()): F.binary_cross_entropy,
    repr(dl.MeanSquaredError()): F.mse_loss,
    repr(dl.MeanAbsoluteError()): F.l1_loss,
    repr(dl.Huber()): F.huber_loss,
    repr(dl.Huber(0.3)): lambda p, y, reduction: F.huber_loss(p, y, reduction, delta=0.3),
    repr(dl.Quantile(0.9)): pinball(0.9),
    repr(dl.Quantile(0.2)): pinball(0.2),
    repr(dl.Quantile([0.1, 0.5, 0.8])): pinball(0.1, 0.5, 0.8),
    repr(dl.Poisson()): poisson(True),
    repr(dl.Poisson(log_input=False)): poisson(False),
    repr(dl.Hinge()): hinge,
    repr(dl.KLDivergence()): divergence,
    repr(dl.KLDivergence(from_logits=True)): lambda z, y, reduction: F.kl_div(
        F.log_softmax(z, 1), y, reduction="none"
    ).sum(1),
}


def compare(loss, prediction, target, theirs, sample_weight=None):
    """Compare value and gradient with those of PyTorch's scalar `theirs(prediction)`."""
    z = tensor(prediction, grad=True)
    expected = theirs(z)
    expected.backward()
    value, gradient = loss.value_and_grad(prediction, target, sample_weight=sample_weight)
    assert value == pytest.approx(expected.item(), rel=1e-12)
    np.testing.assert_allclose(gradient, z.grad, rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("weight", [None, WEIGHT], ids=["plain", "weighted"])
@pytest.mark.parametrize("case", LOSS_CASES, ids=str)
def test_loss(case, weight):
    target = tensor(case.target if case.target.ndim == 1 else case.target.astype(float))
    w = tensor(np.ones(5) if weight is None else np.array(weight))

    def theirs(prediction):
        losses = LOSSES[repr(case.loss)](prediction, target, reduction="none")
        return (w * losses.reshape(5, -1).mean(1)).sum() / w.sum()

    compare(case.loss, case.prediction, case.target, theirs, weight)


# losses whose mean over a batch is PyTorch's as it stands: loss, prediction, target, PyTorch's
MEANS = {
    "cross-entropy": (
        *(dl.CrossEntropy(from_logits=True), LOGITS, LABELS),
        torch.nn.CrossEntropyLoss(),
    ),
    "cross-entropy, soft": (
        *(dl.CrossEntropy(from_logits=True), LOGITS, SOFT),
        torch.nn.CrossEntropyLoss(),
    ),
    "label smoothing": (
        *(dl.CrossEntropy(from_logits=True, label_smoothing=0.3), LOGITS, LABELS),
        torch.nn.CrossEntropyLoss(label_smoothing=0.3),
    ),
    "label smoothing, soft": (
        *(dl.CrossEntropy(from_logits=True, label_smoothing=0.3), LOGITS, SOFT),
        torch.nn.CrossEntropyLoss(label_smoothing=0.3),
    ),
    "binary": (
        *(dl.BinaryCrossEntropy(from_logits=True), IMAGES, HALF_SURE),
        torch.nn.BCEWithLogitsLoss(),
    ),
    "squared error": (dl.MeanSquaredError(), IMAGES, HALF_SURE, torch.nn.MSELoss()),
    "absolute error": (dl.MeanAbsoluteError(), IMAGES, HALF_SURE, torch.nn.L1Loss()),
    "huber": (dl.Huber(0.7), IMAGES, HALF_SURE, torch.nn.HuberLoss(delta=0.7)),
    "poisson": (dl.Poisson(), LOGITS, COUNTS, torch.nn.PoissonNLLLoss()),
    "poisson of rates": (
        *(dl.Poisson(log_input=False), np.abs(LOGITS), COUNTS),
        torch.nn.PoissonNLLLoss(log_input=False, eps=TINY),
    ),
}


@pytest.mark.parametrize(("loss", "prediction", "target", "theirs"), MEANS.values(), ids=MEANS)
def test_mean_over_a_batch(loss, prediction, target, theirs):
    compare(loss, prediction, target, lambda z: theirs(z, tensor(target)))


def test_conventions_that_differ_as_the_docstrings_say():
    z = tensor(IMAGES)
    huber = dl.Huber(0.7)(IMAGES, HALF_SURE)
    smooth_l1 = torch.nn.SmoothL1Loss(beta=0.7)(z, tensor(HALF_SURE)).item()
    assert huber == pytest.approx(0.7 * smooth_l1, rel=1e-12)
    divergence = dl.KLDivergence(from_logits=True)(LOGITS, SOFT)
    log_p = F.log_softmax(tensor(LOGITS), 1)
    by_rows = torch.nn.KLDivLoss(reduction="batchmean")(log_p, tensor(SOFT)).item()
    by_default = F.kl_div(log_p, tensor(SOFT), reduction="none").mean().item()
    assert divergence == pytest.approx(by_rows, rel=1e-12)
    assert divergence == pytest.approx(4 * by_default, rel=1e-12)
    two = LOGITS[:, :2]  # with two classes one rival is all
    multi_margin = torch.nn.MultiMarginLoss()(tensor(two), tensor(LABELS % 2)).item()
    assert dl.Hinge()(two, LABELS % 2) == pytest.approx(2 * multi_margin, rel=1e-12)


CLASS_WEIGHT = {0: 0.5, 1: 2.0, 2: 0.0, 3: 3.0}


@pytest.mark.parametrize("target", [LABELS, ONE_HOT, SOFT], ids=["labels", "one-hot", "soft"])
def test_class_weighted_cross_entropy_is_the_weighted_mean(target):
    labels = target if target.ndim == 1 else target.argmax(1)
    weight = dl.class_weights(labels, CLASS_WEIGHT)
    w = tensor(np.array(list(CLASS_WEIGHT.values())))
    classes = tensor(labels)

    def theirs(z):
        if target.ndim == 1:
            return F.cross_entropy(z, classes, weight=w)
        losses = F.cross_entropy(z, tensor(target.astype(float)), reduction="none")
        return (w[classes] * losses).sum() / w[classes].sum()

    compare(dl.CrossEntropy(from_logits=True), LOGITS, target, theirs, weight)


@pytest.mark.parametrize("shape", [(4, 5), (2, 4, 5)], ids=["steps", "pixels"])
def test_class_weighted_cross_entropy_of_steps_and_pixels(shape):
    rng = np.random.default_rng(0)
    logits, labels = rng.normal(size=(*shape, 4)), rng.integers(0, 4, shape)
    w = tensor(np.array(list(CLASS_WEIGHT.values())))
    compare(
        *(dl.CrossEntropy(from_logits=True), logits, labels),
        lambda z: F.cross_entropy(z.movedim(-1, 1), tensor(labels), weight=w),
        dl.class_weights(labels, CLASS_WEIGHT),
    )


def test_weighted_label_smoothing_differs_as_the_docstring_says():
    s, weight = 0.2, np.array([0.5, 2.0, 1.0, 3.0])
    loss = dl.CrossEntropy(from_logits=True, label_smoothing=s)
    mine = loss.value_and_grad(LOGITS, LABELS, sample_weight=weight[LABELS])[0]
    smoothed = (1 - s) * np.eye(4)[LABELS] + s / 4
    log_p = F.log_softmax(tensor(LOGITS), 1).numpy()
    by_classes = -(weight * smoothed * log_p).sum() / weight[LABELS].sum()
    theirs = F.cross_entropy(
        tensor(LOGITS), tensor(LABELS), weight=tensor(weight), label_smoothing=s
    )
    assert theirs.item() == pytest.approx(by_classes, rel=1e-12)
    assert mine == pytest.approx(
        -(weight[LABELS] * (smoothed * log_p).sum(1)).sum() / weight[LABELS].sum(), rel=1e-12
    )
    assert abs(mine - by_classes) > 0.1


def test_class_weighted_yes_or_no():
    yes = LABELS[:, None] % 2
    w = np.where(yes == 1, 3.0, 0.5)
    compare(
        *(dl.BinaryCrossEntropy(from_logits=True), LOGITS[:, :1], yes),
        lambda z: (
            F.binary_cross_entropy_with_logits(
                z, tensor(yes.astype(float)), tensor(w), reduction="sum"
            )
            / w.sum()
        ),
        dl.class_weights(yes[:, 0], {0: 0.5, 1: 3.0}),
    )


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("loss", ["CrossEntropy", "BinaryCrossEntropy"])
def test_extreme_logits(loss, dtype):
    logits = np.array([[1e4, -1e4], [-1e4, 1e4], [1e4, 1e4], [0, -1e4]], dtype)
    target = np.array([[1, 0], [1, 0], [0, 1], [0, 1]], dtype)
    mine = getattr(dl, loss)(from_logits=True)
    z = tensor(logits, grad=True)
    theirs = LOSSES[repr(mine)](z, tensor(target), reduction="mean")
    theirs.backward()
    value, gradient = mine.value_and_grad(logits, target)
    assert value == pytest.approx(theirs.item(), rel=1e-7)
    np.testing.assert_allclose(gradient, z.grad, rtol=1e-7, atol=0)
