from functools import partial

import numpy as np
import pytest

from benchmarks.networks import dense
from benchmarks.processes import ContestantError, Process, variables
from benchmarks.rounds import Rounds
from benchmarks.workloads import Workload

NAMES = ("minidl", "handwritten", "torch_eager", "jax_jit")
TRAINING = Workload("T", "tiny", "training", dense(10, 10), 64, NAMES, rows=640)
INFERENCE = Workload("I", "tiny", "inference", dense(10, 10), 8, NAMES[:2], rows=640)


@pytest.fixture
def rounds(tmp_path):
    rng = np.random.default_rng(0)
    rng.random((640, 784), dtype=np.float32).tofile(tmp_path / "x")
    rng.integers(0, 10, 640).tofile(tmp_path / "y")
    broken = tmp_path / "environments" / "jax" / "bin" / "python"
    broken.parent.mkdir(parents=True)
    broken.write_text("#!/bin/sh\necho a reason >&2\nexit 1\n")
    broken.chmod(0o755)
    start = partial(Process, environments=tmp_path / "environments", kernels="default", cores=1)
    found = Rounds(start, tmp_path, 2)
    yield found
    found.close()


def test_rounds_of_training(rounds):
    results = rounds.run(TRAINING)
    assert list(results) == list(NAMES)
    for name in ("minidl", "handwritten"):
        assert len(results[name]["seconds"]) == 2  # the one that warms up is not counted
        assert results[name]["difference"] < 1e-5
    assert results["torch_eager"]["problem"] == "missing: run `python -m benchmarks setup torch`"
    assert results["jax_jit"]["problem"] == "failed: a reason"
    assert rounds.versions["minidl"] == {"numpy": np.__version__}


def test_rounds_of_inference(rounds):
    results = rounds.run(INFERENCE)
    assert all(0 < s < 1 for entry in results.values() for s in entry["seconds"])


def test_a_contestant_that_fails_in_a_round_is_out_but_others_go_on(rounds, monkeypatch):
    def fail(self, name, workload, measure=Rounds._round):
        if name == "handwritten":
            raise ContestantError("failed: in the middle")
        return measure(self, name, workload)

    monkeypatch.setattr(Rounds, "_round", fail)
    results = rounds.run(TRAINING)
    assert results["handwritten"] == {"problem": "failed: in the middle"}
    assert len(results["minidl"]["seconds"]) == 2


def test_an_error_in_a_process_is_its_answer(tmp_path):
    process = Process("minidl", tmp_path, "default", 1)
    try:
        with pytest.raises(ContestantError, match=r"failed: FileNotFoundError: .*nowhere"):
            process.ask("load", folder="nowhere", rows=1, input_shape=[784], layers=[["dense", 1]])
        assert process.ask("hello")["memory"] > 0
    finally:
        process.close()


def test_everybody_gets_the_same_settings(monkeypatch):
    monkeypatch.setenv("OPENBLAS_CORETYPE", "ZEN")
    assert "OPENBLAS_CORETYPE" not in variables("default", 2)
    found = variables("SKYLAKEX", 2)
    assert found["OPENBLAS_CORETYPE"] == "SKYLAKEX"
    assert found["OPENBLAS_NUM_THREADS"] == found["OMP_NUM_THREADS"] == "2"
