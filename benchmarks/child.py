"""A contestant's process: `python -m benchmarks.child NAME CORES` answers JSON lines.

Each line on standard input is `{"command": ..., other arguments}`, each answer one line on standard
output. Imports wait until the process is confined to its cores: thread pools look at them then.
"""

from __future__ import annotations

import json
import os
import sys
from typing import Any


def confine(cores: int) -> None:
    """Let this process run on so many cores only, where the system can do that."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:cores])


class Child:
    """The commands, one method each; what they return is the answer."""

    def __init__(self, name: str, cores: int) -> None:
        self.name, self.cores = name, cores
        self.task: Any = None
        self.running: Any = None
        self.inputs: list[Any] = []

    def hello(self) -> dict[str, Any]:
        """Import the program and say which versions were found."""
        from importlib import import_module, metadata

        from benchmarks.contestants import CONTESTANTS

        contestant = CONTESTANTS[self.name]
        module = contestant.module or self.name
        self.module = import_module(f"benchmarks.contestants.{module}")
        return {"versions": {name: metadata.version(name) for name in contestant.packages}}

    def load(
        self,
        folder: str,
        rows: int,
        input_shape: list[int],
        layers: list[Any],
        sparse: bool = False,
        **options: Any,
    ) -> dict[str, Any]:
        """Read data and initial values from files."""
        import gc

        from benchmarks.contestants.task import Task
        from benchmarks.data import bytes_of, read_rows, read_sparse_rows, read_start

        self.running, self.task, self.inputs = None, None, []
        gc.collect()
        x, y = (read_sparse_rows if sparse else read_rows)(folder, rows)
        network = tuple(tuple(layer) for layer in layers)
        x = x.reshape(len(y), *input_shape)
        start = read_start(folder)
        self.task = Task(x, y, network, start, threads=self.cores, **options)
        return {"data_bytes": bytes_of(x) + bytes_of(y)}

    def begin(self, kind: str) -> dict[str, Any]:
        """Build the network: kind is "Training" or "Inference"."""
        self.running = getattr(self.module, kind)(self.task)
        return {}

    def in_order(self, rows: int, epochs: int, path: str) -> dict[str, Any]:
        """Train without shuffling, and write the parameters to a file."""
        from benchmarks.data import write_arrays

        self.running.in_order(rows, epochs)
        write_arrays(path, self.running.parameters())
        return {}

    def probabilities(self, rows: int, path: str) -> dict[str, Any]:
        """Write the outputs for the first rows to a file."""
        from benchmarks.data import write_arrays

        write_arrays(path, [self.running.probabilities(self.task.x[:rows])])
        return {}

    def round(self) -> dict[str, Any]:
        """Train on shuffled rows, and say how long that took."""
        import gc
        import time

        gc.collect()
        start = time.perf_counter()
        steps = self.running.round()
        return {"seconds": time.perf_counter() - start, "steps": steps}

    def calls(self, count: int) -> dict[str, Any]:
        """Call the network so many times, with other rows each time."""
        import gc
        import itertools
        import time

        size, running = self.task.batch_size, self.running
        if not self.inputs:
            blocks = range(0, min(len(self.task.y), 100 * size), size)
            self.inputs = [running.convert(self.task.x[i : i + size]) for i in blocks]
        inputs = list(itertools.islice(itertools.cycle(self.inputs), count))
        gc.collect()
        call = running.call
        start = time.perf_counter()
        for x in inputs:
            call(x)
        return {"seconds": time.perf_counter() - start, "steps": count}

    def rates(self) -> dict[str, Any]:
        """What this machine is, and how fast it multiplies and reads (minidl's process only)."""
        from minidl.doctor import machine, measure_rates

        return {"machine": machine().as_dict(), "rates": measure_rates(seconds=0.2).as_dict()}


def memory() -> dict[str, int]:
    """Bytes of memory that this process uses now, and the most that it ever used.

    Not `ru_maxrss` where Linux has something better: a new process inherits its parent's there.
    """
    try:
        with open("/proc/self/status") as file:
            fields = dict(line.split(":", 1) for line in file)
        return {
            "memory": int(fields["VmRSS"].split()[0]) * 1024,
            "peak_memory": int(fields["VmHWM"].split()[0]) * 1024,
        }
    except (OSError, KeyError):
        import resource

        unit = 1 if sys.platform == "darwin" else 1024
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
        return {"memory": peak, "peak_memory": peak}


def main() -> None:
    """Answer until the input ends. What libraries print goes to standard error."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    name, cores = sys.argv[1], int(sys.argv[2])
    confine(cores)
    child = Child(name, cores)
    for line in sys.stdin:
        arguments = json.loads(line)
        try:
            answer = getattr(child, arguments.pop("command"))(**arguments) | memory()
        except Exception as error:  # the parent reports it
            import traceback

            traceback.print_exc()
            text = str(error).strip() or "no message"
            answer = {"error": f"{type(error).__name__}: {text.splitlines()[-1]}"}
        print(json.dumps(answer), file=answers, flush=True)


if __name__ == "__main__":
    main()
