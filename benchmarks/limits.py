"""What the machine could do at best: the time below which no program can make a training step."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from benchmarks.networks import step_operations
from benchmarks.workloads import Workload


@dataclass(frozen=True)
class Limit:
    """A lower bound of a step's time, and what sets it.

    Attributes:
        products: Seconds of the matrix products at the measured rate of large ones.
        memory: Seconds to read the batch's rows from memory once. Parameters and activations are
            not counted: they can stay in the cache.
    """

    products: float
    memory: float

    @property
    def seconds(self) -> float:
        """The larger of the two bounds."""
        return max(self.products, self.memory)

    @property
    def cause(self) -> str:
        """What sets it."""
        return "products" if self.products >= self.memory else "memory"


def step_limit(workload: Workload, rates: dict[str, float]) -> Limit:
    """The limit of a training step on a machine with these rates."""
    rows = workload.batch_size
    operations = step_operations(workload.layers, workload.input_shape, rows)
    rate = max(rates["sgemm_gflops"], rates["sgemm_gflops_one_thread"])
    row_bytes = 4 * int(np.prod(workload.input_shape))
    return Limit(
        products=operations / (rate * 1e9),
        memory=rows * row_bytes / (rates["memory_gb_per_s"] * 1e9),
    )
