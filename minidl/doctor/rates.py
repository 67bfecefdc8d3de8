"""The two limits of a machine that training runs against: matrix products and memory."""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from minidl.arguments import number_within
from minidl.doctor.pools import blas_pools, pool_of_numpy
from minidl.doctor.sgemm import sgemm_gflops

COPY_BYTES = 128 * 2**20  # twice that is in motion: more than the caches of one core hold


@dataclass(frozen=True)
class Rates:
    """What the machine reached in a short measurement; a lower bound of what it can do.

    Attributes:
        sgemm_gflops: Float32 matrix products, 1024 x 1024, with BLAS as it is set, in GFLOP/s.
        sgemm_gflops_one_thread: The same on one thread; None where threads cannot be limited.
        memory_gb_per_s: Bytes read and written by one thread that copies an array larger than the
            caches, in GB/s; None where the memory for it was refused.
    """

    sgemm_gflops: float
    sgemm_gflops_one_thread: float | None
    memory_gb_per_s: float | None

    def as_dict(self) -> dict[str, Any]:
        """Return all of it as plain data, fit for JSON."""
        return asdict(self)


def measure_rates(seconds: float = 0.2) -> Rates:
    """Measure matrix products and memory in this process.

    For the measurement on one thread BLAS is limited and afterwards set back, for the whole
    process: do not let other threads compute meanwhile.

    Args:
        seconds: Time for each of the three rates.

    Raises:
        ArgumentError: If `seconds` is negative.

    Example:
        >>> from minidl.doctor import measure_rates
        >>> measure_rates(seconds=0).sgemm_gflops > 0
        True
    """
    seconds = number_within("measure_rates", "seconds", seconds, 0.0)
    rate = sgemm_gflops(seconds)
    return Rates(rate, _one_thread(rate, seconds), memory_gb_per_s(seconds))


def _one_thread(rate: float, seconds: float) -> float | None:
    pool = pool_of_numpy(blas_pools())
    if pool is None:
        return None
    if pool.threads == 1:
        return rate
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1, user_api="blas"):
        return sgemm_gflops(seconds)


def memory_gb_per_s(seconds: float) -> float | None:
    """Return the best rate of copies within `seconds`, read and written bytes, in GB/s."""
    try:
        source = np.ones(COPY_BYTES, dtype=np.uint8)
        target = source.copy()
    except MemoryError:
        return None
    best = float("inf")
    stop = time.perf_counter() + seconds
    while True:
        start = time.perf_counter()
        np.copyto(target, source)
        now = time.perf_counter()
        best = min(best, now - start)
        if now >= stop:
            return 2 * COPY_BYTES / best / 1e9
