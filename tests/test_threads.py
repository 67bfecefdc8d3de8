"""Work on a second thread, and the number of BLAS's own."""

import os
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from types import ModuleType

import numpy as np
import pytest
import threadpoolctl

from minidl import threads
from minidl.threads import at_most_blas_threads, one_ahead, usable_cores

MAIN = threading.main_thread()


@pytest.fixture
def new_threads():
    before = set(threading.enumerate())
    return lambda: len(set(threading.enumerate()) - before)


def test_the_system_says_which_cores_there_are(monkeypatch):
    cores = {0: {1, 4, 5}, 1: {0}}  # of this process, and of another one
    monkeypatch.setattr(os, "sched_getaffinity", cores.get, raising=False)
    assert usable_cores() == 3
    monkeypatch.delattr(os, "sched_getaffinity")
    monkeypatch.setattr(os, "cpu_count", lambda: 6)
    assert usable_cores() == 6
    monkeypatch.setattr(os, "cpu_count", lambda: None)
    assert usable_cores() == 1


@pytest.mark.parametrize("n", [0, 1, 2, 3, 10])
def test_results_come_in_order(n):
    assert list(one_ahead(lambda index: index**2, n)) == [index**2 for index in range(n)]


@pytest.mark.parametrize("n", [1, 2, 3])
def test_a_single_piece_of_work_needs_no_thread(new_threads, n):
    elsewhere = list(one_ahead(lambda _: threading.current_thread() is not MAIN, n))
    assert elsewhere == [n > 1] * n
    assert not new_threads()


def test_work_is_one_round_ahead_and_no_more():
    begun, news = [], threading.Semaphore(0)

    def work(index):
        begun.append(index)
        news.release()
        return index

    results = one_ahead(work, 3)
    for index in range(3):
        assert next(results) == index
        for _ in range(1 if 0 < index < 2 else 2 - index):  # the first next begins two
            assert news.acquire(timeout=10)
        assert begun == list(range(min(index + 2, 3)))
    assert list(results) == []
    assert begun == [0, 1, 2]


@pytest.mark.parametrize("bad", [0, 1, 3])
def test_an_error_reaches_the_consumer_in_its_turn(new_threads, bad):
    def work(index):
        if index == bad:
            raise OSError(f"cannot read block {index}")
        return index

    done = []
    with pytest.raises(OSError, match=f"cannot read block {bad}"):
        done.extend(one_ahead(work, 4))
    assert done == list(range(bad))
    assert not new_threads()


def test_a_consumer_that_stops_early_leaves_no_thread_behind(new_threads):
    results = one_ahead(lambda index: index, 5)
    next(results)
    assert new_threads()
    results.close()
    assert not new_threads()
    for _ in one_ahead(lambda index: index, 5):
        break
    assert not new_threads()


@dataclass
class Pool:
    """A BLAS, as threadpoolctl shows it."""

    filepath: str
    num_threads: int

    def set_num_threads(self, n):
        self.num_threads = n


@pytest.fixture
def pools(monkeypatch):
    """NumPy's BLAS with four threads, another's with two, and SciPy's with four."""
    found = [
        Pool("site-packages/numpy.libs/libscipy_openblas64_.so", 4),
        Pool("lib/libmkl_rt.so", 2),
        Pool("site-packages/scipy.libs/libscipy_openblas.so", 4),
    ]

    class Controller:
        def select(self, user_api):
            assert user_api == "blas"
            self.lib_controllers = list(found)
            return self

    monkeypatch.setattr(threadpoolctl, "ThreadpoolController", Controller)
    threads._blas_pools.cache_clear()
    yield found
    threads._blas_pools.cache_clear()


def numbers(pools):
    return [pool.num_threads for pool in pools]


@pytest.mark.parametrize(
    ("most", "inside"), [(1, [1, 1, 1]), (2, [2, 2, 1]), (3, [3, 2, 1]), (99, [4, 2, 1])]
)
def test_a_number_is_lowered_and_never_raised_and_put_back(pools, most, inside):
    with at_most_blas_threads(most):
        assert numbers(pools) == inside
    assert numbers(pools) == [4, 2, 4]
    with pytest.raises(ZeroDivisionError, match="by zero"), at_most_blas_threads(most):
        raise ZeroDivisionError("by zero")
    assert numbers(pools) == [4, 2, 4]


