import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import minidl as dl

X = np.arange(20.0).reshape(10, 2)
Y = np.arange(10)


class Unsized:
    """Yields samples anew in each iteration and does not say how many."""

    def __init__(self, *arrays):
        self.arrays = arrays

    def __iter__(self):
        return zip(*self.arrays, strict=True) if len(self.arrays) > 1 else iter(self.arrays[0])


class Sized(Unsized):
    def __len__(self):
        return len(self.arrays[0])


@given(
    n=st.integers(1, 30),
    batch_size=st.integers(1, 35),
    buffer_rows=st.integers(1, 40),
    shuffle=st.booleans(),
)
@settings(deadline=None)
def test_every_sample_comes_once(n, batch_size, buffer_rows, shuffle):
    options = {"batch_size": batch_size, "rng": 0, "shuffle": shuffle, "buffer_rows": buffer_rows}
    source = dl.batches(Sized(np.arange(n) * 2.0, np.arange(n)), **options)
    parts = list(source)
    assert len(parts) == len(source) == -(-n // batch_size)
    assert [len(yb) for _, yb in parts[:-1]] == [batch_size] * (len(parts) - 1)
    found = np.concatenate([yb for _, yb in parts])
    assert sorted(found.tolist()) == list(range(n))
    block = batch_size * max(buffer_rows // batch_size, 1)
    for start in range(0, n, block):  # and none comes in another block than its own
        assert set(found[start : start + block]) == set(range(start, min(start + block, n)))
    if not shuffle:
        assert found.tolist() == list(range(n))
    for xb, yb in parts:
        np.testing.assert_array_equal(xb, yb * 2.0)


def test_in_order_they_are_the_batches_of_the_arrays():
    for samples in (Unsized(X, Y), list(zip(X, Y, strict=True)), tuple(zip(X, Y, strict=True))):
        found = list(dl.batches(samples, batch_size=4, shuffle=False))
        expected = list(dl.batches(X, Y, batch_size=4, shuffle=False))
        for (xb, yb), (x, y) in zip(found, expected, strict=True):
            np.testing.assert_array_equal(xb, x, strict=True)
            np.testing.assert_array_equal(yb, y, strict=True)


def test_in_one_block_they_are_shuffled_like_the_arrays():
    found = list(dl.batches(Unsized(X, Y), batch_size=4, rng=3, buffer_rows=12))
    expected = list(dl.batches(X, Y, batch_size=4, rng=3))
    for (xb, yb), (x, y) in zip(found, expected, strict=True):
        np.testing.assert_array_equal(xb, x)
        np.testing.assert_array_equal(yb, y)


def test_each_iteration_has_a_new_order():
    source = dl.batches(Unsized(X, Y), batch_size=3, rng=0)
    orders = [tuple(np.concatenate([yb for _, yb in source])) for _ in range(3)]
    assert len(set(orders)) == 3


def test_no_more_samples_are_taken_than_a_block_holds():
    taken = []

    class Counted(Unsized):
        def __iter__(self):
            for sample in super().__iter__():
                taken.append(sample)
                yield sample

    batches = iter(dl.batches(Counted(X, Y), batch_size=2, rng=0, buffer_rows=5))
    for expected in (4, 4, 8, 8, 10):  # two batches a block
        next(batches)
        assert len(taken) == expected
    taken.clear()
    batches = iter(dl.batches(Counted(X, Y), batch_size=3, shuffle=False))
    next(batches)
    assert len(taken) == 3


def test_samples_without_targets_and_with_weights():
    parts = list(dl.batches(Unsized(X), batch_size=4, shuffle=False))
    assert {len(part) for part in parts} == {1}
    np.testing.assert_array_equal(np.concatenate([xb for (xb,) in parts]), X)
    ((_, _, weight),) = dl.batches(Unsized(X, Y, Y / 2), batch_size=10, shuffle=False)
    np.testing.assert_array_equal(weight, Y / 2)


def test_the_length_is_told_where_it_is_known():
    assert len(dl.batches(Sized(X, Y), batch_size=4)) == 3
    with pytest.raises(TypeError, match="batches: Unsized does not tell its length"):
        len(dl.batches(Unsized(X, Y), batch_size=4))


def test_an_empty_source_has_no_batches():
    assert list(dl.batches(Unsized([], []), batch_size=4)) == []


def test_a_spent_generator_is_refused():
    with pytest.raises(dl.ArgumentError, match="batches: x is a generator or iterator, which is s"):
        dl.batches(((x, y) for x, y in zip(X, Y, strict=True)), batch_size=4)


@pytest.mark.parametrize(
    ("samples", "error", "message"),
    [
        ([(X[0], 1), (X[1], 1), (X[1, :1], 1)], dl.ShapeError, "sample 2 has parts of shapes "),
        ([(X[0], 1), (X[1],)], dl.ShapeError, "sample 1 has parts of shapes [(2,)], sample 0 has "),
        ([(), ()], dl.DataError, "sample 0 is an empty tuple; expected (x_i, y_i) or x_i."),
    ],
)
def test_wrong_samples_are_named(samples, error, message):
    with pytest.raises(error, match=f"^batches: {re.escape(message)}"):
        list(dl.batches(samples, batch_size=4, shuffle=False))


def test_samples_are_numbered_over_all_blocks():
    samples = [(x, 0) for x in X] + [(X[0], 0), (X[0, :1], 0)]
    with pytest.raises(dl.ShapeError, match=r"sample 11 has .* sample 10 has"):
        list(dl.batches(samples, batch_size=2, shuffle=False))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"batch_size": 0}, "batch_size must be a whole number of at least 1, got 0"),
        ({"batch_size": 2, "buffer_rows": 0}, "buffer_rows must be a whole number of at least 1"),
        ({"batch_size": 2, "shuffle": 1}, "shuffle must be True or False, got 1"),
    ],
)
def test_wrong_options_are_explained(options, message):
    with pytest.raises(dl.ArgumentError, match=f"batches: {message}"):
        dl.batches(Unsized(X, Y), **options)
