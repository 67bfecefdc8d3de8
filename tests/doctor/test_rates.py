import json

import numpy as np
import pytest
import threadpoolctl

import minidl as dl
from minidl.doctor import measure_rates, rates, sgemm


@pytest.fixture(autouse=True)
def small(monkeypatch):
    monkeypatch.setattr(sgemm, "SIZE", 64)
    monkeypatch.setattr(rates, "COPY_BYTES", 2**16)


def threads():
    pools = threadpoolctl.threadpool_info()
    return [pool["num_threads"] for pool in pools if pool["user_api"] == "blas"]


def test_rates_are_measured_and_threads_set_back():
    with threadpoolctl.threadpool_limits(2):
        before = threads()
        found = measure_rates(seconds=0)
        assert threads() == before
    assert found.sgemm_gflops > 0
    assert found.memory_gb_per_s > 0
    assert json.loads(json.dumps(found.as_dict())) == found.as_dict()


def test_one_thread_is_measured_on_one_thread(monkeypatch, make_pool):
    seen = []
    monkeypatch.setattr(rates, "sgemm_gflops", lambda seconds: float(seen.append(threads()) or 5))
    monkeypatch.setattr(rates, "blas_pools", lambda: (make_pool(threads=2),))
    with threadpoolctl.threadpool_limits(2):
        assert measure_rates(0).sgemm_gflops_one_thread == 5
    assert set(seen[1]) == {1}
    assert seen[0] != seen[1]


def test_with_a_single_thread_nothing_is_measured_twice(monkeypatch, make_pool):
    answers = iter([7.0])
    monkeypatch.setattr(rates, "sgemm_gflops", lambda seconds: next(answers))
    monkeypatch.setattr(rates, "blas_pools", lambda: (make_pool(threads=1),))
    found = measure_rates(0)
    assert (found.sgemm_gflops, found.sgemm_gflops_one_thread) == (7.0, 7.0)


def test_threads_that_cannot_be_limited(monkeypatch):
    monkeypatch.setattr(rates, "blas_pools", lambda: ())
    assert measure_rates(0).sgemm_gflops_one_thread is None


def test_memory_that_is_refused(monkeypatch):
    def refused(*args, **kwargs):
        raise MemoryError

    monkeypatch.setattr(np, "ones", refused)
    assert measure_rates(0).memory_gb_per_s is None


def test_the_rate_is_operations_by_the_best_time(monkeypatch):
    clock = iter([0.0, 1.0, 3.0, 3.0, 4.0, 5.0, 7.0])  # two seconds, one second, two seconds
    monkeypatch.setattr(sgemm.time, "perf_counter", lambda: next(clock))
    assert sgemm.sgemm_gflops(6.5) == pytest.approx(2 * 64**3 / 1.0 / 1e9)


def test_memory_counts_what_is_read_and_what_is_written(monkeypatch):
    clock = iter([0.0, 0.0, 0.5])
    monkeypatch.setattr(rates.time, "perf_counter", lambda: next(clock))
    assert rates.memory_gb_per_s(0.0) == pytest.approx(2 * 2**16 / 0.5 / 1e9)


def test_negative_time():
    with pytest.raises(dl.ArgumentError, match="measure_rates: seconds must be a number in"):
        measure_rates(-1)
