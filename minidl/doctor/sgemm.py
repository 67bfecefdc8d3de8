"""The rate of matrix products. Run as a script: the rates with the kernels of its environment.

As a script it is what `kernels.py` starts with another OPENBLAS_CORETYPE. It imports NumPy and
threadpoolctl alone, so that a child process is quick to start.
"""

from __future__ import annotations

import json
import sys
import time

import numpy as np

SIZE = 1024  # 4 MiB a matrix: long enough to reach the full rate, short enough to repeat


def sgemm_gflops(seconds: float) -> float:
    """Return the best rate of float32 matrix products within `seconds`, in GFLOP/s.

    The best of several, because whatever else runs on the machine only ever takes time away. At
    least one product is timed.
    """
    rng = np.random.default_rng(0)
    a, b = (rng.random((SIZE, SIZE), dtype=np.float32) for _ in range(2))
    product = a @ b  # threads wake up, memory is touched
    best = float("inf")
    stop = time.perf_counter() + seconds
    while True:
        start = time.perf_counter()
        np.matmul(a, b, out=product)
        now = time.perf_counter()
        best = min(best, now - start)
        if now >= stop:
            return 2 * SIZE**3 / best / 1e9


def main(threads: int, seconds: float) -> None:
    """Print as JSON which kernels are loaded, and their rate with so many threads and with one."""
    from threadpoolctl import threadpool_info, threadpool_limits

    kernels = [info.get("architecture") for info in threadpool_info() if info["user_api"] == "blas"]
    with threadpool_limits(1, user_api="blas"):
        one = sgemm_gflops(seconds)
    with threadpool_limits(threads, user_api="blas"):
        rate = sgemm_gflops(seconds) if threads > 1 else one
    answer = {"kernels": kernels[0], "sgemm_gflops": rate, "sgemm_gflops_one_thread": one}
    print(json.dumps(answer))


if __name__ == "__main__":
    main(int(sys.argv[1]), float(sys.argv[2]))
