"""L-BFGS on 784-10-10, all rows at once: loss and time beside scikit-learn's, as a Markdown table.

    python -m benchmarks.lbfgs [--rows 20000] [--iterations 100] [--rounds 5]

Both run SciPy's L-BFGS-B from the same parameters on the same rows, without a penalty, each round
in a process of its own, in turns. The loss is computed by one formula, in float64, from the
parameters that each ends with. scikit-learn runs in the environment that `python -m benchmarks
setup sklearn` makes. In float64 both make the same steps; rounding to float32 leads to others.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.child import confine
from benchmarks.data import read_rows, read_start, write_rows, write_start
from benchmarks.environments import DEFAULT_FOLDER, ROOT, interpreter, missing
from benchmarks.networks import Start, dense, initial_values
from benchmarks.processes import variables

CONTESTANTS = {
    "minidl, float32": ("minidl", "float32"),
    "minidl, float64": ("minidl", "float64"),
    "scikit-learn, float32": ("sklearn", "float32"),
    "scikit-learn, float64": ("sklearn", "float64"),
}


def run_minidl(x: np.ndarray, y: np.ndarray, start: Start, iterations: int) -> dict[str, Any]:
    import minidl as dl

    model = dl.Sequential([dl.Dense(10), dl.ReLU(), dl.Dense(10), dl.Softmax()])
    model.build((784,), rng=0, dtype=x.dtype)
    layers = model.layers[0], model.layers[2]

    def minimize(n: int) -> dl.MinimizeResult:
        for layer, (weight, bias) in zip(layers, start, strict=True):
            layer.weight, layer.bias = weight, bias
        return dl.minimize(model, dl.CrossEntropy(), x, y, iterations=n, tolerance=0.0)

    minimize(1)
    begin = time.perf_counter()
    result = minimize(iterations)
    return {
        "seconds": time.perf_counter() - begin,
        "iterations": result.iterations,
        "evaluations": result.evaluations,
        "parameters": [(layer.weight, layer.bias) for layer in layers],
    }


def run_sklearn(x: np.ndarray, y: np.ndarray, start: Start, iterations: int) -> dict[str, Any]:
    import warnings

    from sklearn.neural_network import MLPClassifier

    warnings.simplefilter("ignore")  # it is stopped by max_iter
    model = MLPClassifier((10,), solver="lbfgs", alpha=0.0, tol=0.0, max_iter=1, warm_start=True)
    model.fit(x, y)
    for i, (weight, bias) in enumerate(start):
        model.coefs_[i], model.intercepts_[i] = weight.astype(x.dtype), bias.astype(x.dtype)
    calls = 0
    evaluate = model._loss_grad_lbfgs

    def counted(*arguments: Any) -> Any:
        nonlocal calls
        calls += 1
        return evaluate(*arguments)

    model._loss_grad_lbfgs = counted
    model.set_params(max_iter=iterations)
    begin = time.perf_counter()
    model.fit(x, y)
    return {
        "seconds": time.perf_counter() - begin,
        "iterations": model.n_iter_,
        "evaluations": calls,
        "parameters": list(zip(model.coefs_, model.intercepts_, strict=True)),
    }


def loss(x: np.ndarray, y: np.ndarray, parameters: Any) -> float:
    (w1, b1), (w2, b2) = ([np.float64(a) for a in pair] for pair in parameters)
    z = np.maximum(x.astype(np.float64) @ w1 + b1, 0) @ w2 + b2  # (N, 10)
    z -= z.max(axis=1, keepdims=True)
    return float(np.mean(np.log(np.exp(z).sum(axis=1)) - z[np.arange(len(y)), y]))


def child(name: str, folder: str, rows: int, iterations: int, cores: int) -> None:
    """One contestant, once; the answer is a line of JSON."""
    confine(cores)
    program, dtype = CONTESTANTS[name]
    x, y = read_rows(folder, rows)
    run = run_minidl if program == "minidl" else run_sklearn
    found = run(x.astype(dtype), y, read_start(Path(folder)), iterations)
    found["loss"] = loss(x, y, found.pop("parameters"))
    print(json.dumps(found))


def ask(name: str, folder: str, arguments: argparse.Namespace) -> dict[str, Any]:
    """Run a contestant in a process of its own."""
    python = sys.executable
    if CONTESTANTS[name][0] == "sklearn":
        python = str(interpreter(arguments.environments, "sklearn"))
    numbers = map(str, (arguments.rows, arguments.iterations, arguments.threads))
    done = subprocess.run(
        [python, "-m", "benchmarks.lbfgs", "--child", name, folder, *numbers],
        cwd=ROOT,
        env=variables("default", arguments.threads),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise SystemExit(f"{name} failed:\n{done.stderr}")
    return json.loads(done.stdout.splitlines()[-1])


def main() -> None:
    if sys.argv[1:2] == ["--child"]:
        name, folder, *numbers = sys.argv[2:]
        child(name, folder, *map(int, numbers))
        return
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--rows", type=int, default=20_000)
    parser.add_argument("--iterations", type=int, default=100)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--environments", type=Path, default=DEFAULT_FOLDER, metavar="DIR")
    arguments = parser.parse_args()
    arguments.environments = arguments.environments.resolve()
    if reason := missing(arguments.environments, "sklearn"):
        raise SystemExit(f"scikit-learn is {reason}")
    results: dict[str, list[dict[str, Any]]] = {name: [] for name in CONTESTANTS}
    with tempfile.TemporaryDirectory() as folder:
        data = write_rows(Path(folder))
        write_start(Path(folder), initial_values(dense(10, 10), (784,)))
        names = list(CONTESTANTS)
        for turn in range(arguments.rounds):
            first = turn % len(names)  # nobody always follows the same one
            for name in names[first:] + names[:first]:
                results[name].append(ask(name, folder, arguments))
    print(
        f"{data}, {arguments.rows:,} rows, 784-10-10, {arguments.iterations} iterations, "
        f"{arguments.threads} threads, {arguments.rounds} rounds\n"
    )
    print("| | loss | iterations | evaluations | best s | median s | best ms an evaluation |")
    print("|---|---|---|---|---|---|---|")
    for name, rounds in results.items():
        seconds = [each["seconds"] for each in rounds]
        last = rounds[-1]
        print(
            f"| {name} | {last['loss']:.5f} | {last['iterations']} | {last['evaluations']} | "
            f"{min(seconds):.2f} | {statistics.median(seconds):.2f} | "
            f"{1e3 * min(seconds) / last['evaluations']:.1f} |"
        )


if __name__ == "__main__":
    main()
