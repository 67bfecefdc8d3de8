"""minidl's estimators beside scikit-learn's of the same names, as a Markdown table.

    python -m benchmarks.sklearn_estimators [--seeds 5] [--only digits] [--threads 1]

Both have the same settings and data, and each seed gives both the same initial weights and order of
samples. They fit in turns in one process, which has one BLAS thread, and then as many as there are
cores. Times are medians over the seeds; beside other work, that of the CPU is the one to look at.
Needs scikit-learn, and MNIST in `MINIDL_DATA_DIR` or the cache.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from benchmarks.tables import table

Data = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]


def mnist(rows: int, dtype: str) -> Data:
    import minidl as dl

    (x, y), (x_test, y_test) = dl.load_mnist()
    return x[:rows].astype(dtype), y[:rows], x_test.astype(dtype), y_test


def split(load: Callable[[], Any]) -> Data:
    from sklearn.model_selection import train_test_split
    from sklearn.preprocessing import StandardScaler

    x, y = load()
    x, x_test, y, y_test = train_test_split(x, y, random_state=0)
    scaler = StandardScaler().fit(x)
    if y.dtype.kind == "f":  # default settings are for targets around 1
        mean, deviation = y.mean(), y.std()
        y, y_test = (y - mean) / deviation, (y_test - mean) / deviation
    return scaler.transform(x), y, scaler.transform(x_test), y_test


def digits() -> Data:
    from sklearn.datasets import load_digits

    return split(lambda: load_digits(return_X_y=True))


def diabetes() -> Data:
    from sklearn.datasets import load_diabetes

    return split(lambda: load_diabetes(return_X_y=True))


def friedman() -> Data:
    from sklearn.datasets import make_friedman1

    return split(lambda: make_friedman1(5000, noise=1.0, random_state=0))


WORKLOADS: dict[str, tuple[str, Callable[[], Data], dict[str, Any]]] = {
    "digits, 1,347 rows": ("MLPClassifier", digits, {}),
    "digits, lbfgs": ("MLPClassifier", digits, {"solver": "lbfgs"}),
    "MNIST, 10,000 rows, float64": (
        "MLPClassifier", lambda: mnist(10_000, "float64"), {"max_iter": 10},
    ),
    "MNIST, 60,000 rows, float32": (
        "MLPClassifier", lambda: mnist(60_000, "float32"), {"max_iter": 5},
    ),
    "diabetes, 331 rows": ("MLPRegressor", diabetes, {}),
    "Friedman 1, 3,750 rows": ("MLPRegressor", friedman, {}),
}  # fmt: skip


def measure(name: str, seeds: int) -> dict[str, list[dict[str, float]]]:
    """Seconds, CPU seconds, test score and epochs of both, for every seed."""
    from sklearn import neural_network

    from minidl import sklearn as ours

    warnings.simplefilter("ignore")  # not every run converges
    kind, load, settings = WORKLOADS[name]
    x, y, x_test, y_test = load()
    found: dict[str, list[dict[str, float]]] = {"minidl": [], "scikit-learn": []}
    rooms = [("minidl", ours), ("scikit-learn", neural_network)]
    for _, room in rooms:  # to warm up
        getattr(room, kind)(max_iter=1, random_state=0).fit(x[:1000], y[:1000])
    for seed in range(seeds):
        for who, room in rooms[:: 1 if seed % 2 else -1]:  # nobody always comes first
            estimator = getattr(room, kind)(**settings, random_state=seed)
            begin, begin_cpu = time.perf_counter(), time.process_time()
            estimator.fit(x, y)
            seconds, cpu = time.perf_counter() - begin, time.process_time() - begin_cpu
            run = {"seconds": seconds, "cpu": cpu, "epochs": estimator.n_iter_}
            found[who].append(run | {"score": estimator.score(x_test, y_test)})
    return found


def rows_of(name: str, threads: str, seeds: int) -> Iterator[list[str]]:
    """A row of the table, measured in a process of its own."""
    environment = dict(os.environ)
    for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        environment.pop(variable, None)
        if threads == "1":
            environment[variable] = threads
    command = [sys.executable, "-m", "benchmarks.sklearn_estimators", "--child", name, str(seeds)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    found = json.loads(done.stdout)
    mine, theirs = found["minidl"], found["scikit-learn"]

    def column(runs: list[dict[str, float]], key: str) -> list[float]:
        return [run[key] for run in runs]

    def scores(runs: list[dict[str, float]]) -> str:
        values = column(runs, "score")
        return f"{statistics.mean(values):.4f} ± {np.std(values):.4f}"

    seconds = [statistics.median(column(runs, "seconds")) for runs in (mine, theirs)]

    def ratio(key: str) -> str:
        pairs = zip(column(mine, key), column(theirs, key), strict=True)
        return f"{statistics.median(b / a for a, b in pairs):.2f}"

    epochs = [f"{statistics.median(column(runs, 'epochs')):g}" for runs in (mine, theirs)]
    yield [
        *(name, threads, scores(mine), scores(theirs), *epochs),
        *(f"{value:.3g}" for value in seconds),
        ratio("seconds"),
        ratio("cpu"),
    ]


def main() -> None:
    if sys.argv[1:2] == ["--child"]:
        print(json.dumps(measure(sys.argv[2], int(sys.argv[3]))))
        return
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--only", default="", help="workloads whose names hold this word")
    parser.add_argument("--threads", nargs="+", choices=("1", "all"), default=("1", "all"))
    arguments = parser.parse_args()
    load = os.getloadavg()[0]
    head = ["", "BLAS threads", "score, minidl", "score, scikit-learn", "epochs, minidl"]
    head += ["epochs, scikit-learn", "seconds, minidl", "seconds, scikit-learn", "times faster"]
    head += ["times less CPU"]
    rows = [
        row
        for name in WORKLOADS
        if arguments.only in name
        for threads in arguments.threads
        for row in rows_of(name, threads, arguments.seeds)
    ]
    print(table(head, rows))
    print(
        f"\n{arguments.seeds} seeds; load {load:.1f} in the minute before, {os.cpu_count()} cores."
    )


if __name__ == "__main__":
    main()
