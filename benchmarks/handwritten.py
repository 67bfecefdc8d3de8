"""The step of the reference network, inlined by hand: what minidl's structure costs.

    python benchmarks/handwritten.py [--batch-size 64] [--epochs 5]

Trains 784-10-10 (ReLU, softmax, cross-entropy) by minibatch SGD twice, through `Trainer.fit` and
through the plain NumPy function below, on the same rows from the same initial values with the same
dtype, in alternating epochs of one run. Both gather their batches from shuffled indices into a
reused buffer. Prints microseconds a step (best and median), their ratio, and what a step allocates.
"""

from __future__ import annotations

import argparse
import statistics
import time
import tracemalloc

import numpy as np

import minidl as dl


class HandwrittenNetwork:
    """784-10-10 with every operation written out, as an expert would for this one network."""

    def __init__(self, model: dl.Layer, x: np.ndarray, y: np.ndarray, batch_size: int) -> None:
        first, second = model.layers[0], model.layers[2]
        self.params, self.grads = model.params.copy(), np.empty_like(model.params)
        self.change = np.empty_like(model.params)
        shapes = [first.weight.shape, first.bias.shape, second.weight.shape, second.bias.shape]
        self.W1, self.b1, self.W2, self.b2 = views(self.params, shapes)
        self.dW1, self.db1, self.dW2, self.db2 = views(self.grads, shapes)
        self.x, self.y, self.batch_size = x, y, batch_size
        h, c = self.W1.shape[1], self.W2.shape[1]
        self.xb = np.empty((batch_size, x.shape[1]), np.float32)
        self.yb = np.empty(batch_size, y.dtype)
        self.a1, self.da1 = (np.empty((batch_size, h), np.float32) for _ in range(2))
        self.z2 = np.empty((batch_size, c), np.float32)
        self.rows = np.arange(batch_size)

    def epoch(self, rng: np.random.Generator, learning_rate: float) -> None:
        order = rng.permutation(len(self.x))
        for start in range(0, len(order), self.batch_size):
            self.step(order[start : start + self.batch_size], learning_rate)

    def step(self, index: np.ndarray, learning_rate: float) -> float:
        n = len(index)
        xb, yb, rows = self.xb[:n], self.yb[:n], self.rows[:n]
        a1, da1, z2 = self.a1[:n], self.da1[:n], self.z2[:n]
        np.take(self.x, index, axis=0, out=xb, mode="clip")
        np.take(self.y, index, out=yb, mode="clip")
        np.matmul(xb, self.W1, out=a1)
        a1 += self.b1
        np.maximum(a1, 0, out=a1)
        np.matmul(a1, self.W2, out=z2)
        z2 += self.b2
        z2 -= z2.max(axis=1, keepdims=True)
        picked = z2[rows, yb]
        np.exp(z2, out=z2)
        total = z2.sum(axis=1, keepdims=True)
        loss = float((np.log(total[:, 0]) - picked).sum()) / n
        z2 /= total
        z2[rows, yb] -= 1
        z2 /= n
        np.matmul(a1.T, z2, out=self.dW2)
        z2.sum(axis=0, out=self.db2)
        np.matmul(z2, self.W2.T, out=da1)
        da1 *= a1 > 0
        np.matmul(xb.T, da1, out=self.dW1)
        da1.sum(axis=0, out=self.db1)
        np.multiply(self.grads, learning_rate, out=self.change)
        self.params -= self.change
        return loss


def views(vector: np.ndarray, shapes: list[tuple[int, ...]]) -> list[np.ndarray]:
    """One vector cut into arrays, so that the update is two operations for all of them."""
    sizes = np.cumsum([int(np.prod(shape)) for shape in shapes])
    parts = np.split(vector, sizes[:-1])
    return [part.reshape(shape) for part, shape in zip(parts, shapes, strict=True)]


def timed(run) -> float:
    start = time.perf_counter()
    run()
    return time.perf_counter() - start


def net_allocation(trainer: dl.Trainer, x: np.ndarray, y: np.ndarray, batch_size: int) -> tuple:
    """Bytes kept by a hundred steady-state steps, and the largest bytes in use in between."""
    figures: list[tuple[int, int]] = []

    class Measure(dl.Callback):
        def on_batch_end(self, trainer: dl.Trainer, loss: float) -> None:
            if trainer.step % 100 == 50:
                tracemalloc.reset_peak()
                figures.append((tracemalloc.get_traced_memory()[0], 0))
            elif trainer.step % 100 == 49 and figures:
                current, peak = tracemalloc.get_traced_memory()
                figures[-1] = (current - figures[-1][0], peak - figures[-1][0])

    trainer.callbacks = [Measure()]
    tracemalloc.start()
    trainer.fit(x, y, epochs=1, batch_size=batch_size)
    tracemalloc.stop()
    trainer.callbacks = []
    complete = figures[1:-1]
    return statistics.median(f[0] for f in complete), statistics.median(f[1] for f in complete)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--batch-size", type=int, default=64)
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--data-dir", help="folder with MNIST's files")
    args = parser.parse_args()
    try:
        (x, y), _ = dl.load_mnist(args.data_dir)
    except dl.DatasetNotFoundError:
        print("MNIST is not at hand: random rows of its size instead (timing is the same)")
        rng = np.random.default_rng(0)
        x, y = rng.random((60_000, 784), dtype=np.float32), rng.integers(0, 10, 60_000)
    model = dl.Sequential([dl.Dense(10), dl.ReLU(), dl.Dense(10), dl.Softmax()])
    model.build((784,), rng=0)
    by_hand = HandwrittenNetwork(model, x, y, args.batch_size)
    trainer = dl.Trainer(model, dl.CrossEntropy(), dl.SGD(0.1), rng=0)
    rng = np.random.default_rng(dl.randomness.seed_sequence(0))  # the trainer's own order
    steps = -(-len(x) // args.batch_size)
    ours, theirs = [], []
    for _ in range(args.epochs):
        seconds = timed(lambda: trainer.fit(x, y, epochs=1, batch_size=args.batch_size))
        ours.append(seconds / steps * 1e6)
        theirs.append(timed(lambda: by_hand.epoch(rng, 0.1)) / steps * 1e6)
    difference = np.abs(model.layers[0].weight - by_hand.W1).max()
    ratios = [a / b for a, b in zip(ours, theirs, strict=True)]
    print(f"784-10-10, batch {args.batch_size}, {steps} steps an epoch, {args.epochs} epochs")
    for name, times in (("Trainer.fit", ours), ("handwritten", theirs)):
        print(f"{name:12} best {min(times):6.1f}  median {statistics.median(times):6.1f} us a step")
    print(f"ratio of bests {min(ours) / min(theirs):.2f}, median {statistics.median(ratios):.2f}")
    print(f"largest difference of a first-layer weight afterwards: {difference:.1e}")
    net, peak = net_allocation(trainer, x, y, args.batch_size)
    largest = max(layer.weight.nbytes for layer in (model.layers[0], model.layers[2]))
    print(
        f"a hundred steps keep {net:,.0f} B ({net / 100:.1f} B a step) and need {peak:,.0f} B in "
        f"between; the largest weight matrix has {largest:,} B"
    )


if __name__ == "__main__":
    main()
