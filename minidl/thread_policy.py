"""How many threads a model is worth, as measured by `python -m benchmarks W9`."""

from __future__ import annotations

from minidl.layers.base import Layer
from minidl.layers.planning import n_elements
from minidl.products import has_small_kernels
from minidl.threads import usable_cores

# Multiplications in the largest matrix product, below which threads cost more than they save: one
# of BLAS has to be woken for every product, and workers hand the interpreter to each other at
# every call of NumPy.
PRODUCT_A_BLAS_THREAD = 2**21
PRODUCT_A_WORKER = 2**26

# Multiplications with each number of the input, above which reading is a small part of a step.
PRODUCTS_A_NUMBER = 16


def useful_blas_threads(model: Layer, rows: int) -> int:
    """How many threads of BLAS a batch of rows is worth on any number of cores."""
    return max(rows * model.bound.plan.largest_product // PRODUCT_A_BLAS_THREAD, 1)


def useful_workers(model: Layer, rows: int, workers: int) -> int:
    """How many of the workers asked for make chunks of rows faster."""
    return workers if rows * model.bound.plan.largest_product >= PRODUCT_A_WORKER else 1


def worth_reading_ahead(model: Layer, rows: int) -> bool:
    """Whether a second thread should bring rows into the cache while others are computed with.

    Worth it where reading takes long beside the computing, and BLAS leaves a core free.
    """
    plan = model.bound.plan
    computes_much = plan.largest_product > PRODUCTS_A_NUMBER * n_elements(plan.input_shape)
    if usable_cores() == 1 or computes_much:
        return False
    return useful_blas_threads(model, rows) == 1 or has_small_kernels()  # which use one thread
