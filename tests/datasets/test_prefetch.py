"""Batches made ready on a second thread: the same ones, and nothing left behind."""

import threading
import traceback

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import minidl as dl

X = np.arange(40.0, dtype=np.float32).reshape(20, 2)
Y = np.arange(20)
MAIN = threading.main_thread()


@pytest.fixture
def new_threads():
    before = set(threading.enumerate())
    return lambda: len(set(threading.enumerate()) - before)


class Watched:
    """Yields 0, 1, 2, ... and notes what it has begun; raises at number `broken`."""

    def __init__(self, n, broken=-1):
        self.n, self.broken = n, broken
        self.begun, self.elsewhere, self.news = [], [], threading.Semaphore(0)

    def __len__(self):
        return self.n

    def __iter__(self):
        for number in range(self.n):
            if number == self.broken:
                fail_while_reading()
            self.begun.append(number)
            self.elsewhere.append(threading.current_thread() is not MAIN)
            self.news.release()
            yield number


def fail_while_reading():
    raise OSError("the disk is gone")


@given(n=st.integers(0, 12), depth=st.integers(1, 15))
@settings(deadline=None)
def test_all_come_in_their_order(n, depth):
    source = Watched(n)
    assert list(dl.prefetch(source, depth=depth)) == list(range(n))
    assert source.elsewhere == [True] * n


def test_the_same_bits_in_every_iteration(new_threads):
    plain = dl.batches(X, Y, batch_size=3, rng=5)
    ahead = dl.prefetch(dl.batches(X, Y, batch_size=3, rng=5))
    for _ in range(3):
        for (xb, yb), (x, y) in zip(ahead, plain, strict=True):
            np.testing.assert_array_equal(xb, x, strict=True)
            np.testing.assert_array_equal(yb, y, strict=True)
    assert not new_threads()


@pytest.mark.parametrize("depth", [1, 2, 4])
def test_no_more_are_made_than_asked_for(depth):
    source = Watched(10)
    batches = iter(dl.prefetch(source, depth=depth))
    for index in range(10):
        assert next(batches) == index
        made = min(index + 1 + depth, 10)
        while len(source.begun) < made:
            assert source.news.acquire(timeout=10)
        assert source.begun == list(range(made))
    assert next(batches, "end") == "end"


def test_the_length_is_the_source_s():
    assert len(dl.prefetch(Watched(7))) == 7
    with pytest.raises(TypeError, match="has no len"):
        len(dl.prefetch(WithoutLength()))


class WithoutLength:
    def __iter__(self):
        return iter([(X, Y)])


@pytest.mark.parametrize("broken", [0, 1, 5])
def test_an_error_surfaces_where_it_happened(new_threads, broken):
    seen = []
    with pytest.raises(OSError, match="the disk is gone") as caught:
        seen.extend(dl.prefetch(Watched(9, broken)))
    assert seen == list(range(broken))
    frames = [frame.name for frame in traceback.extract_tb(caught.tb)]
    assert frames[-1] == "fail_while_reading"
    assert not new_threads()


@pytest.mark.parametrize("depth", [1, 3])
def test_a_loop_that_ends_early_leaves_no_thread(new_threads, depth):
    for error in (None, ZeroDivisionError("by zero"), KeyboardInterrupt("Ctrl-C")):
        source = Watched(50)
        for number in dl.prefetch(source, depth=depth):
            assert new_threads() == 1
            if number == 2:
                break
        assert not new_threads()
        assert len(source.begun) <= 3 + depth + 1
        if error is not None:
            with pytest.raises(type(error), match=str(error)):
                stop_at_once(dl.prefetch(source, depth=depth), error)
            assert not new_threads()


def stop_at_once(source, error):
    for _ in source:
        raise error


def test_two_iterations_at_once(new_threads):
    source = dl.prefetch(dl.batches(X, Y, batch_size=5, shuffle=False))
    pairs = [(a[1].tolist(), b[1].tolist()) for a, b in zip(source, source, strict=True)]
    assert all(a == b for a, b in pairs)
    assert len(pairs) == 4
    assert not new_threads()


def test_fit_takes_it(new_threads):
    params = []
    for wrap in (lambda source: source, dl.prefetch):
        model = dl.Sequential([dl.Dense(20), dl.Softmax()]).build((2,), rng=0)
        trainer = dl.Trainer(model, dl.CrossEntropy(), dl.SGD(0.01), rng=0)
        trainer.fit(wrap(dl.batches(X, Y, batch_size=6, rng=1)), epochs=3)
        params.append(model.params.copy())
        assert trainer.step == 12
    np.testing.assert_array_equal(*params)
    assert not new_threads()


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: dl.prefetch(iter([1])), dl.ArgumentError, "prefetch: x is a generator or iter"),
        (lambda: dl.prefetch(3), dl.ArgumentTypeError, "prefetch: expected a source.* got int"),
        (lambda: dl.prefetch([], depth=0), dl.ArgumentError, "prefetch: depth must be a whole n"),
    ],
)
def test_wrong_arguments_are_explained(make, error, message):
    with pytest.raises(error, match=message):
        make()