def test_one_inside_another(pools):
    with at_most_blas_threads(3):
        with at_most_blas_threads(1):
            assert numbers(pools) == [1, 1, 1]
        assert numbers(pools)[2] == 1  # still held
    assert numbers(pools) == [4, 2, 4]


@pytest.mark.parametrize("first_out", [0, 1])
def test_two_threads_that_overlap_in_either_order(pools, first_out):
    with ExitStack() as stack:
        workers = [stack.enter_context(ThreadPoolExecutor(1)) for _ in range(2)]
        holds = [at_most_blas_threads(1), at_most_blas_threads(1)]
        for worker, hold in zip(workers, holds, strict=True):
            worker.submit(hold.__enter__).result()
            assert numbers(pools) == [1, 1, 1]
        for index in (first_out, 1 - first_out):
            assert numbers(pools) == [1, 1, 1]
            workers[index].submit(holds[index].__exit__, None, None, None).result()
    assert numbers(pools) == [4, 2, 4]


def test_the_number_is_looked_up_each_time(pools):
    with at_most_blas_threads(1):
        pass
    pools[0].num_threads = 3  # the user's own doing
    with at_most_blas_threads(2):
        assert numbers(pools) == [2, 2, 1]
    assert numbers(pools) == [3, 2, 4]


def test_libraries_are_searched_for_again_after_an_import(pools, monkeypatch):
    with at_most_blas_threads(2):
        pass
    new = Pool("lib/libblis.so", 6)
    pools.append(new)
    with at_most_blas_threads(2):
        assert new.num_threads == 6  # no module, no library: the search was saved
    monkeypatch.setitem(sys.modules, "a_module", ModuleType("a_module"))
    with at_most_blas_threads(2):
        assert numbers(pools) == [2, 2, 1, 2]
    assert numbers(pools) == [4, 2, 4, 6]
    pools.append(Pool("lib/libatlas.so", 8))
    del sys.modules["a_module"]
    monkeypatch.setitem(sys.modules, "another", ModuleType("another"))  # as many modules as before
    with at_most_blas_threads(3):
        assert numbers(pools) == [3, 2, 1, 3, 3]
    pools.append(Pool("lib/libgoto.so", 8))
    monkeypatch.setitem(sys.modules, "a_module", ModuleType("a_module"))
    del sys.modules["another"]
    monkeypatch.setitem(sys.modules, "another", ModuleType("another"))  # as late as before
    with at_most_blas_threads(3):
        assert numbers(pools) == [3, 2, 1, 3, 3, 3]


def test_the_libraries_themselves():
    import scipy.linalg

    def found():
        return {
            "scipy.libs" in pool["filepath"]: pool["num_threads"]
            for pool in threadpoolctl.threadpool_info()
            if pool["user_api"] == "blas"
        }

    scipy.linalg.solve(np.eye(2), np.ones(2))
    with threadpoolctl.threadpool_limits(2, user_api="blas"):
        before = found()
        with at_most_blas_threads(8):
            assert found() == {own: 1 if own else n for own, n in before.items()}
        with at_most_blas_threads(1):
            assert set(found().values()) <= {1}  # none where NumPy uses Accelerate
        assert found() == before


def test_no_work_is_no_call():
    called = []
    assert list(one_ahead(called.append, 0)) == []
    assert not called


def test_an_inner_hold_does_not_lift_the_outer():
    def now():
        return max(
            p["num_threads"] for p in threadpoolctl.threadpool_info() if p["user_api"] == "blas"
        )

    with threadpoolctl.threadpool_limits(2, user_api="blas"):
        with at_most_blas_threads(1):
            with at_most_blas_threads(8):
                assert now() == 1
            assert now() == 1
        with at_most_blas_threads(2):
            with at_most_blas_threads(1):
                assert now() == 1
            assert now() == 2
