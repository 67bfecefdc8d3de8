"""What the sections of a config say, checked as far as that goes without data."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from minidl.command_line.config.kinds import metric_functions
from minidl.command_line.config.node import Node, items, optional
from minidl.command_line.config.objects import called, made
from minidl.containers import Sequential
from minidl.layers.base import Layer
from minidl.metrics import Metric
from minidl.training.parts import metrics_of
from minidl.typing import Shape

PICTURES = (".png", ".svg", ".pdf")


@dataclass
class ModelSection:
    """`[model]`: an unbuilt network, and how it is built."""

    network: Sequential
    input_shape: Shape | None
    seed: int
    dtype: str


@dataclass
class TrainingSection:
    """`[training]`: what goes into the loop."""

    epochs: int
    batch_size: int
    metrics: list[Metric]
    workers: int
    seed: int


@dataclass
class OutputSection:
    """`[output]`: the files to write, and the folder of checkpoints."""

    model: Path
    history: Path | None
    plot: Path | None
    checkpoint: Path | None

    @property
    def files(self) -> list[Path]:
        """The files among them."""
        return [path for path in (self.model, self.history, self.plot) if path is not None]


def model_section(node: Node) -> ModelSection:
    """Read `[model]`."""
    given = node.table(["layers", "input_shape", "seed", "dtype"], ["layers"])
    layers = [made(child, Layer) for child in given["layers"].items()]
    if not layers:
        given["layers"].fail("expected layers, got none.")
    return ModelSection(
        given["layers"].checked(Sequential, layers),
        optional(given, "input_shape", _lengths, None),
        optional(given, "seed", lambda seed: seed.whole(0), 0),
        optional(given, "dtype", lambda dtype: dtype.one_of(["float32", "float64"]), "float32"),
    )


def training_section(node: Node) -> TrainingSection:
    """Read `[training]`."""
    given = node.table(["epochs", "batch_size", "metrics", "workers", "seed"], ["epochs"])
    return TrainingSection(
        given["epochs"].whole(),
        optional(given, "batch_size", Node.whole, 32),
        _metrics(given),
        optional(given, "workers", Node.whole, 1),
        optional(given, "seed", lambda seed: seed.whole(0), 0),
    )


def output_section(node: Node) -> OutputSection:
    """Read `[output]`."""
    given = node.table(["model", "history", "plot", "checkpoint"], ["model"])
    paths = {name: child.near() for name, child in given.items()}
    for name, path in paths.items():
        if list(paths.values()).count(path) > 1:
            given[name].fail("expected a name of its own, got that of another output.")
    if "plot" in paths and paths["plot"].suffix not in PICTURES:
        given["plot"].fail(f"expected a name that ends in {', '.join(PICTURES)}.")
    names = ("model", "history", "plot", "checkpoint")
    return OutputSection(**{name: paths.get(name) for name in names})  # type: ignore[arg-type]


def _lengths(node: Node) -> Shape | None:
    return tuple(child.whole() for child in node.items())


def _metrics(given: Mapping[str, Node]) -> list[Metric]:
    metrics = [_metric(child) for child in items(given, "metrics")]
    return given["metrics"].checked(metrics_of, metrics) if metrics else []


def _metric(node: Node) -> Metric:
    function, options = called(node, "metric", metric_functions(), skip=2)  # y_true and y_pred
    return node.checked(Metric, functools.partial(function, **options) if options else function)
