"""Rounds: every contestant does a piece of work, one after the other, again and again."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import sameness
from benchmarks.data import write_start
from benchmarks.networks import initial_values
from benchmarks.processes import ContestantError, Process
from benchmarks.workloads import Workload

PAUSE = 0.1  # seconds: thread pools of the one before stop spinning
CALL_SECONDS = 0.2  # of a round of inference, about
CALLS = 3, 20_000


def say(text: str) -> None:
    """Progress, for whoever waits."""
    print(text, file=sys.stderr, flush=True)


class Rounds:
    """Runs workloads with processes that are started when first needed.

    Args:
        start: Starts a contestant's process by its name.
        folder: Holds the rows; initial values and results are written there too.
        count: Rounds that are counted; one before them warms up.
    """

    def __init__(self, start: Callable[[str], Process], folder: Path, count: int) -> None:
        self._start, self.folder, self.count = start, folder, count
        self.processes: dict[str, Process] = {}
        self.failed: dict[str, str] = {}
        self.versions: dict[str, dict[str, str]] = {}

    def run(self, workload: Workload) -> dict[str, dict[str, Any]]:
        """Measure a workload.

        Returns:
            For each contestant either `seconds`, one value a step and round, and `difference`, how
            far its results are from minidl's; or `problem`, why there are none.
        """
        say(workload.title)
        results = self._prepare_all(workload)
        for number in range(min(self.count, workload.most_rounds) + 1):
            names = [name for name, found in results.items() if "problem" not in found]
            turn = number % max(len(names), 1)  # nobody always follows the same one
            for name in names[turn:] + names[:turn]:
                try:
                    seconds = self._round(name, workload)
                except ContestantError as error:
                    results[name] = self._problem(name, error)
                else:
                    results[name]["seconds"] += [seconds] if number else []
        for name, found in results.items():
            if "seconds" in found:
                say(f"    {name:22} {min(found['seconds']) * 1e6:12,.1f} us at best")
        return results

    def close(self) -> None:
        """End all processes."""
        for process in self.processes.values():
            process.close()
        self.processes.clear()

    def process(self, name: str) -> Process:
        """A contestant's process, started if need be."""
        if name in self.failed:
            raise ContestantError(self.failed[name])
        if name not in self.processes:
            try:
                self.processes[name] = self._start(name)
                self.versions[name] = self.processes[name].ask("hello")["versions"]
            except ContestantError as error:
                self.failed[name] = str(error)
                raise
        return self.processes[name]

    def _problem(self, name: str, error: ContestantError) -> dict[str, str]:
        say(f"    {name:22} {error}")
        if name in self.processes:  # it may be dead; a later workload starts it anew
            self.processes.pop(name).close()
        return {"problem": str(error)}

    def _prepare_all(self, workload: Workload) -> dict[str, dict[str, Any]]:
        """Let everybody load the data and do the agreed work, and compare the results."""
        write_start(self.folder, initial_values(workload.layers, workload.input_shape))
        results: dict[str, dict[str, Any]] = {}
        ours: list[np.ndarray] = []
        for name in workload.contestants:  # minidl is the first
            try:
                theirs = self._prepare(name, workload)
                ours = ours or theirs
                results[name] = {"seconds": [], "difference": sameness.difference(ours, theirs)}
            except ContestantError as error:
                results[name] = self._problem(name, error)
        return results

    def _prepare(self, name: str, workload: Workload) -> list[np.ndarray]:
        process = self.process(name)
        process.ask("load", **task_arguments(workload, self.folder))
        process.ask("begin", kind=workload.kind.capitalize())
        return sameness.result(process, workload, self.folder / "result.npz")

    def _round(self, name: str, workload: Workload) -> float:
        time.sleep(PAUSE)
        process = self.processes[name]
        if workload.kind == "training":
            answer = process.ask("round")
        else:
            process.ask("calls", count=1)  # the first call after a pause is no measure
            one = process.ask("calls", count=1)["seconds"]
            least, most = CALLS
            count = int(min(max(CALL_SECONDS / one, least), most))
            answer = process.ask("calls", count=count)
        return float(answer["seconds"] / answer["steps"])


def task_arguments(workload: Workload, folder: Path) -> dict[str, Any]:
    """A workload as the arguments of a contestant's `load`."""
    return {
        "folder": str(folder),
        "layers": workload.layers,
        "input_shape": workload.input_shape,
        "rows": workload.rows,
        "sparse": workload.sparse,
        "optimizer": workload.optimizer,
        "batch_size": workload.batch_size,
        "fit_epochs": workload.fit_epochs,
        "loop_epochs": workload.loop_epochs,
    }
