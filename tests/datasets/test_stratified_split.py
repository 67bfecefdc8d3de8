import re

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given, settings
from hypothesis import strategies as st

import minidl as dl
from minidl.datasets.stratified_split import _shares

counts_of_classes = st.lists(st.integers(1, 40), min_size=1, max_size=6)
all_sizes = st.sampled_from(
    [(0.8, 0.1, 0.1), (0.5, 0.5), (0.7, 0.3), (0.25,) * 4, (0.5, 0.25, 0.25), (0.1, 0.58, 0.32)]
)


@given(counts=counts_of_classes, sizes=all_sizes)
def test_shares_are_the_quotas_rounded(counts, sizes):
    quotas = np.outer(counts, sizes)
    shares = _shares(np.array(counts), np.array(sizes))
    assert shares.sum(axis=1).tolist() == counts
    assert (shares >= np.floor(quotas + 1e-6)).all()
    assert (shares <= np.ceil(quotas - 1e-6)).all()
    assert (np.abs(shares.sum(axis=0) - quotas.sum(axis=0)) < 1).all()  # sizes come out, too
    remainder, more = quotas[0] - np.floor(quotas[0] + 1e-6), shares[0] > quotas[0] + 1e-6
    if more.any() and not more.all():  # in the first class the largest remainders decide
        assert remainder[more].min() >= remainder[~more].max() - 1e-6


@given(counts=counts_of_classes, sizes=all_sizes, seed=st.integers(0, 5))
@settings(deadline=None)
def test_every_row_is_in_exactly_one_part(counts, sizes, seed):
    y = np.random.default_rng(seed).permutation(np.repeat(np.arange(len(counts)), counts))
    x = np.arange(len(y))
    try:
        parts = dl.stratified_split(x, y, sizes=sizes, rng=seed)
    except dl.DataError:  # a part would be empty
        assert (_shares(np.array(counts), np.array(sizes)).sum(axis=0) == 0).any()
        return
    assert len(parts) == len(sizes)
    assert sorted(np.concatenate([part for part, _ in parts]).tolist()) == x.tolist()
    for part, labels in parts:
        np.testing.assert_array_equal(labels, y[part])
    found = [np.bincount(labels, minlength=len(counts)) for _, labels in parts]
    np.testing.assert_array_equal(np.transpose(found), _shares(np.array(counts), np.array(sizes)))


@pytest.mark.parametrize(
    ("counts", "sizes", "expected"),
    [
        ([10, 20], (0.8, 0.1, 0.1), [[8, 1, 1], [16, 2, 2]]),
        ([7], (0.5, 0.25, 0.25), [[3, 2, 2]]),  # 3.5, 1.75, 1.75
        ([1, 2], (0.8, 0.1, 0.1), [[1, 0, 0], [2, 0, 0]]),  # 1.6 - 0.2, 0.2 + 0.1, 0.2 + 0.1
        ([3, 3, 3], (0.8, 0.1, 0.1), [[3, 0, 0], [2, 1, 0], [2, 0, 1]]),  # 7.2, 0.9, 0.9
        ([3, 10, 3], (0.7, 0.3), [[2, 1], [7, 3], [2, 1]]),  # 2.1: the first is owed 0.1
        ([15, 15, 15, 15], (0.8, 0.1, 0.1), [[12, 2, 1], [12, 1, 2], [12, 2, 1], [12, 1, 2]]),
        ([3, 2], (0.5, 0.25, 0.25), [[1, 1, 1], [1, 1, 0]]),  # 1.0 of two rows: no more than 1
        ([50], (0.58, 0.42), [[29, 21]]),  # 50 * 0.58 is 28.999999999999996
    ],
)
def test_shares_by_hand(counts, sizes, expected):
    assert _shares(np.array(counts), np.array(sizes)).tolist() == expected


