"""A whole run: all chosen workloads, once for each kernel setting."""

from __future__ import annotations

import datetime
import os
import tempfile
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks import footprint, scaling, workloads
from benchmarks.data import write_rows, write_sparse_rows
from benchmarks.processes import ContestantError, Process
from benchmarks.rounds import Rounds, say

Results = dict[str, Any]

ALL = (*workloads.WORKLOADS, *scaling.WORKLOADS)
FOOTPRINT = "W8"


def choose(words: list[str]) -> list[str]:
    """Names of the workloads that words such as W1 or W1-64 stand for; all without words.

    Raises:
        ValueError: If a word stands for none.
    """
    names = [*(workload.name for workload in ALL), FOOTPRINT]
    for word in words:
        if not any(word in (name, name.split("-")[0]) for name in names):
            raise ValueError(f"no workload {word!r}; there are {', '.join(names)}")
    return [n for n in names if not words or n in words or n.split("-")[0] in words]


def measure(
    names: list[str], *, rounds: int, threads: int, kernels: list[str], environments: Path
) -> Results:
    """Measure workloads by their names, and return everything that was found."""
    results: Results = {
        "date": datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "threads": threads,
        "rounds": rounds,
        "load": os.getloadavg()[0] if hasattr(os, "getloadavg") else None,
        "runs": [],
        "footprint": None,
        "sparse_memory": None,
    }
    sparse = [workload.name for workload in ALL if workload.sparse and workload.name in names]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        results["data"] = write_rows(folder)
        if sparse:
            write_sparse_rows(folder)
        processes = partial(Process, environments=environments, cores=threads)
        for setting in kernels:
            say(f"kernels: {setting}")
            start = partial(processes, kernels=setting)
            results["runs"].append(one_run(names, setting, Rounds(start, folder, rounds)))
        if FOOTPRINT in names:
            say("import, size, memory")
            results["footprint"] = {
                "import": footprint.import_seconds(environments),
                "size": footprint.installed_size(environments),
                "memory": footprint.peak_memory(
                    partial(processes, kernels=kernels[0]), folder, footprint.MEMORY_WORKLOADS
                ),
            }
        results["sparse_memory"] = footprint.peak_memory(
            partial(processes, kernels=kernels[0]), folder, sparse
        )
    return results


def one_run(names: list[str], kernels: str, rounds: Rounds) -> Results:
    """All workloads with one kernel setting."""
    run: Results = {"kernels": kernels, "machine": None, "rates": None, "workloads": {}}
    try:
        measure_machine(run, rounds)
        for workload in ALL:
            if workload.name in names:
                run["workloads"][workload.name] = rounds.run(workload)
        measure_machine(run, rounds)
        run["versions"] = rounds.versions
    finally:
        rounds.close()
    return run


def measure_machine(run: Results, rounds: Rounds) -> None:
    """Describe the machine, and keep the best rates: something else may be running on it."""
    try:
        answer = rounds.process("minidl").ask("rates")
    except ContestantError as error:
        say(f"the machine's rates: {error}")
        return
    before = run["rates"] or answer["rates"]
    run["machine"] = answer["machine"]
    run["rates"] = {name: max(rate, before[name]) for name, rate in answer["rates"].items()}


def ours_failed(results: Results) -> bool:
    """Whether minidl itself has no result in a workload."""
    return any(
        "problem" in entries["minidl"]
        for run in results["runs"]
        for entries in run["workloads"].values()
    )
