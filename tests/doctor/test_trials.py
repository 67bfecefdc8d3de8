import os
import subprocess

import pytest

from minidl.doctor import Trial, machine, trials
from minidl.doctor.kernels import coretypes_to_try, why_not_judged
from minidl.doctor.trials import run_trial


@pytest.fixture(autouse=True)
def hurry(monkeypatch):
    monkeypatch.setattr(trials, "SECONDS", 0.0)


def instead(monkeypatch, tmp_path, code):
    """Let children run this code."""
    script = tmp_path / "script.py"
    script.write_text(code)
    monkeypatch.setattr(trials.sgemm, "__file__", str(script))


def test_children_load_the_kernels_that_they_are_asked_for():
    found = machine()
    before = dict(os.environ)
    # NumPy runs on no x86-64 processor that lacks what Nehalem has.
    names = ["NEHALEM", *coretypes_to_try(found)]
    loaded = {name: run_trial(name, 1) for name in names}
    assert dict(os.environ) == before
    if why_not_judged(found):  # another BLAS or another processor: the value means nothing there
        assert names == ["NEHALEM"]
    else:
        assert [name for name in names if loaded[name].kernels == "Nehalem"] == ["NEHALEM"]
        assert all(trial.sgemm_gflops > 0 and not trial.problem for trial in loaded.values())
        if "SKYLAKEX" in loaded:
            assert loaded["SKYLAKEX"].kernels == "SkylakeX"
            assert loaded["HASWELL"].kernels == "Haswell"


def test_without_a_value_the_environment_stays_as_it_is(monkeypatch, tmp_path):
    monkeypatch.setenv("OPENBLAS_CORETYPE", "HASWELL")
    code = "import json, os; print(json.dumps({'kernels': os.environ['OPENBLAS_CORETYPE']}))"
    instead(monkeypatch, tmp_path, code)
    assert run_trial(None, 1).kernels == "HASWELL"
    assert run_trial("ZEN", 1).kernels == "ZEN"


def test_files_in_the_working_directory_are_not_imported(monkeypatch, tmp_path):
    (tmp_path / "numpy.py").write_text("raise RuntimeError('the wrong numpy')")
    monkeypatch.chdir(tmp_path)
    assert run_trial(None, 1).problem == ""


@pytest.mark.parametrize(
    ("code", "problem"),
    [
        ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", "crashed (SIGKILL)"),
        ("raise RuntimeError('no')", "failed (RuntimeError: no)"),
        ("raise SystemExit(3)", "failed (exit code 3)"),
        ("print('hello')", "the child process gave no answer"),
        ("", "the child process gave no answer"),
        ("print('{\"unknown\": 1}')", "the child process gave no answer"),
    ],
)
def test_what_goes_wrong_in_a_child_is_told(monkeypatch, tmp_path, code, problem):
    instead(monkeypatch, tmp_path, code)
    assert run_trial("HASWELL", 2) == Trial("HASWELL", threads=2, problem=problem)


def test_a_child_that_does_not_answer_is_given_up(monkeypatch, tmp_path):
    monkeypatch.setattr(trials, "PATIENCE", 0.25)
    instead(monkeypatch, tmp_path, "import time; time.sleep(60)")
    assert run_trial("HASWELL", 1).problem == "no answer within 0.25 s"


def test_child_processes_may_be_forbidden(monkeypatch):
    def forbidden(*args, **kwargs):
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(subprocess, "run", forbidden)
    expected = "child processes cannot be started (Operation not permitted)"
    assert run_trial("HASWELL", 1).problem == expected


def test_kernels_without_a_value_are_chosen_by_their_own_name():
    assert Trial(None, kernels="SkylakeX").setting == "SKYLAKEX"
    assert Trial("COOPERLAKE", kernels="SkylakeX").setting == "COOPERLAKE"
