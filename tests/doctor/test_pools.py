import numpy as np  # noqa: F401, loads a BLAS
import pytest
import threadpoolctl

from minidl.doctor.pools import blas_pools, pool_of_numpy


def info(path, api="openblas", user_api="blas", **more):
    return {"filepath": path, "internal_api": api, "user_api": user_api, "num_threads": 4} | more


@pytest.fixture
def loaded(monkeypatch):
    found = []
    monkeypatch.setattr(threadpoolctl, "threadpool_info", lambda: found)
    return found


def test_numpys_pool_comes_first_and_openmp_is_no_blas(loaded):
    loaded += [
        info("/srv/numpy/v/site-packages/scipy.libs/libscipy_openblas-6c.so", version="0.3.30"),
        info("/v/lib/libgomp.so", "openmp", "openmp"),
        info("/v/numpy/.dylibs/libscipy_openblas64_.dylib", architecture="Zen"),
    ]
    first, second = blas_pools()
    assert (first.owner, first.kernels, first.version) == ("NumPy", "Zen", None)
    assert (second.owner, second.kernels, second.version) == ("SciPy", None, "0.3.30")
    assert first.library == "libscipy_openblas64_.dylib"
    assert pool_of_numpy((first, second)) is first


def test_a_blas_of_the_system_serves_numpy(loaded):
    loaded.append(info("/opt/conda/lib/libmkl_rt.so.2", "mkl", version="2024.2"))
    (pool,) = blas_pools()
    assert pool_of_numpy((pool,)) is pool
    assert str(pool) == "MKL 2024.2, 4 threads (libmkl_rt.so.2)"


def test_scipys_blas_is_not_numpys(loaded):
    loaded.append(info("/v/scipy.libs/libscipy_openblas.so"))
    assert pool_of_numpy(blas_pools()) is None


def test_libraries_that_cannot_be_listed(monkeypatch):
    def hidden():
        raise OSError("no list of libraries")

    monkeypatch.setattr(threadpoolctl, "threadpool_info", hidden)
    assert blas_pools() == ()
