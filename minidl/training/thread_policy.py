"""How many threads a training run is worth, as measured by `python -m benchmarks W9`."""

from __future__ import annotations

from minidl.arguments import whole_number
from minidl.layers.base import Layer
from minidl.objective import Objective

# Multiplications in the largest matrix product, below which threads cost more than they save: one
# of BLAS has to be woken for every product, and workers hand the interpreter to each other at
# every call of NumPy.
PRODUCT_A_BLAS_THREAD = 2**21
PRODUCT_A_WORKER = 2**23


def useful_workers(model: Layer, workers: int) -> int:
    """How many of the workers asked for make chunks of this model faster."""
    workers = whole_number("Trainer", "workers", workers)
    plan = model.bound.plan
    return workers if plan.chunk_rows * plan.largest_product >= PRODUCT_A_WORKER else 1


def useful_blas_threads(objective: Objective, batch_size: int) -> int:
    """How many threads of BLAS a batch is worth: one where workers have the cores."""
    in_chunks = objective.chunked and batch_size > objective.chunk_rows
    if in_chunks and objective.workers > 1:
        return 1
    rows = objective.chunk_rows if in_chunks else batch_size
    product = rows * objective.model.bound.plan.largest_product
    return max(product // PRODUCT_A_BLAS_THREAD, 1)
