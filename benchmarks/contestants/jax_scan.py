"""JAX with a whole epoch compiled into one call, which leaves no room for anything in between."""

from __future__ import annotations

from functools import partial

import jax
import numpy as np
from jax import lax

from benchmarks.contestants import jax_jit
from benchmarks.contestants.jax_jit import Parameters, update, update_gathered


@partial(jax.jit, donate_argnums=0)
def epoch(params: Parameters, x: jax.Array, y: jax.Array, batches: jax.Array) -> Parameters:
    """A step for every row of indices."""
    return lax.scan(lambda p, index: update_gathered(p, x, y, index), params, batches)[0]


@partial(jax.jit, donate_argnums=0, static_argnums=3)
def repeated(params: Parameters, x: jax.Array, y: jax.Array, steps: int) -> Parameters:
    """So many steps on the whole data."""
    return lax.scan(lambda p, _: update(p, x, y), params, length=steps)[0]


class Training(jax_jit.Training):
    """One `lax.scan` an epoch; the last, smaller batch is a step of its own."""

    def trial(self, epoch) -> float:
        return 0.0

    def round(self) -> int:
        task = self.task
        if task.full_batch:
            self.params = repeated(self.params, self.device_x, self.device_y, task.loop_epochs)
        else:
            for _ in range(task.loop_epochs):
                self.one_epoch()
        jax.block_until_ready(self.params)
        return task.loop_epochs * task.steps

    def one_epoch(self) -> None:
        order = self.rng.permutation(len(self.x)).astype(np.int32)
        whole = len(order) // self.task.batch_size * self.task.batch_size
        batches = order[:whole].reshape(-1, self.task.batch_size)
        self.params = epoch(self.params, self.device_x, self.device_y, batches)
        if whole < len(order):
            self.gather_inside(order[whole:])
