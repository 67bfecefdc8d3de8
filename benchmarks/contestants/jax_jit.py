"""JAX with the whole step compiled: one jitted function, called once a batch."""

from __future__ import annotations

import time

import jax
import jax.numpy as jnp
import numpy as np

from benchmarks.contestants.task import LEARNING_RATE, Task

Parameters = list[tuple[jax.Array, jax.Array]]


def logits(params: Parameters, x: jax.Array) -> jax.Array:
    """The network without its softmax."""
    for W, b in params[:-1]:
        x = jax.nn.relu(x @ W + b)
    W, b = params[-1]
    return x @ W + b


def loss(params: Parameters, x: jax.Array, y: jax.Array) -> jax.Array:
    """Mean cross-entropy."""
    # Also tried: one_hot(y) times log_softmax. Within noise on small networks, slower on larger.
    log_p = jax.nn.log_softmax(logits(params, x))
    return -jnp.take_along_axis(log_p, y[:, None], axis=1).mean()


def update(params: Parameters, x: jax.Array, y: jax.Array) -> tuple[Parameters, jax.Array]:
    """One step of gradient descent."""
    value, grads = jax.value_and_grad(loss)(params, x, y)
    return jax.tree.map(lambda p, g: p - LEARNING_RATE * g, params, grads), value


def update_gathered(
    params: Parameters, x: jax.Array, y: jax.Array, index: jax.Array
) -> tuple[Parameters, jax.Array]:
    """The same on the rows `index`."""
    # Also tried: jnp.take(..., mode="clip") and promise_in_bounds; no faster.
    return update(params, x[index], y[index])


def to_device(start: list[tuple[np.ndarray, np.ndarray]]) -> Parameters:
    """Copies of the initial values: a donated one is overwritten."""
    return [(jnp.array(W), jnp.array(b)) for W, b in start]


class Training:
    """Donated parameters. Rows are gathered by NumPy before the step or by XLA inside it.

    Which of the two is faster depends on the batch size (before it up to 64 rows, where JAX runs
    the step while NumPy gathers the next batch), so both are tried first, and the faster one used.
    """

    def __init__(self, task: Task) -> None:
        self.task, self.rng = task, np.random.default_rng(0)
        self.x, self.y = task.x, task.y.astype(np.int32)
        self.device_x, self.device_y = jax.device_put((self.x, self.y))
        self.step = jax.jit(update, donate_argnums=0)
        self.gathering_step = jax.jit(update_gathered, donate_argnums=0)
        if not task.full_batch:
            self.epoch = min((self.gather_before, self.gather_inside), key=self.trial)
        self.params = to_device(task.start)

    def trial(self, epoch) -> float:
        """Seconds of twenty steps, the best of three runs after one that compiles."""
        self.params, seconds = to_device(self.task.start), []
        for _ in range(4):
            start = time.perf_counter()
            epoch(self.rng.permutation(len(self.x))[: 20 * self.task.batch_size])
            jax.block_until_ready(self.params)
            seconds.append(time.perf_counter() - start)
        return min(seconds[1:])

    def gather_before(self, order: np.ndarray) -> None:
        size = self.task.batch_size
        for i in range(0, len(order), size):
            index = order[i : i + size]
            x, y = self.x.take(index, axis=0, mode="clip"), self.y.take(index, mode="clip")
            self.params, _ = self.step(self.params, x, y)

    def gather_inside(self, order: np.ndarray) -> None:
        size, order = self.task.batch_size, order.astype(np.int32)
        for i in range(0, len(order), size):
            index = order[i : i + size]
            self.params, _ = self.gathering_step(self.params, self.device_x, self.device_y, index)

    def in_order(self, rows: int, epochs: int) -> None:
        size = self.task.batch_size
        for _ in range(epochs):
            for i in range(0, rows, size):
                x, y = self.device_x[i : i + size], self.device_y[i : i + size]
                self.params, _ = self.step(self.params, x, y)

    def round(self) -> int:
        for _ in range(self.task.loop_epochs):
            if self.task.full_batch:
                self.params, _ = self.step(self.params, self.device_x, self.device_y)
            else:
                self.epoch(self.rng.permutation(len(self.x)))
        jax.block_until_ready(self.params)
        return self.task.loop_epochs * self.task.steps

    def parameters(self) -> list[np.ndarray]:
        return [np.asarray(a) for pair in self.params for a in pair]


class Inference:
    """The jitted network with softmax, device array in and out, waited for."""

    def __init__(self, task: Task) -> None:
        params = to_device(task.start)
        self.network = jax.jit(lambda params, x: jax.nn.softmax(logits(params, x)))
        self.call = lambda x: self.network(params, x).block_until_ready()

    def convert(self, x: np.ndarray) -> jax.Array:
        return jnp.asarray(x)

    def probabilities(self, x: np.ndarray) -> np.ndarray:
        return np.asarray(self.call(self.convert(x)))
