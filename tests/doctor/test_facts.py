import json
import os
import platform
from importlib import metadata

import numpy as np

import minidl
from minidl.doctor import machine


def test_this_machine():
    found = machine()
    assert found.versions["numpy"] == np.__version__
    assert found.versions["minidl"] == minidl.__version__
    assert found.versions["scipy"] == metadata.version("scipy")
    assert found.architecture == platform.machine()
    assert 1 <= found.cores <= os.cpu_count()
    assert found.blas in (*found.pools, None)


def test_as_dict_is_plain_data_without_paths():
    found = machine()
    text = json.dumps(found.as_dict())
    assert json.loads(text)["pools"] == [pool | {} for pool in found.as_dict()["pools"]]
    assert os.path.dirname(np.__file__) not in text


def test_variables_are_reported_only_if_set(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    monkeypatch.delenv("MKL_NUM_THREADS", raising=False)
    found = machine().environment
    assert found["OMP_NUM_THREADS"] == "3"
    assert "MKL_NUM_THREADS" not in found


def test_scipy_may_be_missing(monkeypatch):
    def missing(name):
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(metadata, "version", missing)
    monkeypatch.setattr(np, "show_config", lambda mode: None)
    found = machine()
    assert found.versions["scipy"] == "not installed"
    assert found.built_with == "unknown"


def test_only_scipys_blas_can_be_seen(make_machine, make_pool):
    assert make_machine(pools=(make_pool(owner="SciPy"),)).blas is None
