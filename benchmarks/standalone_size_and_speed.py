"""784-10-10 as a C header and as a NumPy file: size, microseconds a prediction, accuracy.

    python -m benchmarks.standalone_size_and_speed [--rounds 7] [--output standalone.md]

Trains on MNIST without its last 5,000 training rows, which serve for validation; test images are
read once, at the end. The headers are compiled by gcc -O2; one row is predicted at a time, and all
take turns on one thread. Needs gcc and size (binutils).
"""

from __future__ import annotations

import argparse
import platform
import re
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import threadpoolctl

import minidl as dl
from minidl.standalone import ExportReport

ROWS, VALIDATION, CALLS = 1_000, 5_000, 2_000

OBJECT = """\
#include "{name}.h"
void classify(const float *x, float *y);
void classify(const float *x, float *y) {{ {name}_predict(x, y); }}
"""

TIMER = """\
#define _POSIX_C_SOURCE 199309L
#include <stdio.h>
#include <time.h>
void classify(const float *x, float *y);
static float rows[{rows}][784], y[10];
static double seconds(void)
{{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}}
int main(void)
{{
    FILE *file = fopen("rows", "rb");
    double start;
    float sum = 0.0f;
    int i;
    if (file == NULL || fread(rows, sizeof rows, 1, file) != 1)
        return 1;
    start = seconds();
    for (i = 0; i < 20 * {rows}; ++i) {{
        classify(rows[i % {rows}], y);
        sum += y[i % 10];
    }}
    printf("%.9g %g\\n", (seconds() - start) / (20 * {rows}), (double)sum);
    return 0;
}}
"""


def trained(x: np.ndarray, y: np.ndarray) -> dl.Sequential:
    """784-10-10, ten epochs with Adam."""
    model = dl.Sequential([dl.Dense(10), dl.ReLU(), dl.Dense(10), dl.Softmax()])
    trainer = dl.Trainer(model.build((784,), rng=0), dl.CrossEntropy(), dl.Adam(2e-3), rng=0)
    trainer.fit(x, y, epochs=10, batch_size=64)
    return model


def run(folder: Path, *command: str) -> str:
    """What a command prints."""
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True).stdout


def compile_header(folder: Path, name: str, rows: int) -> dict[str, int]:
    """Make the timer of a header; bytes of machine code and of constants in its object file."""
    (folder / f"{name}_object.c").write_text(OBJECT.format(name=name))
    (folder / "timer.c").write_text(TIMER.format(rows=rows))
    flags = ["gcc", "-std=c99", "-O2", "-Wall", "-Wextra", "-Werror"]
    run(folder, *flags, "-c", f"{name}_object.c")
    run(folder, *flags, "-o", f"{name}_timer", "timer.c", f"{name}_object.o", "-lm")
    sections = re.findall(r"^(\.\S+)\s+(\d+)", run(folder, "size", "-A", f"{name}_object.o"), re.M)
    return {
        kind: sum(int(size) for section, size in sections if section.startswith(kind))
        for kind in (".text", ".rodata")
    }


def seconds_of(predict: Callable[[np.ndarray], Any], rows: np.ndarray) -> float:
    """Seconds that a Python function takes for one row, on average."""
    start = time.perf_counter()
    for i in range(CALLS):
        predict(rows[i % len(rows)][np.newaxis])
    return (time.perf_counter() - start) / CALLS


def timings(
    folder: Path, model: dl.Sequential, rows: np.ndarray, rounds: int
) -> dict[str, list[float]]:
    """Seconds a prediction, by turns."""
    namespace: dict[str, Any] = {"__name__": "digits"}
    exec((folder / "digits.py").read_text(), namespace)

    def in_c(name: str) -> Callable[[], float]:
        return lambda: float(run(folder, f"./{name}_timer").split()[0])

    ways = {
        "C, float32": in_c("digits"),
        "C, int8": in_c("digits8"),
        "NumPy file": lambda: seconds_of(namespace["predict"], rows),
        "`model.predict`": lambda: seconds_of(model.predict, rows),
    }
    found: dict[str, list[float]] = {way: [] for way in ways}
    for _ in range(rounds):
        for way, measure in ways.items():
            found[way].append(measure())
    return found


