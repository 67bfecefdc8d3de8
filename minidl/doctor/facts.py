"""What can be known of a machine without measuring."""

from __future__ import annotations

import os
import platform
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from minidl.doctor.pools import Pool, blas_pools, pool_of_numpy
from minidl.doctor.processor import cpu_flags, cpu_name
from minidl.doctor.quota import cpu_quota
from minidl.threads import usable_cores

VARIABLES = (
    "OPENBLAS_CORETYPE",
    "OPENBLAS_NUM_THREADS",
    "OMP_NUM_THREADS",
    "MKL_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
)


@dataclass(frozen=True)
class Machine:
    """A machine as far as numerical programs are concerned.

    Attributes:
        versions: Of Python, NumPy, SciPy and minidl.
        system: The operating system.
        architecture: The processor's family, such as "x86_64" or "arm64".
        cpu: The processor's name.
        cpu_flags: Those of its instruction sets that matrix kernels are chosen by.
        cores: Cores that this process may use.
        cpu_quota: CPU time a second that a container grants, in cores; None without a limit.
        built_with: The BLAS that NumPy says it was built with.
        pools: The BLAS libraries that are loaded in this process, NumPy's first.
        environment: The variables that BLAS libraries read, as far as they are set.
    """

    versions: dict[str, str]
    system: str
    architecture: str
    cpu: str
    cpu_flags: tuple[str, ...]
    cores: int
    cpu_quota: float | None
    built_with: str
    pools: tuple[Pool, ...]
    environment: dict[str, str]

    @property
    def blas(self) -> Pool | None:
        """The BLAS that NumPy's matrix products use, None where it cannot be seen."""
        return pool_of_numpy(self.pools)

    def as_dict(self) -> dict[str, Any]:
        """Return all of it as plain data, fit for JSON."""
        return asdict(self)


def machine() -> Machine:
    """Describe this machine, and this process as it stands: nothing is measured or loaded.

    SciPy's BLAS is among the pools only once a program has imported a part of SciPy that uses it.

    Example:
        >>> from minidl.doctor import machine
        >>> machine().cores >= 1
        True
    """
    return Machine(
        versions=_versions(),
        system=platform.platform(),
        architecture=platform.machine(),
        cpu=cpu_name(),
        cpu_flags=cpu_flags(),
        cores=usable_cores(),
        cpu_quota=cpu_quota(),
        built_with=_built_with(),
        pools=blas_pools(),
        environment={name: os.environ[name] for name in VARIABLES if name in os.environ},
    )


def _versions() -> dict[str, str]:
    from importlib import metadata

    import minidl

    try:
        scipy = metadata.version("scipy")
    except metadata.PackageNotFoundError:
        scipy = "not installed"
    return {
        "python": platform.python_version(),
        "numpy": np.__version__,
        "scipy": scipy,
        "minidl": minidl.__version__,
    }


def _built_with() -> str:
    blas = (np.show_config(mode="dicts") or {}).get("Build Dependencies", {}).get("blas", {})
    return f"{blas.get('name', 'unknown')} {blas.get('version', '')}".strip()
