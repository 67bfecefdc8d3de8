import copy
import json
import subprocess
import sys

import pytest

from benchmarks.environments import ROOT
from benchmarks.figures import figures
from benchmarks.footprint_tables import bound
from benchmarks.measure import ALL, ours_failed
from benchmarks.report import markdown
from benchmarks.scaling_figure import spread

MACHINE = {
    "versions": {"numpy": "2.4.6"},
    "cpu": "a CPU",
    "cores": 2,
    "system": "a system",
    "pools": [
        {"owner": "NumPy", "name": "OpenBLAS", "version": "0.3", "kernels": "Zen", "threads": 2}
    ],
}
RATES = {"sgemm_gflops": 100.0, "sgemm_gflops_one_thread": 50.0, "memory_gb_per_s": 10.0}
FOOTPRINT = {
    "import": {
        "minidl": {"seconds": [0.3, 0.1]},
        "JAX": {"problem": "missing: run `python -m benchmarks setup jax`"},
    },
    "size": {"minidl": {"bytes": 200_000_000}, "jax": {"problem": "missing: too"}},
    "memory": {"W2": {"minidl": {"data": 0, "before": 2**20, "peak": 65 * 2**20}}},
}

SPARSE_MEMORY = {"W11-fit": {"minidl": {"data": 2**20, "before": 2**22, "peak": 33 * 2**20}}}


def measured(kernels, ours=1e-4):
    """A run in which each contestant takes so many times as long as the one before."""
    results = {
        w.name: {
            name: {"seconds": [ours * 2**place] * 2, "difference": 1e-7}
            for place, name in enumerate(w.contestants)
        }
        for w in ALL
    }
    run = {"kernels": kernels, "machine": MACHINE, "rates": RATES, "workloads": results}
    return run | {"versions": {"torch_eager": {"torch": "2.13.0"}}}


@pytest.fixture
def results():
    head = {"date": "a day", "data": "MNIST", "threads": 2, "rounds": 2, "load": 0.1}
    runs = [measured("default"), measured("SKYLAKEX")]
    return {**head, "footprint": FOOTPRINT, "sparse_memory": SPARSE_MEMORY, "runs": runs}


def row(text, title, program):
    after = text.split(f"**{title}**")[1]
    return next(line for line in after.splitlines() if line.startswith(f"| {program} |"))


def test_a_row_has_time_ratio_and_target_for_both_settings(results):
    found = row(markdown([results]), "784-512-512-10, batch 128", "PyTorch eager")
    cells = [cell.strip() for cell in found.split("|")[2:-1]]
    assert cells == [
        *("400 / 400", "4.00 / 4.00", ">= 1.3: met, +2.70"),
        *("400 / 400", "4.00 / 4.00", ">= 1.8: met, +2.20"),
    ]


def test_a_missing_peer_is_a_row(results):
    results["runs"][0]["workloads"]["W3"]["jax_jit"] = {"problem": "missing: run so"}
    assert "missing: run so" in row(markdown([results]), "784-128-64-32-10, batch 64", "JAX jit")
    assert not ours_failed(results)
    results["runs"][1]["workloads"]["W3"]["minidl"] = {"problem": "failed: so"}
    assert ours_failed(results)


def test_several_files_are_pooled(results):
    other = copy.deepcopy(results)
    for entry in other["runs"][0]["workloads"]["W2"].values():
        entry["seconds"] = [1e-4, 1e-4]
    found = row(markdown([results, other]), "784-10-10, full batch of 60,000", "PyTorch eager")
    assert "2.50 / 1.00 (1.00 to 4.00)" in found


def test_head_limit_and_footprint(results):
    text = markdown([results])
    assert "OpenBLAS 0.3, Zen kernels, 2 threads" in text
    assert "torch 2.13.0" in text
    # 784-10-10 at 64: 2 * 64 * 15,980 operations at 100 GFLOP/s, of 100 us.
    assert "| W1: 784-10-10, batch 64 | 20.5 | products | 100 | 20% |" in text
    assert "| minidl | 0.10 / 0.20 | 200 | <= 0.2 s: met |" in text
    assert "| JAX | missing: run `python -m benchmarks setup jax` | missing: too |  |" in text
    assert "<= 64 MiB above the data: missed by 1" in text


def test_sequences_and_sparse_rows(results):
    text = markdown([results])
    found = row(text, "LSTM(64), Dense(10) on 28 steps of 28, batch 64", "Keras fit, tuned")
    assert "800 / 800 | 8.00 / 8.00" in found
    sparse = text.split("## W11: sparse rows")[1]
    assert "the rows alone would take 3,815 MiB" in sparse
    assert "| minidl | 33 | 32 | 29 |\n" in sparse
    assert "| W10: LSTM(64)" in text
    assert "| W11:" not in text  # its products are not those of dense rows


def test_bound():
    assert bound(64.0, 64, "MiB") == "<= 64 MiB: met"
    assert bound(0.25, 0.2, "s") == "<= 0.2 s: missed by 0.05"


def test_figures_show_every_training_workload(results):
    results["runs"][0]["workloads"]["W2"]["sklearn"] = {"problem": "missing: run so"}
    found = figures([results])
    assert list(found) == ["results-training", "scaling"]
    training = found["results-training"]
    assert len(training.axes) == 6
    assert any(text.get_text() == "missing" for text in training.axes[3].texts)
    assert len(found["scaling"].axes) == 6


def test_labels_of_curves_keep_apart():
    places = spread([0.0, 1.0, 95.0, 99.0, 99.5], 100.0)
    assert places == [0.0, 9.0, 82.0, 91.0, 100.0]


def test_report_command(results, tmp_path):
    (tmp_path / "results.json").write_text(json.dumps(results))
    command = [sys.executable, "-m", "benchmarks"]
    subprocess.run(
        [*command, "report", tmp_path / "results.json", "--output", tmp_path / "out"],
        check=True,
        cwd=ROOT,
        capture_output=True,
    )
    names = {path.name for path in (tmp_path / "out").iterdir()}
    pictures = {f"{n}.{end}" for n in ("results-training", "scaling") for end in ("png", "svg")}
    assert names == {"results.md", *pictures}
    wrong = subprocess.run([*command, "W77"], cwd=ROOT, capture_output=True, text=True)
    assert wrong.returncode == 2
    assert "no workload 'W77'" in wrong.stderr
