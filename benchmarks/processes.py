"""Contestants as processes that do one thing when asked, and are idle otherwise."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from typing import Any

from benchmarks.contestants import CONTESTANTS
from benchmarks.environments import ROOT, interpreter, missing

PATIENCE = 600.0  # seconds for one answer


class ContestantError(Exception):
    """A contestant cannot take part; the text is what the report says."""


class Process:
    """One contestant's process.

    Args:
        name: Key of `CONTESTANTS`.
        environments: Folder of the peers' environments.
        kernels: `OPENBLAS_CORETYPE`, or "default" to leave OpenBLAS its choice.
        cores: How many the process may use.

    Raises:
        ContestantError: If its environment is missing.
    """

    def __init__(self, name: str, environments: Path, kernels: str, cores: int) -> None:
        self.name = name
        environment = CONTESTANTS[name].environment
        cores = CONTESTANTS[name].cores or cores
        python = sys.executable
        if environment:
            if reason := missing(environments, environment):
                raise ContestantError(reason)
            python = str(interpreter(environments, environment))
        self._log = tempfile.TemporaryFile("w+", errors="replace")  # noqa: SIM115
        self._process = subprocess.Popen(
            [python, "-m", "benchmarks.child", name, str(cores)],
            cwd=ROOT,
            env=variables(kernels, cores),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            text=True,
        )

    def ask(self, command: str, **arguments: Any) -> dict[str, Any]:
        """Send a command and wait for the answer.

        Raises:
            ContestantError: If the contestant says that it failed, dies, or does not answer.
        """
        pipe_in, pipe_out = self._process.stdin, self._process.stdout
        timer = threading.Timer(PATIENCE, self._process.kill)
        timer.start()
        try:
            pipe_in.write(json.dumps({"command": command, **arguments}) + "\n")
            pipe_in.flush()
            line = pipe_out.readline()
        except BrokenPipeError:
            line = ""
        finally:
            timer.cancel()
        if not line:
            raise ContestantError(f"failed: {self._last_words()}")
        answer = json.loads(line)
        if "error" in answer:
            raise ContestantError(f"failed: {answer['error']}")
        return answer

    def close(self) -> None:
        """End the process."""
        self._process.kill()
        self._process.communicate()
        self._log.close()

    def _last_words(self) -> str:
        code = self._process.wait()
        self._log.seek(0)
        lines = self._log.read().strip().splitlines()
        return lines[-1] if lines else f"the process ended without a word (exit code {code})"


def variables(kernels: str, cores: int) -> dict[str, str]:
    """The environment variables of a process: the same kernels and threads for everybody."""
    found = dict(os.environ)
    found.pop("OPENBLAS_CORETYPE", None)
    if kernels != "default":
        found["OPENBLAS_CORETYPE"] = kernels
    for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
        found[name] = str(cores)
    return found | {
        "PYTHONPATH": str(ROOT),
        "CUDA_VISIBLE_DEVICES": "",
        "JAX_PLATFORMS": "cpu",
        "KERAS_BACKEND": "tensorflow",
        "TF_CPP_MIN_LOG_LEVEL": "3",
    }
