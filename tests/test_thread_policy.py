"""How many threads a model is worth: boundaries by hand, with round numbers for measured ones."""

import copy

import pytest

import minidl as dl
from minidl import thread_policy
from minidl.thread_policy import useful_blas_threads, useful_workers, worth_reading_ahead


@pytest.fixture(autouse=True)
def round_numbers(monkeypatch):
    monkeypatch.setattr(thread_policy, "PRODUCT_A_BLAS_THREAD", 1000)
    monkeypatch.setattr(thread_policy, "PRODUCT_A_WORKER", 5000)
    monkeypatch.setattr(thread_policy, "PRODUCTS_A_NUMBER", 3)


@pytest.mark.parametrize(
    ("rows", "units", "expected"),
    [(50, 10, 3), (49, 10, 1), (50, 9, 1), (5, 100, 3), (10**6, 1, 3), (1, 1, 1)],
)
def test_workers_are_for_large_products(rows, units, expected):
    model = dl.Dense(units).build((10,))  # 100 multiplications for each row
    assert useful_workers(model, rows, 3) == expected
    assert useful_workers(model, rows, 1) == 1


@pytest.mark.parametrize(
    ("rows", "expected"), [(1, 1), (10, 1), (19, 1), (20, 2), (29, 2), (30, 3), (10**6, 10**5)]
)
def test_blas_gets_threads_for_large_products(rows, expected):
    assert useful_blas_threads(dl.Dense(10).build((10,)), rows) == expected


@pytest.mark.parametrize(
    ("cores", "layers", "input_shape", "expected"),
    [
        (1, [dl.Dense(1)], (5,), False),
        (2, [dl.Dense(3)], (5,), True),  # three multiplications with each number of the input
        (2, [dl.Dense(4)], (5,), False),
        (2, [dl.Flatten(), dl.Dense(3)], (4, 5, 3), True),
        (2, [dl.Flatten(), dl.Dense(4)], (4, 5, 3), False),
        (2, [dl.Dense(3), dl.Dense(6)], (5,), False),  # 18 behind 5 numbers
        (8, [dl.ReLU()], (5,), True),
    ],
)
def test_reading_ahead_is_for_models_that_compute_little(
    monkeypatch, cores, layers, input_shape, expected
):
    monkeypatch.setattr(thread_policy, "usable_cores", lambda: cores)
    model = dl.Sequential([copy.deepcopy(layer) for layer in layers]).build(input_shape)
    assert worth_reading_ahead(model, 64) is expected


@pytest.mark.parametrize(
    ("small_kernels", "expected"), [(False, [True, False]), (True, [True] * 2)]
)
def test_nothing_reads_ahead_beside_threads_of_blas(monkeypatch, small_kernels, expected):
    monkeypatch.setattr(thread_policy, "usable_cores", lambda: 2)
    monkeypatch.setattr(thread_policy, "has_small_kernels", lambda: small_kernels)
    monkeypatch.setattr(thread_policy, "PRODUCT_A_BLAS_THREAD", 150)
    model = dl.Dense(3).build((5,))
    assert [worth_reading_ahead(model, rows) for rows in (19, 20)] == expected


def test_a_model_without_products_is_worth_one_thread():
    model = dl.ReLU().build((4,))
    assert useful_blas_threads(model, 10**6) == 1
    assert useful_workers(model, 10**6, 2) == 1
