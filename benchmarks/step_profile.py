"""Where a training step goes, piece by piece.

    python -m benchmarks.step_profile [--units 10 10] [--batch-size 64]

Each piece is run alone on data that is in the cache, best of many; the whole step is an epoch of
`Trainer.fit` over MNIST, best of several. What the pieces do not explain is reading rows from
memory, waiting for them, and the calls in between.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable

import numpy as np

import minidl as dl
from benchmarks.data import ROWS

RUNS, CALLS, EPOCHS = 25, 200, 9


def microseconds(call: Callable[[], object]) -> float:
    """Time of a call, the best of many runs."""
    best = np.inf
    for _ in range(RUNS):
        start = time.perf_counter()
        for _ in range(CALLS):
            call()
        best = min(best, time.perf_counter() - start)
    return best / CALLS * 1e6


def pieces(model: dl.Sequential, x: np.ndarray, y: np.ndarray) -> dict[str, float]:
    """Microseconds of each part of a step on one batch."""
    found: dict[str, float] = {}
    *layers, _ = model.layers  # softmax is computed with the loss
    steps, h = [], x
    for index, layer in enumerate(layers):
        buffer = np.empty((len(x), *layer.bound.output_shape), x.dtype)

        def forward(layer=layer, h=h, buffer=buffer) -> None:
            layer._forward(h, training=True, out=buffer)

        found[f"{index} {layer} forward"] = microseconds(forward)
        steps.append((index, layer, forward))
        h = buffer
    loss = dl.CrossEntropy(from_logits=True)
    found["loss and its gradient"] = microseconds(lambda: loss.weighted(h, y, None, len(x)))
    _, dy = loss.weighted(h, y, None, float(len(x)))
    for index, layer, forward in reversed(steps):
        dx = np.empty((len(x), *layer.bound.input_shape), x.dtype)

        def both(layer=layer, forward=forward, dy=dy, dx=dx, wanted=index > 0) -> None:
            forward()
            layer._backward(dy, input_grad=wanted, out=dx if wanted else None)

        there_and_back = microseconds(both)
        found[f"{index} {layer} backward"] = there_and_back - found[f"{index} {layer} forward"]
        dy = dx
    optimizer = dl.SGD(1e-9)
    update = microseconds(lambda: optimizer.update(model.params, model.grads))
    found["check that the gradient is finite"] = microseconds(
        lambda: dl.finiteness.is_finite(model.grads)
    )
    return found | {"update": update}


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--units", type=int, nargs="+", default=[10, 10])
    parser.add_argument("--batch-size", type=int, default=64)
    args = parser.parse_args()
    try:
        (x, y), _ = dl.load_mnist()
    except dl.DatasetNotFoundError:
        print("MNIST is not at hand: random rows of its size instead (timing is the same)")
        rng = np.random.default_rng(0)
        x, y = rng.random((ROWS, 784), dtype=np.float32), rng.integers(0, 10, ROWS)
    hidden = [layer for units in args.units[:-1] for layer in (dl.Dense(units), dl.ReLU())]
    model = dl.Sequential([*hidden, dl.Dense(args.units[-1]), dl.Softmax()]).build((784,), rng=0)
    trainer, seconds = dl.Trainer(model, dl.CrossEntropy(), dl.SGD(0.1), rng=0), []
    for _ in range(EPOCHS):
        start = time.perf_counter()
        trainer.fit(x, y, epochs=1, batch_size=args.batch_size)
        seconds.append(time.perf_counter() - start)
    whole = min(seconds) / -(-len(x) // args.batch_size) * 1e6
    found = pieces(model, x[: args.batch_size].copy(), y[: args.batch_size])
    name = "-".join(map(str, (784, *args.units)))
    print(f"| {name}, batch {args.batch_size} | microseconds |\n| --- | ---: |")
    for piece, time_of_it in found.items():
        print(f"| {piece} | {time_of_it:.1f} |")
    print(f"| everything else | {whole - sum(found.values()):.1f} |")
    print(f"| a step of `Trainer.fit` | {whole:.1f} |")


if __name__ == "__main__":
    main()
