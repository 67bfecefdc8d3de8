"""minidl: a deep-learning framework on NumPy and SciPy that can be read in an afternoon.

import minidl as dl

model = dl.Sequential([dl.Dense(10), dl.ReLU(), dl.Dense(10), dl.Softmax()])
model.build((784,), rng=0)
trainer = dl.Trainer(model, dl.CrossEntropy(), dl.SGD(0.1), metrics=[dl.accuracy])
trainer.fit(x, y, epochs=10)
"""

from importlib import import_module
from typing import TYPE_CHECKING

from minidl.containers import Bidirectional, Parallel, Residual, Sequential
from minidl.errors import (
    ArgumentError,
    ArgumentTypeError,
    ContractError,
    DataError,
    DatasetNotFoundError,
    DivergenceError,
    DTypeError,
    MinidlError,
    ShapeError,
    StateError,
)
from minidl.initializers import (
    Constant,
    GlorotNormal,
    GlorotUniform,
    HeNormal,
    HeUniform,
    Initializer,
    LeCunNormal,
    LeCunUniform,
    Normal,
    Ones,
    Orthogonal,
    TruncatedNormal,
    Uniform,
    VarianceScaling,
    Zeros,
)
from minidl.layers import (
    ELU,
    GELU,
    GRU,
    LSTM,
    SELU,
    AveragePool2D,
    BatchNorm,
    Conv1D,
    Conv2D,
    Conv2DTranspose,
    Dense,
    Dropout,
    Embedding,
    Flatten,
    GaussianNoise,
    GlobalAveragePool1D,
    GlobalAveragePool2D,
    GlobalMaxPool2D,
    GroupNorm,
    Layer,
    LayerNorm,
    LeakyReLU,
    LogSoftmax,
    Masking,
    MaxPool1D,
    MaxPool2D,
    MultiHeadSelfAttention,
    PositionalEncoding,
    PReLU,
    ReLU,
    Reshape,
    RMSNorm,
    Sigmoid,
    SiLU,
    SimpleRNN,
    Softmax,
    Softplus,
    SpatialDropout2D,
    Standardize,
    Tanh,
    UpSampling2D,
)
from minidl.losses import BinaryCrossEntropy, CrossEntropy, Loss, MeanSquaredError
from minidl.objective import Objective
from minidl.optimizers import SGD, Adam, Optimizer
from minidl.parameters import ParameterSpec

if TYPE_CHECKING:
    from minidl import plotting, testing
    from minidl.datasets import batches, load_mnist, read_idx, synthetic_digits
    from minidl.metrics import Metric, accuracy, confusion_matrix
    from minidl.plotting import (
        plot_confusion_matrix,
        plot_digits,
        plot_history,
        plot_weight_images,
    )
    from minidl.testing import check_layer, numerical_gradient
    from minidl.training import Callback, EarlyStopping, History, ProgressBar, Trainer

__version__ = "0.1.0"

_LAZY = {  # names and their rooms: an inference program needs none of them
    "Callback": "training",
    "EarlyStopping": "training",
    "History": "training",
    "Metric": "metrics",
    "ProgressBar": "training",
    "Trainer": "training",
    "accuracy": "metrics",
    "batches": "datasets",
    "check_layer": "testing",
    "confusion_matrix": "metrics",
    "datasets": "",
    "load_mnist": "datasets",
    "metrics": "",
    "numerical_gradient": "testing",
    "plot_confusion_matrix": "plotting",
    "plot_digits": "plotting",
    "plot_history": "plotting",
    "plot_weight_images": "plotting",
    "plotting": "",
    "read_idx": "datasets",
    "synthetic_digits": "datasets",
    "testing": "",
    "training": "",
}

__all__ = [
    "ELU",
    "GELU",
    "GRU",
    "LSTM",
    "SELU",
    "SGD",
    "Adam",
    "ArgumentError",
    "ArgumentTypeError",
    "AveragePool2D",
    "BatchNorm",
    "Bidirectional",
    "BinaryCrossEntropy",
    "Callback",
    "Constant",
    "ContractError",
    "Conv1D",
    "Conv2D",
    "Conv2DTranspose",
    "CrossEntropy",
    "DTypeError",
    "DataError",
    "DatasetNotFoundError",
    "Dense",
    "DivergenceError",
    "Dropout",
    "EarlyStopping",
    "Embedding",
    "Flatten",
    "GaussianNoise",
    "GlobalAveragePool1D",
    "GlobalAveragePool2D",
    "GlobalMaxPool2D",
    "GlorotNormal",
    "GlorotUniform",
    "GroupNorm",
    "HeNormal",
    "HeUniform",
    "History",
    "Initializer",
    "Layer",
    "LayerNorm",
    "LeCunNormal",
    "LeCunUniform",
    "LeakyReLU",
    "LogSoftmax",
    "Loss",
    "Masking",
    "MaxPool1D",
    "MaxPool2D",
    "MeanSquaredError",
    "Metric",
    "MinidlError",
    "MultiHeadSelfAttention",
    "Normal",
    "Objective",
    "Ones",
    "Optimizer",
    "Orthogonal",
    "PReLU",
    "Parallel",
    "ParameterSpec",
    "PositionalEncoding",
    "ProgressBar",
    "RMSNorm",
    "ReLU",
    "Reshape",
    "Residual",
    "Sequential",
    "ShapeError",
    "SiLU",
    "Sigmoid",
    "SimpleRNN",
    "Softmax",
    "Softplus",
    "SpatialDropout2D",
    "Standardize",
    "StateError",
    "Tanh",
    "Trainer",
    "TruncatedNormal",
    "Uniform",
    "UpSampling2D",
    "VarianceScaling",
    "Zeros",
    "__version__",
    "accuracy",
    "batches",
    "check_layer",
    "confusion_matrix",
    "load_mnist",
    "numerical_gradient",
    "plot_confusion_matrix",
    "plot_digits",
    "plot_history",
    "plot_weight_images",
    "plotting",
    "read_idx",
    "synthetic_digits",
    "testing",
]


def __getattr__(name: str) -> object:
    """Import what training, tests and figures need when it is first asked for."""
    if name not in _LAZY:
        raise AttributeError(f"module 'minidl' has no attribute {name!r}")
    if not _LAZY[name]:
        return import_module(f"minidl.{name}")
    return getattr(import_module(f"minidl.{_LAZY[name]}"), name)


def __dir__() -> list[str]:
    return __all__
