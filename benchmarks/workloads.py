"""What is measured, who takes part, and which ratio to minidl's time is aimed at."""

from __future__ import annotations

from dataclasses import dataclass, field

from benchmarks.data import ROWS, SPARSE_CLASSES, SPARSE_SHAPE
from benchmarks.networks import LENET, SMALL_CNN, TORCH_EXAMPLE, Layers, dense

BOTH = ("minidl", "handwritten", "torch_eager", "torch_compile", "jax_jit")
KERAS = ("keras_fit", "keras_fit_tuned", "keras_train_on_batch")
TRAINING = (*BOTH, "jax_scan", *KERAS, "sklearn")
INFERENCE = (*BOTH, "keras_call", "keras_predict", "sklearn")
SEQUENCES = ("minidl", "torch_eager", "keras_fit", "keras_fit_tuned")
CONVOLUTIONS = ("minidl", "torch_eager", "torch_channels_last")


@dataclass(frozen=True)
class Workload:
    """One line of work that several programs do.

    Attributes:
        name: Such as W1-64; the part before the hyphen is what the command line takes.
        title: What readers see.
        kind: "training", or "inference".
        layers: The network.
        batch_size: Rows of a step, or of a call.
        contestants: Who takes part.
        targets: Least ratio of a peer's time to minidl's: with default and with other kernels.
        fit_epochs: Epochs of a round where one call trains several: its fixed costs count little.
        loop_epochs: Epochs of a round for programs that are called once a batch.
        input_shape: Shape of one row.
        rows: Rows of the data set.
        most_rounds: Where fewer rounds do.
        sparse: Whether rows are the random sparse ones instead of MNIST's.
        optimizer: "sgd" or "adam".
    """

    name: str
    title: str
    kind: str
    layers: Layers
    batch_size: int
    contestants: tuple[str, ...]
    targets: dict[str, tuple[float, float]] = field(default_factory=dict)
    fit_epochs: int = 2
    loop_epochs: int = 1
    input_shape: tuple[int, ...] = (784,)
    rows: int = ROWS
    most_rounds: int = 1_000
    sparse: bool = False
    optimizer: str = "sgd"

    @property
    def group(self) -> str:
        """The part of the name that the command line takes."""
        return self.name.split("-")[0]


def _same(**ratios: float) -> dict[str, tuple[float, float]]:
    return {name: (ratio, ratio) for name, ratio in ratios.items()}


def _small(batch_size: int, torch: float, jax: float) -> Workload:
    targets = _same(torch_eager=torch, jax_jit=jax, keras_fit=12, sklearn=2.3)
    title = f"784-10-10, batch {batch_size}"
    layers = dense(10, 10)
    return Workload(f"W1-{batch_size}", title, "training", layers, batch_size, TRAINING, targets)


def _images(name: str, title: str, layers: Layers, default: float, other: float) -> Workload:
    targets = dict.fromkeys(CONVOLUTIONS[1:], (default, other))
    return Workload(
        f"W5-{name}",
        f"{title}, batch 64",
        "training",
        layers,
        64,
        CONVOLUTIONS,
        targets,
        fit_epochs=1,
        input_shape=(28, 28, 1),
        rows=64 * 50,
    )


def _sequences(name: str, title: str, *layers: tuple) -> Workload:
    return Workload(
        f"W10-{name}",
        f"{title} on 28 steps of 28, batch 64",
        "training",
        layers,
        64,
        SEQUENCES,
        input_shape=(28, 28),
        rows=64 * 100,
    )


def _sparse(name: str, title: str, kind: str, batch_size: int) -> Workload:
    rows, features = SPARSE_SHAPE
    return Workload(
        f"W11-{name}",
        f"{features:,}-32-{SPARSE_CLASSES} on {rows:,} sparse rows, {title}",
        kind,
        dense(32, SPARSE_CLASSES),
        batch_size,
        ("minidl", "sklearn"),
        fit_epochs=1,
        input_shape=(features,),
        rows=rows,
        sparse=True,
        optimizer="adam",
    )


def _inference(name: str, rows: int, units: tuple[int, ...], **targets: float) -> Workload:
    network = "-".join(map(str, (784, *units)))
    title = f"{network}, {'one row' if rows == 1 else f'{rows:,} rows'}"
    return Workload(name, title, "inference", dense(*units), rows, INFERENCE, _same(**targets))


WORKLOADS = (
    _small(32, 2.5, 1.05),
    _small(64, 2.5, 1.05),
    _small(128, 2.2, 1.5),
    Workload(
        "W2",
        "784-10-10, full batch of 60,000",
        "training",
        dense(10, 10),
        ROWS,
        TRAINING,
        _same(torch_eager=1.3, jax_jit=1.2),
        fit_epochs=10,
        loop_epochs=10,
    ),
    Workload(
        "W3",
        "784-128-64-32-10, batch 64",
        "training",
        dense(128, 64, 32, 10),
        64,
        TRAINING,
        _same(torch_eager=1.6, jax_jit=1.3, keras_fit=5, sklearn=4),
    ),
    Workload(
        "W4",
        "784-512-512-10, batch 128",
        "training",
        dense(512, 512, 10),
        128,
        TRAINING,
        {
            "torch_eager": (1.3, 1.8),
            "jax_jit": (0.95, 1.3),
            **_same(keras_fit=2, sklearn=1.7),
        },
        fit_epochs=1,
    ),
    _images("lenet", "LeNet-5", LENET, 1.1, 1.1),
    _images("small", "small CNN (8 and 16 channels)", SMALL_CNN, 1.1, 1.1),
    _images("example", "PyTorch's MNIST example net", TORCH_EXAMPLE, 0.9, 1.0),
    _inference("W6-10", 1, (10, 10), torch_eager=1.7, jax_jit=3, keras_call=100, sklearn=8),
    _inference("W6-512", 1, (512, 512, 10)),
    _inference("W7-10", 10_000, (10, 10)),
    _inference("W7-512", 10_000, (512, 512, 10)),
    _sequences("lstm-64", "LSTM(64), Dense(10)", ("lstm", 64), ("dense", 10)),
    _sequences("lstm-128", "LSTM(128), Dense(10)", ("lstm", 128), ("dense", 10)),
    _sequences("gru-64", "GRU(64), Dense(10)", ("gru", 64), ("dense", 10)),
    _sequences(
        "transformer",
        "Dense(64), transformer block, mean, Dense(10)",
        *(("dense", 64), ("transformer", 64, 4, 128), ("mean",), ("dense", 10)),
    ),
    _sparse("fit", "Adam, batch 200", "training", 200),
    _sparse("predict", "all at once", "inference", SPARSE_SHAPE[0]),
)
