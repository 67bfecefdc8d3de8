"""The head of the report: on which machine, with which settings and versions."""

from __future__ import annotations

from typing import Any

from benchmarks.contestants import CONTESTANTS
from benchmarks.tables import Runs, table


def head(files: list[dict[str, Any]], runs: Runs) -> str:
    """Machine, settings and versions, as a table."""
    first = files[0]
    rows = {
        "date": ", ".join(file["date"] for file in files),
        "rows": first["data"],
        "threads": f"{first['threads']} for every program, on as many cores",
        "rounds": ", ".join(str(file["rounds"]) for file in files) + ", after one to warm up",
    }
    loads = [f"{file['load']:.1f}" for file in files if file.get("load") is not None]
    if loads:  # figures from a busy machine mean little
        rows["load in the minute before"] = ", ".join(loads)
    for kernels, group in runs.items():
        if machine := group[0]["machine"]:
            rows["CPU"] = machine["cpu"]
            rows["system"] = machine["system"]
            rows[f"BLAS under NumPy, {kernels}"] = blas(machine["pools"])
    rows["versions"] = versions(runs)
    return table(["", ""], [[f"**{name}**", text] for name, text in rows.items()])


def blas(pools: list[dict[str, Any]]) -> str:
    """The library that NumPy multiplies with, its kernels and threads."""
    chosen = [pool for pool in pools if pool["owner"] == "NumPy"] or pools
    return ", ".join(
        f"{pool['name']} {pool['version']}, {pool['kernels']} kernels, {pool['threads']} threads"
        for pool in chosen
    )


def versions(runs: Runs) -> str:
    """All packages with their versions, as the contestants' own processes found them."""
    found: dict[str, dict[str, None]] = {}
    for run in (run for group in runs.values() for run in group):
        several = [(run["machine"] or {}).get("versions", {})]
        several += [run["versions"].get(name, {}) for name in CONTESTANTS]
        for package, version in (pair for one in several for pair in one.items()):
            found.setdefault(package, {})[version] = None
    return ", ".join(f"{package} {' and '.join(known)}" for package, known in found.items())
