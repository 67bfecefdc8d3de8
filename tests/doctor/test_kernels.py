import pytest

from minidl.doctor import Trial, kernels
from minidl.doctor.kernels import coretypes_to_try, measure_kernels, why_not_judged

AVX2 = ("avx", "avx2", "fma")
AVX512 = (*AVX2, "avx512f", "avx512cd", "avx512bw", "avx512dq", "avx512vl")
AMX = ("amx_tile", "amx_bf16")


@pytest.mark.parametrize(
    ("flags", "names"),
    [
        (("avx",), []),
        (("avx", "avx2"), []),
        (AVX2, ["HASWELL", "ZEN"]),
        (AVX512[:-1], ["HASWELL", "ZEN"]),  # one instruction set is missing
        (AVX512, ["HASWELL", "ZEN", "SKYLAKEX"]),
        ((*AVX512, *AMX), ["HASWELL", "ZEN", "SKYLAKEX"]),
        ((*AVX512, "avx512_bf16"), ["HASWELL", "ZEN", "SKYLAKEX", "COOPERLAKE"]),
        ((*AVX512, "avx512_bf16", *AMX), list(kernels.NEEDS)),
    ],
)
def test_only_what_the_processor_has_is_tried(make_machine, flags, names):
    assert coretypes_to_try(make_machine(cpu_flags=flags)) == names


def test_what_cannot_be_judged(make_machine, make_pool, monkeypatch):
    assert why_not_judged(make_machine()) == ""
    assert why_not_judged(make_machine(architecture="AMD64")) == ""  # Windows
    accelerate = make_machine(pools=(), built_with="accelerate", architecture="arm64")
    mkl = make_machine(pools=(make_pool(name="MKL", owner="shared"),))
    arm = make_machine(architecture="aarch64", cpu_flags=("asimd",))
    silent = make_machine(cpu_flags=())
    reasons = {
        "does not see NumPy's BLAS (built with accelerate)": accelerate,
        "NumPy uses MKL": mkl,
        "this is aarch64": arm,
        "does not say which instructions": silent,
    }
    for reason, found in reasons.items():
        assert reason in why_not_judged(found)
        assert measure_kernels(found) == []
    monkeypatch.setattr(kernels.sys, "executable", None)
    assert "no Python interpreter" in why_not_judged(make_machine())


@pytest.fixture
def children(monkeypatch):
    """Children that answer from a table of rates, slower each time; what was asked of them."""
    asked = []
    table = {
        None: ("Haswell", 100.0),
        "HASWELL": ("Haswell", 100.0),
        "SKYLAKEX": ("SkylakeX", 200.0),
    }

    def run(coretype, threads):
        asked.append(coretype)
        if coretype not in table:
            return Trial(coretype, threads=threads, problem="crashed (SIGILL)")
        loaded, rate = table[coretype]
        rate -= len(asked)
        return Trial(coretype, loaded, threads, 2 * rate, rate)

    monkeypatch.setattr(kernels, "run_trial", run)
    asked.append(table)
    return asked


def test_choices_take_turns_and_the_best_counts(make_machine, children):
    trials = measure_kernels(make_machine())
    first_round = [None, "HASWELL", "ZEN", "SKYLAKEX"]
    assert children[1:] == [*first_round, None, "SKYLAKEX", None, "SKYLAKEX"]
    assert [trial.coretype for trial in trials] == first_round
    present, same, crashed, fast = trials
    assert (present.sgemm_gflops, present.sgemm_gflops_one_thread) == (196, 98)
    assert (fast.sgemm_gflops, fast.sgemm_gflops_one_thread) == (390, 195)
    assert (same.kernels, same.sgemm_gflops, same.sgemm_gflops_one_thread) == (
        "Haswell",
        None,
        None,
    )
    assert crashed.problem == "crashed (SIGILL)"
    assert {trial.threads for trial in trials} == {2}


def test_a_later_round_may_be_the_better(make_machine, monkeypatch):
    rates = iter([1.0, 1.0, 1.0, 1.0, 5.0, 3.0])
    run = lambda name, threads: Trial(name, "Zen", threads, next(rates), 1.0)  # noqa: E731
    monkeypatch.setattr(kernels, "run_trial", run)
    assert measure_kernels(make_machine())[0].sgemm_gflops == 5.0


def test_a_failure_in_a_later_round_keeps_what_was_measured(make_machine, children, monkeypatch):
    run, calls = kernels.run_trial, []

    def only_once(coretype, threads):
        calls.append(coretype)
        return run(coretype if calls.count(coretype) == 1 else "broken", threads)

    monkeypatch.setattr(kernels, "run_trial", only_once)
    fast = measure_kernels(make_machine())[-1]
    assert (fast.coretype, fast.sgemm_gflops_one_thread, fast.problem) == ("SKYLAKEX", 195, "")


def test_where_the_first_child_fails_no_other_is_started(make_machine, children):
    del children[0][None]
    (trial,) = measure_kernels(make_machine())
    assert trial.problem
    assert children[1:] == [None]


def test_a_slow_machine_is_measured_once(make_machine, children, monkeypatch):
    monkeypatch.setattr(kernels, "ENOUGH", 0.0)
    measure_kernels(make_machine())
    assert children[1:] == [None, "HASWELL", "ZEN", "SKYLAKEX"]
