"""Rows read ahead, or from a file, are the rows that plain indexing gives."""

import mmap
import threading

import numpy as np
import pytest

from minidl import reading
from minidl.buffers import batch_empty
from minidl.reading import MappedRows, gathered, in_stretches, is_mapped

N = 53
MAIN = threading.main_thread()


def numbered(*shape, dtype=np.float32, images=False):
    """N samples, every element another number."""
    x = np.arange(N * int(np.prod(shape)), dtype=dtype).reshape(N, *shape)
    if not images:
        return x
    block = batch_empty(N, shape, dtype)
    block[...] = x
    return block


ARRAYS = {
    "labels": numbered(dtype=np.int64),
    "vectors": numbered(3),
    "vectors in F order": np.asfortranarray(numbered(3)),
    "every second column": numbered(6)[:, ::2],
    "images in C order": numbered(4, 3, 2),
    "images, batch-innermost": numbered(4, 3, 2, images=True),
}
each_array = pytest.mark.parametrize("x", ARRAYS.values(), ids=ARRAYS)
each_rows = pytest.mark.parametrize("rows", [1, 4, 7, 26, 52, 53, 100])
either_way = pytest.mark.parametrize("ahead", [False, True], ids=["at once", "ahead"])
each_block = pytest.mark.parametrize("block_bytes", [1, 100, 700, 10**6])


@pytest.fixture
def new_threads():
    before = set(threading.enumerate())
    return lambda: len(set(threading.enumerate()) - before)


@either_way
@each_array
@each_rows
@each_block
def test_gathered_rows_are_those_of_indexing(monkeypatch, ahead, x, rows, block_bytes):
    monkeypatch.setattr(reading, "BLOCK_BYTES", block_bytes)
    numbers = np.arange(N)
    for order in (np.random.default_rng(0).permutation(N), np.array([3, 0, 3, N - 1, 7])):
        batches = [
            [part.copy() for part in parts] for parts in gathered([x, numbers], order, rows, ahead)
        ]
        starts = range(0, len(order), rows)
        for start, (part, found) in zip(starts, batches, strict=True):
            np.testing.assert_array_equal(found, order[start : start + rows])
            np.testing.assert_array_equal(part, x[order[start : start + rows]])
            assert part.dtype == x.dtype


@either_way
@each_array
@each_rows
@each_block
def test_stretches_are_those_of_slicing(monkeypatch, ahead, x, rows, block_bytes):
    monkeypatch.setattr(reading, "BLOCK_BYTES", block_bytes)
    found = [(place, part.copy()) for place, part in in_stretches(x, rows, ahead)]
    assert [place for place, _ in found] == [
        slice(start, min(start + rows, N)) for start in range(0, N, rows)
    ]
    for place, part in found:
        np.testing.assert_array_equal(part, x[place])
        assert part.dtype == x.dtype


@either_way
@each_array
def test_copies_keep_the_memory_order(monkeypatch, ahead, x):
    monkeypatch.setattr(reading, "BLOCK_BYTES", 1)
    for _, part in in_stretches(x, 4, ahead):
        assert np.shares_memory(part, x) != ahead
        assert np.argsort(part.strides).tolist() == np.argsort(x.strides).tolist()


@either_way
@pytest.mark.parametrize(("block_rows", "copied"), [(14, True), (17, True), (18, False)])
def test_less_than_four_blocks_are_read_where_they_lie(monkeypatch, ahead, block_rows, copied):
    x = ARRAYS["vectors"]  # 12 bytes a row; 53 rows are 4, 4, and 3 blocks
    monkeypatch.setattr(reading, "BLOCK_BYTES", 12 * block_rows)
    for _, part in in_stretches(x, 1, ahead):
        assert np.shares_memory(part, x) != (copied and ahead)


class Watched(np.ndarray):
    """Notes how many rows each `take` brings, and the thread; raises in call number `broken`."""

    broken = -1

    def __array_finalize__(self, source):
        self.calls, self.news = [], threading.Semaphore(0)

    def take(self, rows, axis=None, out=None, mode="raise"):
        if len(self.calls) == self.broken:
            raise OSError("the disk is gone")
        np.asarray(self).take(rows, axis=axis, out=out, mode=mode)
        self.calls.append((len(rows), threading.current_thread() is MAIN))
        self.news.release()


@either_way
@pytest.mark.parametrize(
    ("block_bytes", "sizes"), [(1, [10] * 5 + [3]), (599, [20, 20, 13]), (600, [30, 23])]
)
def test_several_batches_are_gathered_at_a_time(monkeypatch, ahead, block_bytes, sizes):
    monkeypatch.setattr(reading, "BLOCK_BYTES", block_bytes)
    x = ARRAYS["vectors"].view(Watched)  # 12 bytes a row, and 8 of each label
    for _ in gathered([x, ARRAYS["labels"]], np.arange(N), 10, ahead):
        pass
    expected = sizes if ahead else [10] * 5 + [3]
    assert x.calls == [(size, not ahead) for size in expected]


