"""The rate of matrix products in a child process, with the kernels that a variable asks for there.

OpenBLAS holds kernels for several processors and chooses when it is loaded; the environment
variable OPENBLAS_CORETYPE overrules it. Setting it in the child alone leaves this process as it is.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from minidl.doctor import sgemm

SECONDS = 0.1  # for each rate
PATIENCE = 20.0  # seconds until a child is given up


@dataclass(frozen=True)
class Trial:
    """One value of OPENBLAS_CORETYPE, measured in child processes.

    Attributes:
        coretype: The value; None leaves the environment as it is.
        kernels: The kernels that OpenBLAS then loaded: it may ignore a value or map it to another.
        threads: Threads of the first rate.
        sgemm_gflops: Best rate of float32 matrix products with so many threads, in GFLOP/s; None
            where it was not measured.
        sgemm_gflops_one_thread: Best rate on one thread.
        problem: What went wrong, or empty.
    """

    coretype: str | None
    kernels: str | None = None
    threads: int = 1
    sgemm_gflops: float | None = None
    sgemm_gflops_one_thread: float | None = None
    problem: str = ""

    @property
    def setting(self) -> str:
        """The value that chooses these kernels; OpenBLAS knows them by their own names, too."""
        return self.coretype or str(self.kernels).upper()

    def as_dict(self) -> dict[str, Any]:
        """Return all of it as plain data, fit for JSON."""
        return asdict(self)


def run_trial(coretype: str | None, threads: int) -> Trial:
    """Measure once, in a child process; whatever goes wrong there is the trial's `problem`."""
    environment = os.environ | ({"OPENBLAS_CORETYPE": coretype} if coretype else {})
    # -P: a file numpy.py in the working directory must not be what the child imports.
    command = [sys.executable, "-P", str(Path(sgemm.__file__)), str(threads), str(SECONDS)]
    trial = Trial(coretype, threads=threads)
    try:
        done = subprocess.run(
            command,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=PATIENCE,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return replace(trial, problem=f"no answer within {PATIENCE:g} s")
    except OSError as error:
        return replace(
            trial, problem=f"child processes cannot be started ({error.strerror or error})"
        )
    if done.returncode:
        return replace(trial, problem=_ending(done.returncode, done.stderr))
    try:
        return replace(trial, **json.loads(done.stdout.splitlines()[-1]))
    except (ValueError, IndexError, TypeError):
        return replace(trial, problem="the child process gave no answer")


def _ending(code: int, errors: str) -> str:
    if code < 0:
        try:
            return f"crashed ({signal.Signals(-code).name})"
        except ValueError:
            return f"crashed (signal {-code})"
    last = errors.strip().splitlines()[-1:] or [f"exit code {code}"]
    return f"failed ({last[0]})"
