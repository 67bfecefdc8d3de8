import json
import os

import pytest

from minidl.doctor import Advice, Rates, Report, Trial, examine, rates, report, sgemm, trials


@pytest.fixture
def make_report(make_machine):
    """A function: a report on a machine whose kernels should be changed, but for what is given."""

    def make(**changes):
        usual = {
            "machine": make_machine(),
            "rates": Rates(223.4, 110.2, 12.34),
            "trials": [
                Trial(None, "Haswell", 2, 223.0, 98.0),
                Trial("ZEN", "Haswell", 2),
                Trial("SKYLAKEX", "SkylakeX", 2, 431.0, 218.0),
                Trial("COOPERLAKE", problem="crashed (SIGILL)"),
            ],
            "advice": Advice("OPENBLAS_CORETYPE=SKYLAKEX: faster, " + "so " * 50, "SKYLAKEX", 1.9),
            "warnings": ["too many threads"],
            "notes": ["two pools"],
        }
        return Report(**usual | changes)

    return make


def test_the_text_is_aligned(make_report):
    assert str(make_report()).splitlines() == [
        "minidl      0.1, Python 3.11.1",
        "NumPy       2.0.1, SciPy 1.13.1",
        "system      Linux-6.1",
        "processor   AMD EPYC",
        "            avx avx2 fma avx512f avx512cd avx512bw avx512dq avx512vl",
        "cores       2 for this process",
        "BLAS        NumPy: OpenBLAS 0.3.31, Haswell kernels, 2 threads (libopenblas.so)",
        "variables   none set (OPENBLAS_CORETYPE, OPENBLAS_NUM_THREADS, OMP_NUM_THREADS, "
        "MKL_NUM_THREADS,",
        "            VECLIB_MAXIMUM_THREADS)",
        "",
        "products    223 GFLOP/s on 2 threads, 110 on 1",
        "memory      12.3 GB/s, copied by 1 thread",
        "kernels     Haswell   223 GFLOP/s on 2 threads,  98 on 1, in use",
        "            SkylakeX  431 GFLOP/s on 2 threads, 218 on 1, OPENBLAS_CORETYPE=SKYLAKEX",
        "",
        "advice      OPENBLAS_CORETYPE=SKYLAKEX: faster, " + "so " * 50,
        "            Set the variable before Python starts, such as with export.",
        "warning     too many threads",
        "note        two pools",
    ]


def test_the_text_of_a_machine_that_tells_little(make_report, make_machine):
    found = make_machine(
        pools=(), cpu_flags=(), built_with="accelerate", cpu_quota=1.5, environment={"A": "1"}
    )
    advice = Advice("Kernels cannot be compared: no reason.")
    quiet = make_report(
        machine=found, rates=Rates(50.0, None, None), trials=[], advice=advice, warnings=[]
    )
    lines = str(quiet).splitlines()
    assert "            (which instructions it has is not known)" in lines
    assert "cores       2 for this process, CPU time of 1.5 granted" in lines
    assert "BLAS        NumPy: accelerate; its threads and kernels cannot be seen" in lines
    assert "variables   A=1" in lines
    assert "products    50 GFLOP/s" in lines
    assert "memory      not measured" in lines
    assert lines[-2:] == [
        "advice      Kernels cannot be compared: no reason.",
        "note        two pools",
    ]


def test_one_thread_is_one_figure(make_report, make_machine, make_pool):
    found = make_machine(pools=(make_pool(threads=1),))
    single = [Trial(None, "Haswell", 1, 100.0, 100.0)]
    text = str(make_report(machine=found, rates=Rates(99.0, 99.0, 9.0), trials=single))
    assert "products    99 GFLOP/s on 1 thread\n" in text
    assert "kernels     Haswell  100 GFLOP/s on 1 thread, in use\n" in text


def test_the_dictionary_is_plain_data(make_report):
    found = make_report()
    data = json.loads(json.dumps(found.as_dict()))
    assert data["machine"] == json.loads(json.dumps(found.machine.as_dict()))
    assert data["rates"] == found.rates.as_dict()
    assert data["trials"] == [trial.as_dict() for trial in found.trials]
    assert data["advice"]["coretype"] == "SKYLAKEX"
    assert (data["warnings"], data["notes"]) == (["too many threads"], ["two pools"])


@pytest.fixture
def quickly(monkeypatch):
    """The whole examination, with measurements that are too short to mean anything."""
    monkeypatch.setattr(sgemm, "SIZE", 64)
    monkeypatch.setattr(rates, "COPY_BYTES", 2**16)
    monkeypatch.setattr(trials, "SECONDS", 0.0)
    monkeypatch.setattr(report, "measure_rates", lambda: rates.measure_rates(0.0))
    # SciPy's BLAS in the tests' process would keep its threads.
    monkeypatch.setattr(report, "import_module", lambda name: None)


def test_this_machine_is_examined_and_left_as_it_is(quickly):
    before = dict(os.environ)
    found = examine()
    assert dict(os.environ) == before
    assert found.machine.blas is None or found.trials[0].coretype is None
    assert found.advice.text in str(found)


def test_without_scipy_and_child_processes(quickly, monkeypatch):
    def missing(name):
        raise ImportError(name)

    def forbidden(*args, **kwargs):
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(report, "import_module", missing)
    monkeypatch.setattr(trials.subprocess, "run", forbidden)
    found = examine()
    assert found.advice.coretype is None
    assert found.advice.text.startswith("Kernels ")


def test_failed_trials_are_noted(quickly, monkeypatch):
    crashed = Trial("ZEN", problem="crashed (SIGILL)")
    monkeypatch.setattr(report, "measure_kernels", lambda found: [Trial(None, "Zen"), crashed])
    assert "OPENBLAS_CORETYPE=ZEN was not measured: crashed (SIGILL)." in examine().notes