def test_a_block_is_whole_while_the_next_one_is_read(monkeypatch):
    monkeypatch.setattr(reading, "BLOCK_BYTES", 1)
    x, order = ARRAYS["vectors"].view(Watched), np.random.default_rng(0).permutation(N)
    starts, parts = range(0, N, 10), gathered([x], order, 10, True)
    memory = []
    for index, (start, (part,)) in enumerate(zip(starts, parts, strict=True)):
        for _ in range(2 if index == 0 else index + 1 < len(starts)):
            assert x.news.acquire(timeout=10)  # the next block has been read
        np.testing.assert_array_equal(part, ARRAYS["vectors"][order[start : start + 10]])
        memory.append(part)
    assert np.shares_memory(memory[0], memory[2])  # two buffers, in turn
    assert not np.shares_memory(memory[0], memory[1])


@either_way
@pytest.mark.parametrize("broken", [0, 1, 4])
def test_an_error_in_reading_reaches_the_consumer(monkeypatch, ahead, new_threads, broken):
    monkeypatch.setattr(reading, "BLOCK_BYTES", 1)
    x = ARRAYS["vectors"].view(Watched)
    x.broken, seen = broken, []
    with pytest.raises(OSError, match="the disk is gone"):
        seen.extend(len(parts[0]) for parts in gathered([x], np.arange(N), 10, ahead))
    assert seen == [10] * broken
    assert not new_threads()


class Torn(np.ndarray):
    """Cannot be read from a second thread."""

    def __getitem__(self, key):
        if threading.current_thread() is not MAIN:
            raise OSError("the disk is gone")
        return np.asarray(self)[key]


def test_an_error_in_copying_reaches_the_consumer(monkeypatch, new_threads):
    monkeypatch.setattr(reading, "BLOCK_BYTES", 1)
    with pytest.raises(OSError, match="the disk is gone"):
        list(in_stretches(ARRAYS["vectors"].view(Torn), 10, True))
    assert not new_threads()


def consume(parts):
    for _ in parts:
        raise ZeroDivisionError("by zero")


@either_way
def test_a_consumer_that_stops_early_leaves_no_thread_behind(monkeypatch, ahead, new_threads):
    monkeypatch.setattr(reading, "BLOCK_BYTES", 1)
    x = ARRAYS["vectors"]
    for make in (
        lambda: gathered([x], np.arange(N), 10, ahead),
        lambda: in_stretches(x, 10, ahead),
    ):
        for _ in make():
            assert bool(new_threads()) == ahead
            break
        assert not new_threads()
        with pytest.raises(ZeroDivisionError, match="by zero"):
            consume(make())
        assert not new_threads()


@pytest.fixture
def file_of(tmp_path):
    """Write an array to a file and map it."""

    def make(x, mode="r", name="x"):
        np.save(tmp_path / f"{name}.npy", x)
        return np.load(tmp_path / f"{name}.npy", mmap_mode=mode)

    return make


X = numbered(4, 3)
NUMBERS = np.array([5, 2, 40, 2, 17])


@pytest.mark.parametrize("mode", ["r", "r+"])
@pytest.mark.parametrize("held", [1, 2**20, 2**30])
@pytest.mark.parametrize("numbers", [None, NUMBERS], ids=["all", "some"])
def test_mapped_rows_are_those_of_the_array(monkeypatch, file_of, mode, held, numbers):
    monkeypatch.setattr(reading, "HELD_BYTES", held)
    rows = MappedRows(file_of(X, mode), numbers=numbers)
    expected = X if numbers is None else X[numbers]
    assert (rows.shape, rows.ndim, rows.dtype) == (expected.shape, 3, expected.dtype)
    for part in (slice(0, 3), slice(2, 100), np.array([4, 0, 4, 3]), np.array([1])):
        np.testing.assert_array_equal(rows[part], expected[part], strict=True)
    out = np.empty((3, 4, 3), np.float32)
    rows.take(np.array([4, 1, 2]), 0, out)
    np.testing.assert_array_equal(out, expected[[4, 1, 2]])


def test_mapped_rows_are_converted_and_are_copies(file_of):
    mapped = file_of(X.astype(np.float64), "r+")
    rows = MappedRows(mapped, np.float32)
    part = rows[0:4]
    np.testing.assert_array_equal(part, X[:4], strict=True)
    part[...] = 0
    np.testing.assert_array_equal(mapped, X)
    some = rows.subset(NUMBERS)
    assert (some.shape, some.dtype) == ((5, 4, 3), np.float32)
    np.testing.assert_array_equal(some[0:5], X[NUMBERS], strict=True)
    np.testing.assert_array_equal(some.subset(np.array([2, 0]))[0:2], X[[40, 5]], strict=True)


def test_what_was_written_to_a_mapped_file_is_seen(file_of):
    mapped = file_of(X, "r+")
    rows = MappedRows(mapped)
    mapped[3] = -1.0
    rows.give_back()
    assert (rows[3:4] == -1).all()
    assert (mapped[3] == -1).all()


