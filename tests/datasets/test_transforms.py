import re

import numpy as np
import pytest
import scipy.sparse as sp

import minidl as dl

X = np.arange(20.0).reshape(10, 2)
Y = np.arange(10)


def spoil(x, y):
    x[...] = -1.0
    y[...] = -1
    return x, y


def double(x, y):
    return 2 * x, y


def add_one(x, y):
    return x + 1, y


@pytest.mark.parametrize("shuffle", [False, True])
@pytest.mark.parametrize("batch_size", [3, 10, 20])
def test_what_a_transform_writes_to_is_not_the_data(tmp_path, shuffle, batch_size):
    np.save(tmp_path / "x.npy", X)
    mapped = np.load(tmp_path / "x.npy", mmap_mode="r+")
    samples = list(zip(X.copy(), Y, strict=True))
    for data in ((X.copy(), Y.copy()), (mapped, Y.copy()), (samples,)):
        options = {"batch_size": batch_size, "shuffle": shuffle, "rng": 0}
        for xb, yb in dl.batches(*data, transform=spoil, **options):
            assert (xb == -1).all()
            assert (yb == -1).all()
        found = list(dl.batches(*data, batch_size=10, shuffle=False))
        np.testing.assert_array_equal(found[0][0], X)
        np.testing.assert_array_equal(found[0][1], Y)


def test_transforms_are_called_in_their_order():
    ((xb, _),) = dl.batches(X, Y, batch_size=10, shuffle=False, transform=[double, add_one])
    np.testing.assert_array_equal(xb, 2 * X + 1)
    ((xb, _),) = dl.batches(X, Y, batch_size=10, shuffle=False, transform=(add_one, double))
    np.testing.assert_array_equal(xb, 2 * (X + 1))
    ((xb, _),) = dl.batches(X, Y, batch_size=10, shuffle=False, transform=[])
    np.testing.assert_array_equal(xb, X)


def test_an_object_with_a_generator_of_its_own_is_a_transform():
    class Noise:
        def __init__(self, rng):
            self.rng = np.random.default_rng(rng)

        def __call__(self, x, y):
            return x + self.rng.normal(size=x.shape), y

    runs = [
        [xb for xb, _ in dl.batches(X, Y, batch_size=4, rng=1, transform=Noise(2))] for _ in "ab"
    ]
    for first, second in zip(*runs, strict=True):
        np.testing.assert_array_equal(first, second)


@pytest.mark.parametrize("shuffle", [False, True])
def test_sparse_rows_pass_through_transforms(shuffle):
    options = {"batch_size": 4, "shuffle": shuffle, "rng": 0}
    expected = list(dl.batches(X, Y, transform=[double, double], **options))
    found = dl.batches(sp.csr_array(X), Y, transform=[double, double], **options)
    for (xb, yb), (x, y) in zip(found, expected, strict=True):
        np.testing.assert_array_equal(xb.toarray(), x)
        np.testing.assert_array_equal(yb, y)
    short = dl.batches(sp.csr_array(X), Y, transform=lambda x, y: (x[:3], y), batch_size=4)
    with pytest.raises(dl.DataError, match=r"got \(csr_array \(3, 2\), ndarray \(4,\)\)"):
        list(short)


def test_a_transform_may_change_the_number_of_rows():
    def twice(x, y):
        return np.concatenate([x, x]), np.concatenate([y, y])

    assert [len(xb) for xb, _ in dl.batches(X, Y, batch_size=4, transform=twice)] == [8, 8, 4]


def test_weights_of_samples_pass_by():
    samples = [(x, y, 0.5 + y) for x, y in zip(X, Y, strict=True)]
    ((xb, yb, weight),) = dl.batches(samples, batch_size=10, shuffle=False, transform=double)
    np.testing.assert_array_equal(xb, 2 * X)
    np.testing.assert_array_equal(weight, 0.5 + yb)


@pytest.mark.parametrize(
    ("returned", "got"),
    [
        (lambda x, y: x, "ndarray (4, 2)"),
        (lambda x, y: None, "None"),
        (lambda x, y: (x, y, y), "(ndarray (4, 2), ndarray (4,), ndarray (4,))"),
        (lambda x, y: (x[:3], y), "(ndarray (3, 2), ndarray (4,))"),
        (lambda x, y: (1.5, y), "(1.5, ndarray (4,))"),
    ],
)
def test_what_is_no_batch_is_explained(returned, got):
    message = (
        "batches: transform <lambda> must return a tuple (x, y) with as many rows in x as in y, "
        f"got {got}."
    )
    with pytest.raises(dl.DataError, match=f"^{re.escape(message)}$"):
        list(dl.batches(X, Y, batch_size=4, transform=returned))


@pytest.mark.parametrize("transform", [3, 0, [double, "noise"], [dict]])
def test_what_is_no_transform_is_refused(transform):
    with pytest.raises(dl.ArgumentTypeError, match=r"transform must be a function \(x, y\)"):
        dl.batches(X, Y, batch_size=4, transform=transform)


def test_a_transform_needs_targets():
    with pytest.raises(dl.ArgumentError, match=r"transform takes x and y; y is missing\."):
        dl.batches(X, batch_size=4, transform=double)
    samples = dl.batches(iter_again(X), batch_size=4, transform=double)
    with pytest.raises(dl.DataError, match="these samples have no y"):
        list(samples)


def iter_again(values):
    class Samples:
        def __iter__(self):
            return iter(values)

    return Samples()
