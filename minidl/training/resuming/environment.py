"""What the bits of a run depend on besides the program: libraries, threads, the machine."""

from __future__ import annotations

import platform
from collections.abc import Mapping
from typing import Any

import numpy as np

import minidl

THREADS = "threads of the BLAS"


def environment() -> dict[str, Any]:
    """Return the versions, the BLAS with its kernels and threads, and the kind of machine."""
    return {
        "minidl": minidl.__version__,
        "NumPy": np.__version__,
        **_blas(),
        "machine": f"{platform.system()} {platform.machine()}",
        "instructions NumPy uses": _instructions(),
    }


def _blas() -> dict[str, Any]:
    """NumPy's BLAS, where it can be seen, at the number of threads it has now."""
    from threadpoolctl import threadpool_info

    try:
        found = threadpool_info()
    except (OSError, RuntimeError):  # it reads the list of loaded libraries, which may be hidden
        return {}
    pools = [pool for pool in found if pool.get("user_api") == "blas"]
    own = [pool for pool in pools if "/scipy" not in pool["filepath"].replace("\\", "/")]
    if not own:
        return {}
    return {
        "BLAS": f"{own[0]['internal_api']} {own[0].get('version')}",
        "kernels of the BLAS": own[0].get("architecture"),
        THREADS: own[0]["num_threads"],
    }


def _instructions() -> str:
    settings: Any = np.show_config(mode="dicts")
    return " ".join(settings.get("SIMD Extensions", {}).get("found", []))


def changes(saved: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """In what the environment is not that of a checkpoint."""
    return [
        f"{name}: {saved[name]} there, {now[name]} here"
        for name in saved
        if name in now and saved[name] != now[name]
    ]
