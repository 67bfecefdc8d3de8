import re

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given, settings
from hypothesis import strategies as st

import minidl as dl
from minidl.datasets.batches import row_batches

X = np.arange(20.0).reshape(10, 2)
Y = np.arange(10)


def order(source):
    return np.concatenate([yb for _, yb in source]).tolist()


@given(n=st.integers(1, 30), batch_size=st.integers(1, 35), shuffle=st.booleans())
@settings(deadline=None)
def test_every_row_comes_once_with_its_target(n, batch_size, shuffle):
    x, y = np.arange(n) * 2.0, np.arange(n)
    source = dl.batches(x, y, batch_size=batch_size, rng=0, shuffle=shuffle)
    parts = list(source)
    assert len(parts) == len(source) == -(-n // batch_size)
    assert [len(yb) for _, yb in parts[:-1]] == [batch_size] * (len(parts) - 1)
    assert sorted(order(parts)) == y.tolist()
    for xb, yb in parts:
        np.testing.assert_array_equal(xb, yb * 2.0)


def test_the_last_batch_has_what_is_left():
    assert [len(xb) for xb, _ in dl.batches(X, Y, batch_size=4, rng=0)] == [4, 4, 2]


def test_each_iteration_has_a_new_order():
    source = dl.batches(X, Y, batch_size=3, rng=0)
    orders = [order(source) for _ in range(3)]
    assert len({tuple(rows) for rows in orders}) == 3
    assert all(sorted(rows) == Y.tolist() for rows in orders)


def test_same_seed_same_orders_and_another_seed_others():
    first, second = (dl.batches(X, Y, batch_size=3, rng=5) for _ in range(2))
    assert [order(first), order(first)] == [order(second), order(second)]
    assert order(dl.batches(X, Y, batch_size=3, rng=6)) != order(
        dl.batches(X, Y, batch_size=3, rng=5)
    )


def test_no_seed_is_a_new_order_each_time():
    x = np.arange(100)
    assert order(dl.batches(x, x, batch_size=9)) != order(dl.batches(x, x, batch_size=9))


def test_a_generator_is_split_and_not_drawn_from():
    rng = np.random.default_rng(0)
    first, second = (order(dl.batches(X, Y, batch_size=3, rng=rng)) for _ in range(2))
    assert first != second
    assert rng.random() == np.random.default_rng(0).random()


def test_nested_iterations_each_see_all_rows():
    source = dl.batches(X, Y, batch_size=5, rng=0)
    inner = [order(source) for _ in source]
    assert [sorted(rows) for rows in inner] == [Y.tolist()] * 2


def test_without_shuffling_batches_are_views_in_order():
    parts = list(dl.batches(X, Y, batch_size=4, shuffle=False))
    assert order(parts) == Y.tolist()
    assert all(np.shares_memory(xb, X) and np.shares_memory(yb, Y) for xb, yb in parts)


@pytest.mark.parametrize("batch_size", [10, 11, np.int64(1000)], ids=str)
def test_a_full_batch_is_a_view_even_when_shuffled(batch_size):
    ((xb, yb),) = dl.batches(X, Y, batch_size=batch_size, rng=0)
    assert np.shares_memory(xb, X)
    assert np.shares_memory(yb, Y)
    np.testing.assert_array_equal(xb, X)


def test_shuffled_batches_are_copies():
    for xb, yb in dl.batches(X, Y, batch_size=9, rng=0):
        assert not np.shares_memory(xb, X)
        assert not np.shares_memory(yb, Y)


def test_without_targets_batches_are_tuples_of_one():
    parts = list(dl.batches(X, batch_size=4, rng=0))
    assert {len(part) for part in parts} == {1}
    np.testing.assert_array_equal(np.sort(np.concatenate([xb for (xb,) in parts]), axis=0), X)


def test_lists_and_axes_and_dtypes_are_kept():
    images = np.zeros((5, 4, 3), np.uint8)
    for xb, yb in dl.batches(images, ["a", "b", "c", "d", "e"], batch_size=2, rng=0):
        assert xb.shape[1:] == (4, 3)
        assert (xb.dtype, yb.dtype.kind) == (np.uint8, "U")


def test_row_batches_without_a_generator_are_slices():
    assert list(row_batches(5, 2, None)) == [slice(0, 2), slice(2, 4), slice(4, 5)]
    assert list(row_batches(5, 5, np.random.default_rng(0))) == [slice(0, 5)]


@pytest.mark.parametrize("batch_size", [0, -1, 2.0, "2", None, True], ids=repr)
def test_a_wrong_batch_size_is_explained(batch_size):
    message = f"batches: batch_size must be a whole number of at least 1, got {batch_size!r}"
    with pytest.raises(dl.ArgumentError, match=re.escape(message)):
        dl.batches(X, Y, batch_size=batch_size)


NO_ROWS = "expected arrays with a batch axis, or an iterable of samples without y, got a single"


@pytest.mark.parametrize(
    ("x", "y", "message"),
    [
        (X, Y[:9], "x has 10 rows and y has 9; every row of x needs one of y."),
        (X[:0], Y[:0], "x has no rows."),
        (np.zeros(()), None, f"{NO_ROWS} float."),
        (X, 3, f"{NO_ROWS} int."),
        (lambda: iter(X), None, f"{NO_ROWS} function."),
        ((X, Y), None, "expected arrays, got lists of different length. x and y are two arguments"),
    ],
    ids=["lengths", "empty", "number", "number as y", "function", "pair"],
)
def test_wrong_arrays_are_explained(x, y, message):
    with pytest.raises(dl.ShapeError, match=f"^batches: {re.escape(message)}"):
        dl.batches(x, y, batch_size=2)


def test_a_wrong_seed_is_explained():
    with pytest.raises(dl.ArgumentTypeError, match=r"rng: expected a seed \(int\).* got float"):
        dl.batches(X, Y, batch_size=2, rng=0.5)


@pytest.fixture
def kinds(tmp_path):
    """The same rows in memory, in a file, and sparse."""
    np.save(tmp_path / "x.npy", X)
    mapped = np.load(tmp_path / "x.npy", mmap_mode="r")
    return {"memory": X, "mapped": mapped, "part of a file": mapped[:], "sparse": sp.coo_array(X)}


@pytest.mark.parametrize("shuffle", [False, True])
@pytest.mark.parametrize("batch_size", [3, 10, 11])
def test_the_same_rows_from_memory_a_file_and_sparse_rows(kinds, shuffle, batch_size):
    options = {"batch_size": batch_size, "rng": 2, "shuffle": shuffle}
    expected = list(dl.batches(X, Y, **options))
    for name, x in kinds.items():
        source = dl.batches(x, Y, **options)
        assert len(source) == len(expected)
        for (xb, yb), (x_rows, y_rows) in zip(source, expected, strict=True):
            xb = xb.toarray() if name == "sparse" else xb
            np.testing.assert_array_equal(xb, x_rows, strict=True)
            np.testing.assert_array_equal(yb, y_rows, strict=True)


@pytest.mark.parametrize("batch_size", [3, 10])
def test_rows_of_a_file_are_copies(kinds, batch_size):
    for shuffle in (False, True):
        for xb, _ in dl.batches(kinds["mapped"], Y, batch_size=batch_size, shuffle=shuffle):
            assert not np.shares_memory(xb, kinds["mapped"])
            xb[...] = 0
    np.testing.assert_array_equal(kinds["mapped"], X)


def test_what_cannot_be_iterated_or_has_targets_is_an_array():
    (batch,) = dl.batches([[1, 2], [3, 4]], batch_size=2)
    np.testing.assert_array_equal(batch[0], [[1, 2], [3, 4]])
    (batch,) = dl.batches([(1, 2), (3, 4)], [0, 1], batch_size=2)  # rows, given as tuples
    np.testing.assert_array_equal(batch[0], [[1, 2], [3, 4]])
    with pytest.raises(dl.ShapeError, match="expected arrays with a batch axis"):
        dl.batches(3, batch_size=2)
    with pytest.raises(dl.ShapeError, match=r"batches: x has no rows\."):
        dl.batches([], batch_size=2)
