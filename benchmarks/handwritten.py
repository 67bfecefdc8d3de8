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
    """Dense layers with ReLU in between, every operation written out, as an expert would do it.

    Args:
        start: Weight and bias of each layer.
        x: All rows.
        y: Their labels.
        batch_size: Rows of a step.
    """

    def __init__(
        self,
        start: list[tuple[np.ndarray, np.ndarray]],
        x: np.ndarray,
        y: np.ndarray,
        batch_size: int,
    ) -> None:
        arrays = [a for pair in start for a in pair]
        self.params = np.concatenate([a.ravel() for a in arrays])
        self.grads, self.change = np.empty_like(self.params), np.empty_like(self.params)
        shapes = [a.shape for a in arrays]
        params, grads = views(self.params, shapes), views(self.grads, shapes)
        self.W, self.b, self.dW, self.db = params[::2], params[1::2], grads[::2], grads[1::2]
        self.x, self.y, self.batch_size = x, y, batch_size
        widths = [b.size for b in self.b]
        self.xb = np.empty((batch_size, x.shape[1]), np.float32)
        self.yb = np.empty(batch_size, y.dtype)
        self.a = [np.empty((batch_size, width), np.float32) for width in widths]
        self.da = [np.empty((batch_size, width), np.float32) for width in widths[:-1]]
        self.rows = np.arange(batch_size)

    def epoch(self, rng: np.random.Generator, learning_rate: float) -> None:
        if self.batch_size >= len(self.x):
            self.update(self.x, self.y, learning_rate)
            return
        order = rng.permutation(len(self.x))
        for start in range(0, len(order), self.batch_size):
            self.step(order[start : start + self.batch_size], learning_rate)

    def step(self, index: np.ndarray, learning_rate: float) -> float:
        """Gather rows and train on them."""
        xb, yb = self.xb[: len(index)], self.yb[: len(index)]
        np.take(self.x, index, axis=0, out=xb, mode="clip")
        np.take(self.y, index, out=yb, mode="clip")
        return self.update(xb, yb, learning_rate)

    def update(self, xb: np.ndarray, yb: np.ndarray, learning_rate: float) -> float:
        n, last = len(xb), len(self.W) - 1
        rows, inputs = self.rows[:n], [xb, *(a[:n] for a in self.a)]
        for i in range(last + 1):
            z = inputs[i + 1]
            np.matmul(inputs[i], self.W[i], out=z)
            z += self.b[i]
            if i < last:
                np.maximum(z, 0, out=z)
        z -= z.max(axis=1, keepdims=True)
        picked = z[rows, yb]
        np.exp(z, out=z)
        total = z.sum(axis=1, keepdims=True)
        loss = float((np.log(total[:, 0]) - picked).sum()) / n
        z /= total
        z[rows, yb] -= 1
        z /= n
        for i in range(last, -1, -1):
            np.matmul(inputs[i].T, z, out=self.dW[i])
            z.sum(axis=0, out=self.db[i])
            if i > 0:
                z = np.matmul(z, self.W[i].T, out=self.da[i - 1][:n])
                z *= inputs[i] > 0
        np.multiply(self.grads, learning_rate, out=self.change)
        self.params -= self.change
        return loss

    def logits(self, x: np.ndarray) -> np.ndarray:
        for i, (W, b) in enumerate(zip(self.W, self.b, strict=True)):
            x = x @ W
            x += b
            if i < len(self.W) - 1:
                np.maximum(x, 0, out=x)
        return x


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
    start = [(layer.weight, layer.bias) for layer in (model.layers[0], model.layers[2])]
    by_hand = HandwrittenNetwork(start, x, y, args.batch_size)
    trainer = dl.Trainer(model, dl.CrossEntropy(), dl.SGD(0.1), rng=0)
    rng = np.random.default_rng(dl.randomness.seed_sequence(0))  # the trainer's own order
    steps = -(-len(x) // args.batch_size)
    ours, theirs = [], []
    for _ in range(args.epochs):
        seconds = timed(lambda: trainer.fit(x, y, epochs=1, batch_size=args.batch_size))
        ours.append(seconds / steps * 1e6)
        theirs.append(timed(lambda: by_hand.epoch(rng, 0.1)) / steps * 1e6)
    difference = np.abs(model.layers[0].weight - by_hand.W[0]).max()
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
