"""W8: what a program costs beside time: import, disk, memory."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from benchmarks.contestants import CONTESTANTS
from benchmarks.data import write_start
from benchmarks.environments import ROOT, interpreter, missing, site_packages
from benchmarks.networks import initial_values
from benchmarks.processes import ContestantError, Process
from benchmarks.rounds import Rounds, say, task_arguments
from benchmarks.workloads import WORKLOADS, Workload

Found = dict[str, dict[str, Any]]  # by program

IMPORTS = {  # what is imported, and in whose environment
    "numpy": ("import numpy", "minidl"),
    "minidl": ("import minidl", "minidl"),
    "PyTorch": ("import torch", "torch"),
    "JAX": ("import jax", "jax"),
    "Keras": ("import keras", "keras"),
    "scikit-learn": ("import sklearn.neural_network", "sklearn"),
}
IMPORT_ROUNDS = 5
SIZES = ("minidl", "torch", "jax", "keras", "sklearn")
MEMORY = ("minidl", "handwritten", "torch_eager", "jax_jit", "keras_fit", "sklearn")
MEMORY_WORKLOADS = ("W1-64", "W2")


def import_seconds(folder: Path) -> Found:
    """Seconds of the import statement in fresh interpreters, which take turns."""
    results: Found = {}
    for number in range(IMPORT_ROUNDS + 1):  # the first one reads the files from disk
        for name, (statement, environment) in IMPORTS.items():
            if reason := missing(folder, environment):
                results[name] = {"problem": reason}
            if "problem" in results.setdefault(name, {"seconds": []}):
                continue
            done = run_import(interpreter(folder, environment), statement)
            if done.returncode:
                results[name] = {"problem": f"failed: {done.stderr.strip().splitlines()[-1]}"}
            elif number:
                results[name]["seconds"].append(float(done.stdout.split()[-1]))
    return results


def run_import(python: Path, statement: str) -> subprocess.CompletedProcess[str]:
    """Run a program that prints how long a statement took; minidl is found in the repository."""
    program = f"import time; t = time.perf_counter(); {statement}; print(time.perf_counter() - t)"
    variables = os.environ | {"TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": ""}
    return subprocess.run(
        [python, "-c", program], cwd=ROOT, env=variables, capture_output=True, text=True
    )


def installed_size(folder: Path) -> Found:
    """Bytes of all that an installation brings, without pip."""
    results: Found = {}
    for name in SIZES:
        if reason := missing(folder, name):
            results[name] = {"problem": reason}
            continue
        packages = site_packages(folder, name)
        files = (path for path in packages.rglob("*") if path.is_file() and not path.is_symlink())
        kept = (path for path in files if not is_tool(path.relative_to(packages).parts[0]))
        results[name] = {"bytes": sum(path.stat().st_size for path in kept)}
    return results


def is_tool(package: str) -> bool:
    """Whether a folder belongs to what every new environment has."""
    return package.split("-")[0] in ("pip", "setuptools", "_distutils_hack")


def peak_memory(
    start: Callable[[str], Process], folder: Path, names: Iterable[str]
) -> dict[str, Found]:
    """Memory of one epoch of training, or of one call, each program in a process of its own.

    Args:
        start: Starts a contestant's process by its name.
        folder: Holds the rows.
        names: Of workloads.

    Returns:
        By workload and contestant: bytes of the data, of the process once the program has been
        imported and the data read, and of its peak at the end.
    """
    results: dict[str, Found] = {}
    for workload in (w for w in WORKLOADS if w.name in names):
        write_start(folder, initial_values(workload.layers, workload.input_shape))
        found = results[workload.name] = {}
        for name in (name for name in MEMORY if name in workload.contestants):
            rounds = Rounds(start, folder, 1)
            try:
                found[name] = one_run(rounds, name, workload)
            except ContestantError as error:
                found[name] = {"problem": str(error)}
            finally:
                rounds.close()
            say(f"memory, {workload.title}, {CONTESTANTS[name].label}: {found[name]}")
    return results


def one_run(rounds: Rounds, name: str, workload: Workload) -> dict[str, int]:
    """Figures of one contestant."""
    process = rounds.process(name)
    arguments = task_arguments(workload, rounds.folder) | {"fit_epochs": 1, "loop_epochs": 1}
    loaded = process.ask("load", **arguments)
    process.ask("begin", kind=workload.kind.capitalize())
    training = workload.kind == "training"
    done = process.ask("round") if training else process.ask("calls", count=1)
    return {
        "data": loaded["data_bytes"],
        "before": loaded["memory"],
        "peak": done["peak_memory"],
    }
