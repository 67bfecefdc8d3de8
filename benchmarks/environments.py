"""A virtual environment for each program, so that none disturbs another's packages or threads."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
DEFAULT_FOLDER = ROOT / "benchmarks" / "environments"

NUMPY, SCIPY = "numpy==2.4.6", "scipy==1.17.1"
# SciPy only where the program needs it: installed sizes are compared. PyTorch and TensorFlow are
# the CPU builds; where pip's default index has PyTorch for GPUs only, tell pip of another one.
PACKAGES = {
    "minidl": (str(ROOT), NUMPY, SCIPY),
    "torch": ("torch==2.13.0", NUMPY),
    "jax": ("jax==0.10.2", NUMPY, SCIPY),
    "keras": ("tensorflow-cpu==2.21.0", "keras==3.15.1", NUMPY),
    "sklearn": ("scikit-learn==1.9.1", NUMPY, SCIPY),
}


def interpreter(folder: Path, name: str) -> Path:
    """Path of an environment's Python, whether or not it is there."""
    return folder / name / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def missing(folder: Path, name: str) -> str:
    """What the report says of a program without an environment; empty if it has one."""
    if interpreter(folder, name).exists():
        return ""
    return f"missing: run `python -m benchmarks setup {name}`"


def set_up(folder: Path, names: list[str]) -> list[str]:
    """Make the environments, or bring them to the pinned versions; returns those that failed."""
    failed = []
    for name in names or list(PACKAGES):
        print(f"{name}: {', '.join(PACKAGES[name])}", file=sys.stderr, flush=True)
        python = interpreter(folder, name)
        commands = [[str(python), "-m", "pip", "install", "--quiet", *PACKAGES[name]]]
        if not python.exists():
            commands.insert(0, [sys.executable, "-m", "venv", str(folder / name)])
        if any(subprocess.run(command).returncode for command in commands):
            failed.append(name)
    return failed


def site_packages(folder: Path, name: str) -> Path:
    """Where an environment keeps its packages."""
    return next((folder / name).glob("[lL]ib*/**/site-packages"))