def test_parts_are_shuffled_and_the_seed_decides():
    y = np.repeat([0, 1], 50)
    x = np.arange(100)
    first, again, other = (dl.stratified_split(x, y, rng=rng) for rng in (0, 0, 1))
    for (a, _), (b, _), (c, _) in zip(first, again, other, strict=True):
        np.testing.assert_array_equal(a, b)
        assert a.tolist() != c.tolist()
    train, labels = first[0]
    assert train.tolist() != sorted(train.tolist())
    assert 0 < (labels[:20] == 0).sum() < 20  # classes are mixed, not one after the other
    within = train[labels == 0]
    assert within.tolist() != sorted(within.tolist())
    assert sorted(within.tolist()) != list(range(40))  # which rows of a class: at random, too


@pytest.mark.parametrize("kind", [np.int8, np.uint64, bool, "U3", "S3"])
def test_all_kinds_of_labels(kind):
    y = (np.arange(20) % 2).astype(kind)
    for part, labels in dl.stratified_split(np.arange(20), y, sizes=(0.5, 0.5), rng=0):
        assert labels.dtype == y.dtype
        np.testing.assert_array_equal(labels, y[part])
        assert [(labels == name).sum() for name in np.unique(y)] == [5, 5]


def test_texts_as_objects_are_explained():
    y = np.array(["a", "b"] * 10, dtype=object)
    with pytest.raises(dl.DataError, match=r"got dtype object\. .*; texts: y\.astype\(str\)\."):
        dl.stratified_split(np.arange(20), y)


def test_sparse_rows_images_and_lists():
    dense = np.random.default_rng(0).random((30, 4)) * (np.arange(4) > 1)
    y = np.arange(30) % 3
    expected = dl.stratified_split(dense, y, rng=0)
    for (a, _), (b, _) in zip(
        dl.stratified_split(sp.coo_array(dense), y, rng=0), expected, strict=True
    ):
        np.testing.assert_array_equal(a.toarray(), b)
    images = dl.stratified_split(dense.reshape(30, 2, 2), y.tolist(), rng=0)
    for (a, _), (b, _) in zip(images, expected, strict=True):
        np.testing.assert_array_equal(a.reshape(-1, 4), b)


def test_parts_are_copies():
    x, y = np.zeros((10, 2)), np.arange(10) % 2
    for part, labels in dl.stratified_split(x, y, sizes=(0.5, 0.5), rng=0):
        part[...] = 1
        labels[...] = 7
    assert not x.any()
    assert y.max() == 1


@pytest.mark.parametrize(
    ("x", "y", "error", "message"),
    [
        (np.zeros(4), np.zeros((4, 2), int), dl.ShapeError, "expected one label a row, y of shape"),
        (np.zeros(4), np.zeros(5, int), dl.ShapeError, "x has 4 rows and y has 5; every row"),
        (np.zeros(()), np.zeros(5, int), dl.ShapeError, "x has no rows and y has 5; every row"),
        (np.zeros(4), np.zeros(4), dl.DataError, "labels must be integers, booleans or te"),
        (np.zeros(4), np.array([0, "a", None, 1]), dl.DataError, "labels must be integers, bool"),
        (np.zeros(4), [0, 0, 0, 0], dl.DataError, "the part of size 0.1 would be empty, of"),
        (np.zeros(4), sp.csr_array(np.eye(4)), dl.DTypeError, "y must be an array, got the sparse"),
    ],
)  # fmt: skip
def test_wrong_data_is_explained(x, y, error, message):
    with pytest.raises(error, match=f"^stratified_split: {re.escape(message)}"):
        dl.stratified_split(x, y, rng=0)


@pytest.mark.parametrize(
    "sizes",
    [(0.8, 0.1), (0.5, 0.5, 0.0), (1.0,), 0.8, (), (0.7, 0.4, -0.1), ("a", "b"), (0.6, 0.6)],
)
def test_wrong_sizes_are_explained(sizes):
    with pytest.raises(dl.ArgumentError, match=r"^stratified_split: (each of )?sizes must be"):
        dl.stratified_split(np.zeros(10), np.zeros(10, int), sizes=sizes)
