"""The processor's name, and which of the instructions that matter here it has."""

from __future__ import annotations

import platform
import subprocess
from pathlib import Path

import numpy as np

# What matrix kernels are chosen by, in the names that Linux gives them.
FLAGS_THAT_MATTER = (
    *("avx", "avx2", "fma", "avx512f", "avx512cd", "avx512bw", "avx512dq", "avx512vl"),
    *("avx512_bf16", "avx512_fp16", "amx_tile", "amx_bf16"),
    *("asimd", "bf16", "sve", "sve2"),  # 64-bit ARM
)
# What NumPy calls them; it groups those that come together.
NUMPY_GROUPS = {
    "AVX": ("avx",),
    "AVX2": ("avx2",),
    "FMA3": ("fma",),
    "X86_V3": ("avx", "avx2", "fma"),
    "AVX512_SKX": ("avx512f", "avx512cd", "avx512bw", "avx512dq", "avx512vl"),
    "X86_V4": ("avx512f", "avx512cd", "avx512bw", "avx512dq", "avx512vl"),
}


def cpu_name(root: Path = Path("/")) -> str:
    """Return the processor's name as the system gives it.

    Args:
        root: The file system's root; another one in tests.
    """
    info = _first_processor(root)
    name = info.get("model name") or _sysctl_name() or platform.processor() or platform.machine()
    if "cpu family" in info and "model" in info:  # the names of rented machines say little
        return f"{name} (family {info['cpu family']}, model {info['model']})"
    return name or "unknown"


def cpu_flags(root: Path = Path("/")) -> tuple[str, ...]:
    """Return those of `FLAGS_THAT_MATTER` that the processor has and the system allows."""
    info = _first_processor(root)
    words = (info.get("flags") or info.get("Features") or "").split()
    found = set(words) or _flags_from_numpy()
    return tuple(flag for flag in FLAGS_THAT_MATTER if flag in found)


def _first_processor(root: Path) -> dict[str, str]:
    try:
        text = (root / "proc/cpuinfo").read_text(errors="replace")
    except OSError:  # not Linux
        return {}
    lines = [line.partition(":") for line in text.partition("\n\n")[0].splitlines()]
    return {key.strip(): value.strip() for key, _, value in lines}


def _sysctl_name() -> str:
    if platform.system() != "Darwin":
        return ""
    try:
        command = ["sysctl", "-n", "machdep.cpu.brand_string"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=5, check=False)
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stdout.strip()


def _flags_from_numpy() -> set[str]:
    simd = (np.show_config(mode="dicts") or {}).get("SIMD Extensions", {})
    groups = [*simd.get("baseline", []), *simd.get("found", [])]
    return {flag for group in groups for flag in NUMPY_GROUPS.get(group, ())}
