import copy
import pickle
import re

import numpy as np
import pytest
from scipy import stats

import minidl as dl

rng = np.random.default_rng(0)
N = 400
X = rng.normal(size=(N, 3, 4))
LABELS = rng.integers(0, 5, N)


def proportions(alpha, n=N, seed=0):
    """Each row's share in its own mixture, its partner, and the others' shares."""
    y = np.eye(n)
    shares = dl.Mixup(alpha, rng=seed)(np.zeros((n, 1)), y)[1]
    own = shares.diagonal()
    rest = shares - np.diag(own)
    return own, rest.argmax(axis=1), rest


def test_x_and_y_are_mixed_alike():
    own, partner, rest = proportions(0.5)
    expected = own[:, None, None] * X + (1 - own)[:, None, None] * X[partner]
    mixed, shares = dl.Mixup(0.5, classes=5, rng=0)(X, LABELS)
    np.testing.assert_allclose(mixed, expected, rtol=1e-12, atol=1e-15)
    one_hot = np.eye(5)[LABELS]
    expected = own[:, None] * one_hot + (1 - own)[:, None] * one_hot[partner]
    np.testing.assert_allclose(shares, expected, rtol=1e-12, atol=1e-15)
    assert (rest.sum(axis=1) > 0).sum() > N - 10  # few are their own partners


def test_each_row_has_one_partner_and_is_one():
    _, partner, rest = proportions(0.5)
    assert ((rest > 0).sum(axis=1) <= 1).all()
    chosen = partner[rest.sum(axis=1) > 0]
    assert len(set(chosen)) == len(chosen)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_labels_become_rows_that_sum_to_1(dtype):
    mixed, shares = dl.Mixup(1.0, classes=5, rng=0)(X.astype(dtype), LABELS)
    assert mixed.dtype == shares.dtype == dtype
    assert shares.shape == (N, 5)
    np.testing.assert_allclose(shares.sum(axis=1), 1, rtol=4 * np.finfo(dtype).eps)
    assert shares.min() >= 0
    assert ((shares > 0).sum(axis=1) <= 2).all()
    assert ((shares > 0) & (shares < 1)).any()


@pytest.mark.parametrize("shape", [(), (1,), (2, 3)])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_numbers_are_mixed_as_they_are(shape, dtype):
    y = rng.normal(size=(N, *shape)).astype(dtype)
    own, partner, _ = proportions(0.3)
    mixed = dl.Mixup(0.3, rng=0)(X, y)[1]
    assert (mixed.shape, mixed.dtype) == (y.shape, dtype)
    own = own.reshape(-1, *[1] * len(shape))
    expected = own * y + (1 - own) * y[partner]
    np.testing.assert_allclose(mixed, expected, rtol=1e-4, atol=1e-5)


def test_mixing_is_linear():
    a, b = X, rng.normal(size=X.shape)
    y, z = rng.normal(size=(2, N, 2))
    mixed = [dl.Mixup(0.4, rng=1)(*pair) for pair in ((a, y), (b, z), (2 * a - b, 2 * y - z))]
    for one, other, both in zip(*mixed, strict=True):
        np.testing.assert_allclose(both, 2 * one - other, rtol=1e-9, atol=1e-12)


def test_labels_of_several_columns_are_numbers():
    y = rng.integers(0, 2, (N, 3))
    mixed = dl.Mixup(0.4, rng=1)(X.astype(np.float32), y)[1]
    assert mixed.dtype == np.float32
    expected = dl.Mixup(0.4, rng=1)(X, y.astype(float))[1]
    np.testing.assert_allclose(mixed, expected, rtol=1e-6, atol=1e-7)
    one_hot = np.eye(5)[LABELS]
    np.testing.assert_array_equal(
        dl.Mixup(classes=5, rng=1)(X, LABELS)[1], dl.Mixup(classes=5, rng=1)(X, one_hot)[1]
    )


@pytest.mark.parametrize("alpha", [0.2, 1.0, 4.0])
def test_proportions_have_a_beta_distribution(alpha):
    own, _, rest = proportions(alpha, n=1000)
    own = own[rest.sum(axis=1) > 0]
    assert stats.kstest(own, stats.beta(alpha, alpha).cdf).pvalue > 0.01


def test_limits_of_alpha():
    x, y = dl.Mixup(0.0, classes=5, rng=0)(X, LABELS)
    np.testing.assert_array_equal(x, X)
    assert x is not X
    np.testing.assert_array_equal(y, np.eye(5)[LABELS])
    own, _, rest = proportions(1e6)
    np.testing.assert_allclose(own[rest.sum(axis=1) > 0], 0.5, atol=0.005)
    own, _, _ = proportions(1e-6)
    assert (np.minimum(own, 1 - own) < 1e-6).all()
    assert 0.3 < own.mean() < 0.7


def test_arguments_are_left_alone():
    x, y = X.copy(), LABELS.copy()
    dl.Mixup(1.0, classes=5, rng=0)(x, y)
    np.testing.assert_array_equal(x, X)
    np.testing.assert_array_equal(y, LABELS)


def test_the_same_seed_gives_the_same_bits():
    one, other = dl.Mixup(classes=5, rng=3), dl.Mixup(classes=5, rng=3)
    first, second = one(X, LABELS), one(X, LABELS)
    np.testing.assert_array_equal(other(X, LABELS)[0], first[0])
    assert (second[0] != first[0]).any()
    for twin in (copy.deepcopy(other), pickle.loads(pickle.dumps(other))):
        for found, expected in zip(twin(X, LABELS), second, strict=True):
            np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize(
    ("options", "y", "kind", "message"),
    [
        ({}, LABELS, dl.ArgumentError, "labels cannot be mixed as numbers; say how many classes"),
        ({}, LABELS > 2, dl.ArgumentError, "such as Mixup(classes=10)."),
        ({"classes": 5}, None, dl.ArgumentError, "needs targets, to mix them as it mixes the inp"),
        ({"classes": 5}, LABELS[1:], dl.ShapeError, "x has 400 rows, y has shape (399,)."),
        (
            {"classes": 4},
            LABELS,
            dl.DataError,
            "labels must be in 0..3 for 4 outputs, got 4 in row",
        ),
        ({"classes": 5}, LABELS * 1.0, dl.DataError, "labels must be integers, got dtype float64"),
    ],
)
def test_targets_that_cannot_be_mixed_are_explained(options, y, kind, message):
    transform = dl.Mixup(**options)
    with pytest.raises(kind, match=f"^{re.escape(repr(transform))}: .*{re.escape(message)}"):
        transform(X, y)


def test_what_else_is_refused():
    with pytest.raises(dl.ArgumentError, match=r"^Mixup: alpha must be a number in \[0, inf\)"):
        dl.Mixup(-0.1)
    with pytest.raises(dl.ArgumentError, match=r"^Mixup: classes must be a whole number"):
        dl.Mixup(classes=1)
    with pytest.raises(dl.DTypeError, match=r"^Mixup\(classes=5\): expected floating x, got int64"):
        dl.Mixup(classes=5)(np.zeros((N, 2), int), LABELS)
