"""How much of the cores this process is granted."""

from __future__ import annotations

from pathlib import Path


def cpu_quota(root: Path = Path("/")) -> float | None:
    """Return the CPU time a second that control groups grant (2.0: two cores' worth), or None.

    A container with such a quota still sees all cores. Every group above this process counts, so
    the smallest quota is the one that holds.

    Args:
        root: The file system's root; another one in tests.
    """
    try:
        lines = (root / "proc/self/cgroup").read_text().splitlines()
    except OSError:  # not Linux, or hidden
        return None
    quotas = []
    for line in lines:
        number, controllers, group = [*line.split(":", 2), "", ""][:3]
        if number == "0" and not controllers:  # version 2
            quotas += [_quota_v2(folder) for folder in _with_parents(root, "", group)]
        elif "cpu" in controllers.split(","):  # version 1
            for mount in {"cpu", controllers}:
                quotas += [_quota_v1(folder) for folder in _with_parents(root, mount, group)]
    return min((quota for quota in quotas if quota is not None), default=None)


def _with_parents(root: Path, mount: str, group: str) -> list[Path]:
    top = root / "sys/fs/cgroup" / mount
    parts = [part for part in group.split("/") if part not in ("", "..")]
    return [top.joinpath(*parts[:count]) for count in range(len(parts) + 1)]


def _quota_v2(folder: Path) -> float | None:
    try:
        quota, period = (folder / "cpu.max").read_text().split()
        return int(quota) / int(period)
    except (OSError, ValueError, ZeroDivisionError):  # no such file, or "max": no limit
        return None


def _quota_v1(folder: Path) -> float | None:
    try:
        quota = int((folder / "cpu.cfs_quota_us").read_text())
        period = int((folder / "cpu.cfs_period_us").read_text())
        return quota / period if quota > 0 else None  # -1: no limit
    except (OSError, ValueError, ZeroDivisionError):
        return None
