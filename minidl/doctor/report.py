"""All that `minidl doctor` finds out."""

from __future__ import annotations

import contextlib
from dataclasses import asdict, dataclass
from importlib import import_module
from typing import Any

from minidl.doctor.advice import Advice, kernel_advice
from minidl.doctor.facts import Machine, machine
from minidl.doctor.kernels import measure_kernels
from minidl.doctor.oversubscription import notes_about, warnings_about
from minidl.doctor.rates import Rates, measure_rates
from minidl.doctor.text import report_text
from minidl.doctor.trials import Trial


@dataclass(frozen=True)
class Report:
    """What was found, measured and concluded; `print(report)` shows it.

    Attributes:
        machine: What is known without measuring.
        rates: Matrix products and memory in this process.
        trials: OpenBLAS with other kernels, each in child processes.
        advice: Which kernels to set.
        warnings: What should be changed.
        notes: What is good to know.
    """

    machine: Machine
    rates: Rates
    trials: list[Trial]
    advice: Advice
    warnings: list[str]
    notes: list[str]

    def as_dict(self) -> dict[str, Any]:
        """Return all of it as plain data, fit for JSON."""
        return asdict(self)

    def __str__(self) -> str:
        return report_text(self)


def examine() -> Report:
    """Examine this machine, which takes a few seconds: all that `minidl doctor` prints.

    SciPy's linear algebra is imported, so that its BLAS is seen. No environment variable is
    changed.
    """
    with contextlib.suppress(ImportError):
        import_module("scipy.linalg")
    found = machine()
    rates = measure_rates()
    trials = measure_kernels(found)
    failed = [
        f"OPENBLAS_CORETYPE={trial.coretype} was not measured: {trial.problem}."
        for trial in trials
        if trial.problem and trial.coretype
    ]
    return Report(
        machine=found,
        rates=rates,
        trials=trials,
        advice=kernel_advice(found, trials),
        warnings=warnings_about(found),
        notes=[*notes_about(found, rates), *failed],
    )
