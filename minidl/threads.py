"""Second threads: how many there is room for, work done ahead on one, and BLAS's own."""

from __future__ import annotations

import contextlib
import os
import sys
import threading
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Any, TypeVar

T = TypeVar("T")

# BLAS's threads belong to the process: those who hold it at the same time share the least number,
# and the last of them puts back what the first one found.
_lock = threading.Lock()
_held: list[int] = []
_found: list[tuple[Any, int]] = []


def usable_cores() -> int:
    """Return the number of cores that the system may run this process on."""
    if hasattr(os, "sched_getaffinity"):  # not on macOS and Windows
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def one_ahead(work: Callable[[int], T], n: int) -> Iterator[T]:
    """Yield `work(0)`, ..., `work(n - 1)`, each begun on a second thread one round before.

    NumPy gives the interpreter free while it copies, so the two overlap.
    """
    if n <= 1:
        yield from map(work, range(n))
        return
    from concurrent.futures import ThreadPoolExecutor  # 8 ms that few programs need

    with ThreadPoolExecutor(1) as pool:
        result = pool.submit(work, 0)
        for index in range(n):
            done = result.result()
            if index + 1 < n:
                result = pool.submit(work, index + 1)
            yield done


@contextlib.contextmanager
def at_most_blas_threads(most: int) -> Iterator[None]:
    """Hold NumPy's BLAS to a number of threads, and any other one to a single thread.

    SciPy's wheels bring a BLAS of their own, whose threads fight with those of NumPy's.
    """
    with _lock:
        if not _held:
            modules = tuple(sys.modules)
            pools = _blas_pools(len(modules), modules[-1])
            _found[:] = [(pool, pool.num_threads) for pool in pools if pool.num_threads]
        _held.append(most)
        _set_blas_threads()
    try:
        yield
    finally:
        with _lock:
            _held.remove(most)
            _set_blas_threads()


@lru_cache(maxsize=1)
def _blas_pools(n_modules: int, latest: str) -> list[Any]:
    """Find the BLAS libraries of the process; again only when a module has been imported since.

    The search goes through the process's memory map and takes as long as an epoch on few rows. A
    library comes with a module, whose name then is the latest one, and stays while it is known
    here. One that is loaded otherwise is seen after the next import.

    Args:
        n_modules: Number of imported modules.
        latest: Name of the latest one.
    """
    import threadpoolctl

    pools: list[Any] = threadpoolctl.ThreadpoolController().select(user_api="blas").lib_controllers
    return pools


def _set_blas_threads() -> None:
    """Set what those who hold BLAS agree on, or what was found before the first of them."""
    for pool, threads in _found:
        if _held:
            threads = 1 if "/scipy" in pool.filepath.replace("\\", "/") else min(threads, *_held)
        pool.set_num_threads(threads)
