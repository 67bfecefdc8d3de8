"""The figures of the reference networks that the documentation shows, as a Markdown table.

    python benchmarks/reference_results.py [--seeds 10]

Prints test accuracy of the main example (784-10-10, its defaults) over seeds with its spread, and
the number of hidden units that are dead at the end.
"""

from __future__ import annotations

import argparse
import importlib.util
import statistics
import sys
from pathlib import Path

import numpy as np

import minidl as dl

ROOT = Path(__file__).resolve().parents[1]


def load(path: str):
    """Import a file of the repository that is in no package."""
    spec = importlib.util.spec_from_file_location(Path(path).stem, ROOT / path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def accuracy_over_seeds(seeds: int) -> None:
    example = load("examples/two_layer_mnist.py")
    print("| seed | test accuracy | dead hidden units |\n|---|---|---|")
    accuracies = []
    for seed in range(seeds):
        (x, y), (x_test, y_test), name = example.load_data(None, False, seed)
        model = example.build_model(10, seed)
        trainer = dl.Trainer(model, dl.CrossEntropy(), dl.SGD(0.1), rng=seed)
        split = example.VALIDATION_ROWS / len(x)
        trainer.fit(x, y, epochs=10, batch_size=64, validation_split=split)
        accuracies.append(dl.accuracy(y_test, model.predict(x_test).argmax(axis=1)))
        hidden = model.trace(x_test)["1.relu"]  # (N, 10)
        dead = int((~hidden.any(axis=0)).sum())
        print(f"| {seed} | {accuracies[-1]:.4f} | {dead} |", flush=True)
    print(
        f"\n{name}: median {statistics.median(accuracies):.4f}, lowest {min(accuracies):.4f}, "
        f"highest {max(accuracies):.4f}\n"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--seeds", type=int, default=10)
    args = parser.parse_args()
    print(f"minidl {dl.__version__}, numpy {np.__version__}\n")
    accuracy_over_seeds(args.seeds)


if __name__ == "__main__":
    main()
