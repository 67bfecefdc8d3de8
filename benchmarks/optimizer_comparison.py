"""Every optimizer at its defaults on real MNIST: what a learner should see, as a picture.

    python benchmarks/optimizer_comparison.py
    python benchmarks/optimizer_comparison.py --output optimizers.png

Trains 784-128-64-32-10 with batches of 64 for ten epochs from three seeds with each, prints a
Markdown table and draws the training losses, one panel an optimizer. `SGD` has no default learning
rate: 0.1 is the examples', and 0.01 goes with a momentum of 0.9.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

import minidl as dl
from minidl.plotting.canvas import BLUE, FONT_SIZE, PAGE_WIDTH, new_figure

if TYPE_CHECKING:
    from collections.abc import Callable

    from matplotlib.figure import Figure

OPTIMIZERS: list[Callable[[], dl.Optimizer]] = [
    lambda: dl.SGD(0.1),
    lambda: dl.SGD(0.01, momentum=0.9),
    dl.Adagrad,
    dl.RMSprop,
    dl.Adadelta,
    dl.Adam,
    dl.AdamW,
    dl.NAdam,
    dl.Lion,
]
VALIDATION_ROWS = 5_000
COLUMNS = 3


def train(optimizer: dl.Optimizer, x, y, *, epochs: int, seed: int) -> dl.History:
    """Train the network from a seed, the same start and order of rows for every optimizer."""
    layers = [layer for units in (128, 64, 32) for layer in (dl.Dense(units), dl.ReLU())]
    model = dl.Sequential([*layers, dl.Dense(10), dl.Softmax()]).build((784,), rng=seed)
    trainer = dl.Trainer(model, dl.CrossEntropy(), optimizer, metrics=[dl.accuracy], rng=seed)
    return trainer.fit(
        x, y, epochs=epochs, batch_size=64, validation_split=VALIDATION_ROWS / len(x)
    )


def name_of(optimizer: dl.Optimizer) -> str:
    """The optimizer as one writes it, with its learning rate also where that is the default."""
    written = repr(optimizer)
    return written.replace("()", f"({optimizer.learning_rate:g})")


def panels(runs: dict[str, list[dl.History]]) -> Figure:
    """A panel for each optimizer: its losses, and in grey those of all others."""
    rows = -(-len(runs) // COLUMNS)
    title = "Training loss on MNIST, 784-128-64-32-10: each optimizer at its defaults"
    figure = new_figure(PAGE_WIDTH, 1.75 * rows + 0.3, title, layout="constrained")
    axes = figure.subplots(rows, COLUMNS, sharex=True, sharey=True, squeeze=False)
    for place, name in zip(axes.flat, runs, strict=False):
        for other, histories in runs.items():
            for history in histories if other == name else histories[:1]:
                own = other == name
                place.plot(
                    range(1, history.epochs + 1),
                    history["loss"],
                    color=BLUE if own else "0.8",
                    lw=1.4 if own else 0.8,
                    zorder=2 + own,
                )
        place.set_title(name, loc="left", fontsize=FONT_SIZE - 1, fontweight="bold")
        place.set_yscale("log")
        place.set_yticks([0.02, 0.05, 0.1, 0.2, 0.5], minor=False)
        place.yaxis.set_major_formatter("{x:g}")
        place.minorticks_off()
        place.tick_params(labelsize=FONT_SIZE - 1)
        place.spines[["top", "right"]].set_visible(False)
        place.grid(axis="y", color="0.5", alpha=0.25, lw=0.6)
    for place in axes.flat[len(runs) :]:
        place.set_visible(False)
    for place in axes[-1]:
        place.set_xlabel("epoch", fontsize=FONT_SIZE)
    return figure


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--output", type=Path, help="a picture, .png or .svg")
    args = parser.parse_args()
    (x, y), _ = dl.load_mnist()
    runs = {
        name_of(make()): [
            train(make(), x, y, epochs=args.epochs, seed=seed) for seed in range(args.seeds)
        ]
        for make in OPTIMIZERS
    }
    print(f"| optimizer | loss, epoch 1 | loss, epoch {args.epochs} | validation accuracy |")
    print("|---|---|---|---|")
    for name, histories in runs.items():
        first, last, best = (
            np.median([h[key][index] for h in histories])
            for key, index in (("loss", 0), ("loss", -1), ("val_accuracy", -1))
        )
        print(f"| `{name}` | {first:.3f} | {last:.4f} | {best:.4f} |", flush=True)
    if args.output:
        panels(runs).savefig(args.output)


if __name__ == "__main__":
    main()
