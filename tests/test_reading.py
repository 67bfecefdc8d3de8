"""Rows read ahead are the rows that plain indexing gives."""

import threading

import numpy as np
import pytest

from minidl import reading
from minidl.buffers import batch_empty
from minidl.reading import gathered, in_stretches

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