def page(
    reports: dict[str, ExportReport],
    sections: dict[str, dict[str, int]],
    times: dict[str, list[float]],
    accuracies: dict[str, list[float]],
    rounds: int,
) -> str:
    """The figures as Markdown."""
    lines = [
        "# Stand-alone files",
        "",
        "784-10-10 trained on MNIST, as `export_c` and `export_numpy` write it, a row at a time,",
        f"on one thread ({platform.machine()}). C is compiled by {compiler()} with -O2; best and",
        f"median of {rounds} rounds, in turns. Measured by",
        "",
        "    python -m benchmarks.standalone_size_and_speed",
        "",
        "| | file, bytes | weights, bytes | .rodata, bytes | .text, bytes | best us | median us |",
        "|---|---:|---:|---:|---:|---:|---:|",
    ]
    for way, seconds in times.items():
        report, parts = reports.get(way), sections.get(way, {})
        sizes = [report.file_bytes, report.weight_bytes] if report else ["", ""]
        sizes += [parts.get(".rodata", ""), parts.get(".text", "")]
        cells = [f"{size:,}" if size else "" for size in sizes]
        cells += [f"{1e6 * min(seconds):.1f}", f"{1e6 * statistics.median(seconds):.1f}"]
        lines.append(f"| {way} | {' | '.join(cells)} |")
    lines += [
        "",
        "What int8 weights cost. Differences are those of any output from the model's, on the",
        f"{VALIDATION:,} validation rows; the test images were read once, after all else.",
        "",
        "| | largest difference | validation accuracy | test accuracy |",
        "|---|---:|---:|---:|",
    ]
    for way, (validation, test) in accuracies.items():
        difference = f"{reports[way].largest_difference:.2g}" if way in reports else ""
        lines.append(f"| {way} | {difference} | {validation:.4f} | {test:.4f} |")
    return "\n".join(lines) + "\n"


def compiler() -> str:
    """The compiler by name and version."""
    version = subprocess.run(
        ["gcc", "-dumpfullversion"], capture_output=True, text=True, check=True
    )
    return f"gcc {version.stdout.strip()}"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--output", type=Path, help="write the page here as well")
    arguments = parser.parse_args()
    (x, y), test = dl.load_mnist()
    model = trained(x[:-VALIDATION], y[:-VALIDATION])
    held_out = {"x": x[-VALIDATION:], "y": y[-VALIDATION:]}
    with tempfile.TemporaryDirectory() as name, threadpoolctl.threadpool_limits(1):
        folder = Path(name)
        reports = {
            "C, float32": dl.export_c(model, folder / "digits.h", **held_out),
            "C, int8": dl.export_c(model, folder / "digits8.h", weights="int8", **held_out),
            "NumPy file": dl.export_numpy(model, folder / "digits.py", **held_out),
        }
        rows = np.ascontiguousarray(held_out["x"][:ROWS])
        rows.tofile(folder / "rows")
        sections = {
            "C, float32": compile_header(folder, "digits", ROWS),
            "C, int8": compile_header(folder, "digits8", ROWS),
        }
        times = timings(folder, model, rows, arguments.rounds)
        accuracies = {}
        for way, weights in {"C, float32": "float32", "C, int8": "int8"}.items():
            read_once = dl.export_c(model, folder / "test.h", weights=weights, x=test[0], y=test[1])
            accuracies[way] = [reports[way].accuracy, read_once.accuracy]
            model_accuracy = [reports[way].model_accuracy, read_once.model_accuracy]
    accuracies = {"`model.predict`": model_accuracy} | accuracies
    text = page(reports, sections, times, accuracies, arguments.rounds)
    print(text)
    if arguments.output:
        arguments.output.write_text(text)


if __name__ == "__main__":
    main()
