"""Markdown tables of what was measured."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from benchmarks.contestants import CONTESTANTS
from benchmarks.limits import step_limit
from benchmarks.summaries import OURS, Summary, summarize, verdict
from benchmarks.workloads import Workload

Runs = dict[str, list[dict[str, Any]]]  # by kernels


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table; columns are set to the right, but for the first and any without a name."""
    rule = ["---:" if i and name else "---" for i, name in enumerate(head)]
    lines = [head, rule, *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def workload_table(workload: Workload, runs: Runs) -> str:
    """One row a contestant; for each kernel setting time, ratio to minidl, target."""
    unit, scale = time_unit(workload)
    throughput = workload.kind == "inference" and workload.batch_size > 1
    head = ["program"]
    for kernels in runs:
        head += [f"{kernels}: best / median, {unit}", "ratio / of bests"]
        head += ["million rows/s"] if throughput else []
        head += ["target"] if workload.targets else []
    rows = []
    for name in workload.contestants:
        contestant = CONTESTANTS[name]
        label = contestant.label
        if workload.kind == "inference":
            label = contestant.inference_label or label
        row = [label]
        for kernels, group in runs.items():
            found = summarize(of_workload(group, workload), name)
            if isinstance(found, str):
                row += [found, *[""] * (len(head) // len(runs) - 1)]
                continue
            row += [f"{number(found.best * scale)} / {number(found.median * scale)}", ratios(found)]
            row += [f"{workload.batch_size / found.median / 1e6:.2f}"] if throughput else []
            if workload.targets:
                row.append(target(workload, name, kernels, found))
        rows.append(row)
    return table(head, rows)


def time_unit(workload: Workload) -> tuple[str, float]:
    """In what to give its times, and how many of it are a second."""
    return ("ms", 1e3) if workload.batch_size >= 10_000 else ("us", 1e6)


def of_workload(group: list[dict[str, Any]], workload: Workload) -> list[dict[str, Any]]:
    """The results of those runs that have this workload."""
    return [run["workloads"][workload.name] for run in group if workload.name in run["workloads"]]


def target(workload: Workload, name: str, kernels: str, found: Summary) -> str:
    """The verdict on a contestant's target, if it has one."""
    if name not in workload.targets or found.ratio is None:
        return ""
    return verdict(found.ratio, workload.targets[name][kernels != "default"])


def ratios(found: Summary) -> str:
    """Both ratios, and the range over runs where there is one."""
    if found.ratio is None:
        return ""
    text = f"{found.ratio:.2f} / {found.ratio_of_bests:.2f}"
    if found.ratio_range:
        text += " ({:.2f} to {:.2f})".format(*found.ratio_range)
    return text


def limit_table(workloads: Sequence[Workload], runs: Runs) -> str:
    """For each training workload the least possible time, and which part of it minidl reaches."""
    head = ["workload"]
    for kernels in runs:
        head += [f"{kernels}: limit, us", "set by", "minidl, us", "reached"]
    rows = []
    for workload in workloads:
        row = [f"{workload.group}: {workload.title}"]
        for group in runs.values():
            found = summarize(of_workload(group, workload), OURS)
            rates = next((run["rates"] for run in group if run["rates"]), None)
            if isinstance(found, str) or rates is None:
                row += ["", "", "", ""]
                continue
            limit = step_limit(workload, rates)
            row += [number(limit.seconds * 1e6), limit.cause, number(found.best * 1e6)]
            row.append(f"{limit.seconds / found.best:.0%}")
        rows.append(row)
    return table(head, rows)


def difference_table(workloads: Sequence[Workload], runs: Runs) -> str:
    """How far each contestant's results are from minidl's in the check before timing."""
    names = [name for name in CONTESTANTS if name != OURS]
    names = [name for name in names if any(name in w.contestants for w in workloads)]
    rows = []
    for workload in workloads:
        results = [r for group in runs.values() for r in of_workload(group, workload)]
        found = [summarize(results, name) for name in names]
        rows.append([workload.name] + [_difference(summary) for summary in found])
    return table(["", *(CONTESTANTS[name].label for name in names)], rows)


def _difference(found: Summary | str) -> str:
    return f"{found.difference:.0e}" if isinstance(found, Summary) else ""


def number(value: float) -> str:
    """Three digits or more."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"
