"""Losses and class weights beside scikit-learn's."""

import numpy as np
import pytest
from sklearn.metrics import hinge_loss, log_loss, mean_pinball_loss
from sklearn.utils.class_weight import compute_sample_weight

import minidl as dl

rng = np.random.default_rng(0)
SCORES = 2 * rng.normal(size=(40, 3))
LABELS = rng.choice(3, 40, p=[0.7, 0.2, 0.1])
WEIGHT = rng.random(40)
weighted = pytest.mark.parametrize("weight", [None, WEIGHT], ids=["plain", "weighted"])


@weighted
def test_hinge(weight):
    value, _ = dl.Hinge().value_and_grad(SCORES, LABELS, sample_weight=weight)
    assert value == pytest.approx(hinge_loss(LABELS, SCORES, sample_weight=weight), rel=1e-12)
    yes, z = (LABELS > 0).astype(int), SCORES[:, :1]
    value, _ = dl.Hinge().value_and_grad(z, yes[:, None], sample_weight=weight)
    assert value == pytest.approx(hinge_loss(yes, z.ravel(), sample_weight=weight), rel=1e-12)


@weighted
@pytest.mark.parametrize("q", [0.05, 0.5, 0.9])
def test_quantile(weight, q):
    y, p = SCORES[:, :2], SCORES[:, 1:]
    value, _ = dl.Quantile(q).value_and_grad(p, y, sample_weight=weight)
    assert value == pytest.approx(mean_pinball_loss(y, p, alpha=q, sample_weight=weight), rel=1e-12)


@pytest.mark.parametrize("kind", ["balanced", {0: 0.5, 2: 4.0}], ids=str)
def test_class_weights(kind):
    weight = dl.class_weights(LABELS, kind)
    np.testing.assert_allclose(weight, compute_sample_weight(kind, LABELS), rtol=1e-15)
    p = np.exp(SCORES) / np.exp(SCORES).sum(axis=1, keepdims=True)
    value, _ = dl.CrossEntropy().value_and_grad(p, LABELS, sample_weight=weight)
    assert value == pytest.approx(log_loss(LABELS, p, sample_weight=weight), rel=1e-12)