def test_blocks_have_the_bytes_that_are_read_at_a_time(monkeypatch, file_of):
    monkeypatch.setattr(reading, "BLOCK_BYTES", 500)
    assert MappedRows(file_of(X)).block_rows == 10  # of 48 bytes
    assert MappedRows(file_of(X), np.float64).block_rows == 10  # as they are in the file


def test_which_arrays_are_mapped(file_of):
    mapped = file_of(X)
    parts = (mapped[3:9], mapped[::2], mapped[::-1], mapped[:, 1:, ::2], mapped[7], mapped[:1])
    shapes = (mapped.reshape(N, 12), mapped.ravel(), mapped[:, 0, 0])
    for x in (mapped, *parts, *shapes, np.asarray(mapped), file_of(X, "r+")):
        assert is_mapped(x)
        np.testing.assert_array_equal(MappedRows(x)[:], x, strict=True)
    by_hand = np.frombuffer(mmap.mmap(-1, mmap.PAGESIZE), np.uint8)  # no file of rows
    private = file_of(X, "c", "private")  # its changes are in memory alone
    others = [
        X,
        np.array(mapped),
        mapped.T,
        mapped.transpose(1, 0, 2),
        mapped[:2, 0].T,
        mapped[0, 0, 0, ...],
        private,
        private[2:4],
        by_hand,
        [1.0],
    ]
    for x in others:
        assert not is_mapped(x)


@pytest.mark.parametrize("held", [10_480, 10_481])
def test_what_lies_between_rows_is_counted_as_read(monkeypatch, file_of, held):
    monkeypatch.setattr(reading, "FAULT_BYTES", 1000)
    monkeypatch.setattr(reading, "HELD_BYTES", held)
    x = file_of(np.zeros((1000, 12), np.float32))
    for part in (x[:, :3], x[::-1], x[:, ::-5]):  # rows are 48 bytes apart in all of them
        rows, calls = MappedRows(part), []
        monkeypatch.setattr(rows, "give_back", lambda calls=calls: calls.append(1))
        rows.take(np.arange(0, 250, 25), 0, np.empty((10, *part.shape[1:]), np.float32))
        assert len(calls) == (held == 10_480)


def test_part_of_a_mapped_array(monkeypatch, file_of):
    monkeypatch.setattr(reading, "HELD_BYTES", 1)  # so that its memory is given back, too
    rows = MappedRows(file_of(X)[3:9])
    np.testing.assert_array_equal(rows[1:100], X[4:9], strict=True)


def test_changes_of_a_private_copy_are_never_given_back(file_of):
    private = file_of(X, "c")
    private[2] = -1.0
    rows = MappedRows(private)
    rows.give_back()
    assert (rows[2:3] == -1).all()


@pytest.mark.parametrize(
    ("order", "held", "expected"),
    [
        (np.arange(0, 250, 25), 10_480, 1),  # ten rows of 48 bytes, each with its 1,000 around
        (np.arange(0, 250, 25)[::-1], 10_480, 1),
        (np.arange(0, 225, 25), 10_480, 0),
        (np.arange(0, 250, 25), 10_481, 0),
        (np.arange(0, 750, 25), 10_480, 3),
        (np.arange(0, 750, 25), 10_481, 1),  # after the second ten, and the count begins at 0
        (np.arange(0, 240, 2), 10_480, 2),  # near each other: ten rows are 18 * 48 + 1000
        (np.arange(70), 8 * 1432, 0),  # read ten at a time, 9 * 48 + 1000
        (np.arange(80), 8 * 1432, 1),
        (np.arange(80), 8 * 1432 + 1, 0),
        (np.arange(10), 1, 10),  # at least one at a time
    ],
)
def test_memory_is_given_back_when_enough_was_read(monkeypatch, file_of, order, held, expected):
    monkeypatch.setattr(reading, "FAULT_BYTES", 1000)
    monkeypatch.setattr(reading, "HELD_BYTES", held)
    rows, calls = MappedRows(file_of(np.zeros((1000, 12), np.float32))), []
    monkeypatch.setattr(rows, "give_back", lambda: calls.append(1))
    rows.take(order, 0, np.empty((len(order), 12), np.float32))
    assert len(calls) == expected


def test_a_system_that_cannot_give_back(monkeypatch, file_of):
    monkeypatch.delattr(mmap, "MADV_DONTNEED")
    monkeypatch.setattr(reading, "HELD_BYTES", 1)
    np.testing.assert_array_equal(MappedRows(file_of(X))[0:N], X)


@either_way
def test_mapped_rows_are_gathered_like_others(monkeypatch, file_of, ahead):
    monkeypatch.setattr(reading, "BLOCK_BYTES", 700)
    order = np.random.default_rng(0).permutation(N)
    mapped = MappedRows(file_of(X.astype(np.float64)), np.float32)
    found = [part.copy() for (part,) in gathered([mapped], order, 4, ahead)]
    np.testing.assert_array_equal(np.concatenate(found), X[order], strict=True)
