import pytest

from minidl.doctor import Rates
from minidl.doctor.oversubscription import notes_about, thread_variable, warnings_about

GOOD = Rates(sgemm_gflops=200.0, sgemm_gflops_one_thread=100.0, memory_gb_per_s=20.0)


def test_a_machine_in_order(make_machine):
    assert warnings_about(make_machine()) == []
    assert warnings_about(make_machine(cpu_quota=2.0)) == []
    assert warnings_about(make_machine(pools=())) == []
    assert notes_about(make_machine(), GOOD) == []


def test_more_threads_than_cores(make_machine, make_pool):
    (warning,) = warnings_about(make_machine(pools=(make_pool(threads=8),)))
    assert "OpenBLAS uses 8 threads, but this process may use 2 cores" in warning
    assert warning.endswith("Set OPENBLAS_NUM_THREADS=2.")


@pytest.mark.parametrize(("quota", "fitting"), [(0.5, 1), (1.5, 1), (3.0, 3)])
def test_more_threads_than_the_container_grants(make_machine, make_pool, quota, fitting):
    found = make_machine(cores=8, cpu_quota=quota, pools=(make_pool(threads=4),))
    (warning,) = warnings_about(found)
    assert f"grants CPU time of {quota:g} cores" in warning
    assert warning.endswith(f"Set OPENBLAS_NUM_THREADS={fitting}.")


def test_one_thread_is_never_too_many(make_machine, make_pool):
    assert warnings_about(make_machine(cpu_quota=0.5, pools=(make_pool(threads=1),))) == []


def test_the_variable_is_the_librarys_own(make_pool):
    assert thread_variable(make_pool()) == "OPENBLAS_NUM_THREADS"
    assert thread_variable(make_pool(threading="openmp")) == "OMP_NUM_THREADS"
    assert thread_variable(make_pool(name="MKL", threading="intel")) == "MKL_NUM_THREADS"
    assert thread_variable(make_pool(name="FlexiBLAS", threading=None)) == "OMP_NUM_THREADS"


def test_variables_that_disagree(make_machine):
    both = {"OMP_NUM_THREADS": "2", "OPENBLAS_NUM_THREADS": "4"}
    (warning,) = warnings_about(make_machine(environment=both))
    assert warning.startswith("OPENBLAS_NUM_THREADS=4 and OMP_NUM_THREADS=2 disagree")
    same = {"OMP_NUM_THREADS": "2", "OPENBLAS_NUM_THREADS": "2"}
    other = {"OMP_NUM_THREADS": "2", "MKL_NUM_THREADS": "4"}  # for a library that is not there
    assert warnings_about(make_machine(environment=same)) == []
    assert warnings_about(make_machine(environment=other)) == []


def test_kernels_that_were_not_loaded(make_machine, make_pool):
    wanted = {"OPENBLAS_CORETYPE": "SKYLAKEX"}
    (warning,) = warnings_about(make_machine(environment=wanted))
    assert "OPENBLAS_CORETYPE=SKYLAKEX is set, but the Haswell kernels are loaded" in warning
    loaded = (make_pool(kernels="SkylakeX"),)
    assert warnings_about(make_machine(environment=wanted, pools=loaded)) == []


def test_two_pools_of_threads(make_machine, make_pool):
    def notes(numpy, scipy):
        pools = make_pool(threads=numpy), make_pool(owner="SciPy", threads=scipy)
        return notes_about(make_machine(pools=pools), GOOD)

    (note,) = notes(2, 4)
    assert "here with 2 + 4 threads" in note
    assert "minidl calls no BLAS of SciPy's in a training step" in note
    assert notes(1, 2) == notes(2, 1) == notes(1, 1) == []


def test_threads_that_slow_down(make_machine):
    (note,) = notes_about(make_machine(), Rates(60.0, 100.0, 20.0))
    assert note.startswith("Matrix products are slower on 2 threads than on 1")
    assert notes_about(make_machine(), Rates(60.0, None, 20.0)) == []
    assert notes_about(make_machine(pools=()), Rates(60.0, 100.0, 20.0)) == []
