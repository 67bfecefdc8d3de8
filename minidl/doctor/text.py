"""The report as a person reads it: a label, and what there is to say, in aligned lines."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from typing import TYPE_CHECKING

from minidl.doctor.facts import VARIABLES, Machine
from minidl.doctor.rates import Rates
from minidl.doctor.trials import Trial

if TYPE_CHECKING:
    from minidl.doctor.report import Report

INDENT, WIDTH = 12, 96


def report_text(report: Report) -> str:
    """Return the report as lines of at most `WIDTH` characters, but for names that are longer."""
    rows = [
        *_machine(report.machine),
        ("", ""),
        *_rates(report.machine, report.rates),
        *_kernels(report.machine, report.trials),
        ("", ""),
    ]
    remarks = [("warning", text) for text in report.warnings]
    remarks += [("note", text) for text in report.notes]
    if report.advice.coretype:
        remarks.insert(0, ("", "Set the variable before Python starts, such as with export."))
    lines = [line for row in rows for line in _entry(*row)]
    lines.append(f"{'advice':<{INDENT}}{report.advice.text}")  # one line, to be found and copied
    return "\n".join([*lines, *(line for row in remarks for line in _entry(*row))])


def _entry(label: str, text: str) -> list[str]:
    lines = textwrap.wrap(text, WIDTH - INDENT, break_long_words=False, break_on_hyphens=False)
    labels = [label] + [""] * len(lines)
    return [f"{a:<{INDENT}}{b}".rstrip() for a, b in zip(labels, lines or [""], strict=False)]


def _machine(found: Machine) -> Iterator[tuple[str, str]]:
    versions = found.versions
    yield "minidl", f"{versions['minidl']}, Python {versions['python']}"
    yield "NumPy", f"{versions['numpy']}, SciPy {versions['scipy']}"
    yield "system", found.system
    yield "processor", found.cpu
    yield "", " ".join(found.cpu_flags) or "(which instructions it has is not known)"
    quota = "" if found.cpu_quota is None else f", CPU time of {found.cpu_quota:g} granted"
    yield "cores", f"{found.cores} for this process{quota}"
    if found.blas is None:
        yield "BLAS", f"NumPy: {found.built_with}; its threads and kernels cannot be seen"
    for pool in found.pools:
        yield ("BLAS" if pool is found.pools[0] else ""), f"{pool.owner}: {pool}"
    variables = [f"{name}={value}" for name, value in found.environment.items()]
    yield "variables", ", ".join(variables) or f"none set ({', '.join(VARIABLES)})"


def _rates(found: Machine, rates: Rates) -> Iterator[tuple[str, str]]:
    one = rates.sgemm_gflops_one_thread
    if found.blas is None or one is None:
        yield "products", f"{rates.sgemm_gflops:.0f} GFLOP/s"
    else:
        yield "products", _products(rates.sgemm_gflops, one, found.blas.threads)
    memory = rates.memory_gb_per_s
    yield "memory", f"{memory:.1f} GB/s, copied by 1 thread" if memory else "not measured"


def _kernels(found: Machine, trials: list[Trial]) -> Iterator[tuple[str, str]]:
    measured = [trial for trial in trials if trial.sgemm_gflops and trial.sgemm_gflops_one_thread]
    width = max((len(str(trial.kernels)) for trial in measured), default=0)
    digits = max((len(f"{trial.sgemm_gflops:.0f}") for trial in measured), default=1)
    for number, trial in enumerate(measured):
        rates = trial.sgemm_gflops or 0.0, trial.sgemm_gflops_one_thread or 0.0
        in_use = found.blas is not None and trial.kernels == found.blas.kernels
        products = _products(*rates, trial.threads, digits)
        how = "in use" if in_use else f"OPENBLAS_CORETYPE={trial.setting}"
        yield ("" if number else "kernels"), f"{trial.kernels!s:<{width}}  {products}, {how}"


def _products(rate: float, one: float, threads: int, digits: int = 1) -> str:
    if threads == 1:
        return f"{rate:{digits}.0f} GFLOP/s on 1 thread"
    return f"{rate:{digits}.0f} GFLOP/s on {threads} threads, {one:{digits}.0f} on 1"
