"""Machines that the tests do not run on."""

import pytest

from minidl.doctor import Machine, Pool

AVX512 = ("avx", "avx2", "fma", "avx512f", "avx512cd", "avx512bw", "avx512dq", "avx512vl")


@pytest.fixture
def make_pool():
    """A function: an OpenBLAS of NumPy's with two threads, but for what is given."""

    def make(**changes):
        usual = {"owner": "NumPy", "name": "OpenBLAS", "version": "0.3.31", "kernels": "Haswell"}
        usual |= {"threads": 2, "threading": "pthreads", "library": "libopenblas.so"}
        return Pool(**usual | changes)

    return make


@pytest.fixture
def make_machine(make_pool):
    """A function: an x86-64 machine of two cores with AVX-512, but for what is given."""

    def make(**changes):
        usual = {
            "versions": {"python": "3.11.1", "numpy": "2.0.1", "scipy": "1.13.1", "minidl": "0.1"},
            "system": "Linux-6.1",
            "architecture": "x86_64",
            "cpu": "AMD EPYC",
            "cpu_flags": AVX512,
            "cores": 2,
            "cpu_quota": None,
            "built_with": "scipy-openblas 0.3.31",
            "pools": (make_pool(),),
            "environment": {},
        }
        return Machine(**usual | changes)

    return make
