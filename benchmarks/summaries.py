"""Arithmetic on rounds: best, median, and ratios of a peer's time to minidl's."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import median
from typing import Any

OURS = "minidl"


@dataclass(frozen=True)
class Summary:
    """What came out for one contestant in one workload.

    Attributes:
        best: Least seconds a step.
        median: Median of all rounds.
        ratio: Median over the rounds of this contestant's seconds by minidl's; None without those.
        ratio_of_bests: The best of this contestant by the best of minidl.
        ratio_range: Least and largest ratio of a run, where there were several runs.
        difference: How far its results are from minidl's.
    """

    best: float
    median: float
    ratio: float | None
    ratio_of_bests: float | None
    ratio_range: tuple[float, float] | None
    difference: float


def summarize(runs: list[dict[str, dict[str, Any]]], name: str) -> Summary | str:
    """Sum up a contestant over runs of one workload, or return why it has no result.

    Args:
        runs: For each run the results by contestant, as `Rounds.run` returns them.
        name: The contestant.
    """
    entries = [run[name] for run in runs if name in run]
    good = [entry for entry in entries if "problem" not in entry]
    if not good:
        return entries[0]["problem"] if entries else "not measured"
    seconds = [s for entry in good for s in entry["seconds"]]
    pairs = [
        (run[name]["seconds"], run[OURS]["seconds"])
        for run in runs
        if "seconds" in run.get(name, {}) and "seconds" in run.get(OURS, {})
    ]
    by_run = [[a / b for a, b in zip(*pair, strict=True)] for pair in pairs]
    medians = [median(ratios) for ratios in by_run]
    return Summary(
        best=min(seconds),
        median=median(seconds),
        ratio=median(r for ratios in by_run for r in ratios) if pairs else None,
        ratio_of_bests=min(min(a) for a, _ in pairs) / min(min(b) for _, b in pairs)
        if pairs
        else None,
        ratio_range=(min(medians), max(medians)) if len(medians) > 1 else None,
        difference=max(entry["difference"] for entry in good),
    )


def verdict(ratio: float, target: float) -> str:
    """Whether a ratio reaches its target, and by how much it misses or exceeds it."""
    if ratio >= target:
        return f">= {target:g}: met, +{ratio - target:.2f}"
    return f">= {target:g}: missed by {target - ratio:.2f}"
