"""The BLAS libraries in this process, each with a pool of threads of its own."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePath
from typing import Any

KNOWN = {"openblas": "OpenBLAS", "mkl": "MKL", "blis": "BLIS", "flexiblas": "FlexiBLAS"}


@dataclass(frozen=True)
class Pool:
    """A BLAS library that is loaded in this process.

    Attributes:
        owner: "NumPy" or "SciPy" if it came in their wheel, "shared" if it is the system's.
        name: Which BLAS it is, such as "OpenBLAS".
        version: Its version, if it says.
        kernels: The processor that its kernels were written for, if it says.
        threads: How many threads a call uses.
        threading: What makes the threads, such as "pthreads" or "openmp".
        library: The file's name.
    """

    owner: str
    name: str
    version: str | None
    kernels: str | None
    threads: int
    threading: str | None
    library: str

    def __str__(self) -> str:
        name = f"{self.name} {self.version}" if self.version else self.name
        kernels = f", {self.kernels} kernels" if self.kernels else ""
        return f"{name}{kernels}, {count(self.threads, 'thread')} ({self.library})"


def blas_pools() -> tuple[Pool, ...]:
    """Return the BLAS libraries that are loaded, NumPy's first; none where they cannot be seen."""
    from threadpoolctl import threadpool_info

    try:
        found = threadpool_info()
    except (OSError, RuntimeError):  # it reads the list of loaded libraries, which may be hidden
        return ()
    pools = [_pool(info) for info in found if info.get("user_api") == "blas"]
    return tuple(sorted(pools, key=lambda pool: ("NumPy", "shared", "SciPy").index(pool.owner)))


def pool_of_numpy(pools: tuple[Pool, ...]) -> Pool | None:
    """Return the BLAS that NumPy's matrix products use, None where it cannot be seen."""
    return next((pool for pool in pools if pool.owner != "SciPy"), None)


def _pool(info: dict[str, Any]) -> Pool:
    path = PurePath(info["filepath"])
    api = info["internal_api"]
    return Pool(
        owner=_owner(path),
        name=KNOWN.get(api, api),
        version=info.get("version"),
        kernels=info.get("architecture"),
        threads=info["num_threads"],
        threading=info.get("threading_layer"),
        library=path.name,
    )


def _owner(path: PurePath) -> str:
    for folder in reversed(path.parts[:-1]):  # a home folder may be called numpy, too
        if folder in ("numpy", "numpy.libs"):
            return "NumPy"
        if folder in ("scipy", "scipy.libs"):
            return "SciPy"
    return "shared"


def count(number: int, thing: str) -> str:
    """Return "1 thread", "2 threads"."""
    return f"{number} {thing}" if number == 1 else f"{number} {thing}s"
