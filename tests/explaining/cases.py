"""Steps to explain: every kind of layer, loss and optimizer that is written in its own way."""

import copy
import functools
from dataclasses import dataclass, field

import numpy as np

import minidl as dl


class Halving(dl.Layer):
    """A layer of a reader's own, which the page knows nothing of."""

    def forward(self, x, *, training=False, out=None):
        return np.multiply(x, 0.5, out=out)

    def backward(self, dy, *, input_grad=True, out=None):
        return np.multiply(dy, 0.5, out=out) if input_grad else None


@dataclass(frozen=True)
class Case:
    """A model, data, a loss and an optimizer."""

    name: str
    layers: list
    loss: dl.Loss = field(default_factory=dl.CrossEntropy)
    optimizer: dl.Optimizer = field(default_factory=lambda: dl.SGD(0.3))
    shape: tuple = (3,)
    targets: object = None
    samples: int = 3
    steps_before: int = 0

    def build(self, dtype=np.float64):
        """A fresh model with random parameters, after some steps of training if asked for."""
        rng = np.random.default_rng(0)
        model = dl.Sequential(self.layers).detached_copy().build(self.shape, rng=1, dtype=dtype)
        model.params += 0.3 * rng.normal(size=model.params.shape)
        x = rng.normal(size=(self.samples, *self.shape)).astype(dtype)
        y = np.arange(self.samples) % 2 if self.targets is None else np.array(self.targets)
        optimizer = copy.deepcopy(self.optimizer)  # whose steps would go on in the next test
        objective = dl.Objective(model, self.loss)
        for _ in range(self.steps_before):
            _, grads = objective.value_and_grad(x, y)
            optimizer.update(model.params, grads)
        return model, x, y, self.loss, optimizer

    def __str__(self):
        return f"{self.name}, after {self.steps_before} steps" if self.steps_before else self.name


def _between(*layers):
    return [dl.Dense(4), *layers, dl.Dense(2), dl.Softmax()]


REAL = [[0.5, -1.0], [2.0, 0.0], [-0.3, 0.7]]
YES = [[1.0, 0.0], [0.0, 0.25], [1.0, 1.0]]
TWO = [dl.Dense(4), dl.Tanh(), dl.Dense(2)]
HELD = dl.Dense(2, weight_penalty=dl.L2(0.1), weight_constraint=dl.MaxNorm(0.5))


def _frozen(layer):
    layer.trainable = False
    return layer


CASES = [
    *(Case(repr(layer), _between(layer)) for layer in (
        dl.ReLU(), dl.LeakyReLU(0.1), dl.ELU(0.5), dl.Sigmoid(), dl.Tanh(), dl.Softplus(),
        dl.SiLU(),
        dl.Dropout(0.5), dl.LayerNorm(), dl.BatchNorm(), dl.Softmax(), dl.LogSoftmax(),
        dl.GELU(), dl.PReLU(), Halving(), dl.Residual(dl.Dense(4)),
    )),
    Case("one sample", _between(dl.ReLU()), samples=1),
    Case("many samples", _between(dl.ReLU()), samples=9),
    Case("no bias", [dl.Dense(4, use_bias=False), dl.ReLU(), dl.Dense(2), dl.Softmax()]),
    Case("nested", [dl.Sequential([dl.Dense(4), dl.Tanh()]), dl.Dense(2), dl.Softmax()]),
    Case("flattened images", [dl.Flatten(), dl.Dense(2), dl.Softmax()], shape=(2, 2)),
    Case("flattened inside", [dl.Dense(3), dl.Flatten(), dl.Dense(2), dl.Softmax()], shape=(2, 2)),
    Case("convolution", [dl.Conv2D(2, 2), dl.ReLU(), dl.Flatten(), dl.Dense(2), dl.Softmax()],
         shape=(3, 3, 1)),
    Case("steps of sequences", [dl.Dense(3), dl.Tanh(), dl.Dense(2), dl.Softmax()], shape=(2, 3),
         targets=[[0, 1], [1, 1], [0, 0]]),
    Case("a mask", [dl.Masking(), dl.LSTM(3, return_sequences=True), dl.Dense(1)], shape=(2, 3),
         loss=dl.MeanSquaredError(), targets=np.ones((3, 2, 1))),
    Case("frozen BatchNorm", _between(_frozen(dl.BatchNorm()))),
    Case("logits", TWO, dl.CrossEntropy(from_logits=True)),
    Case("log-probabilities", [*TWO, dl.LogSoftmax()], dl.CrossEntropy(from_logits=True)),
    Case("probabilities", [*TWO, dl.Softmax(), Halving()], dl.MeanSquaredError(), targets=REAL),
    Case("smoothed", _between(), dl.CrossEntropy(label_smoothing=0.2)),
    Case("soft labels", _between(), targets=[[0.5, 0.5], [1.0, 0.0], [0.1, 0.9]]),
    Case("yes or no", [*TWO, dl.Sigmoid()], dl.BinaryCrossEntropy(), targets=YES),
    Case("yes or no, logits", TWO, dl.BinaryCrossEntropy(from_logits=True), targets=YES),
    Case("one answer", [dl.Dense(1), dl.Sigmoid()], dl.BinaryCrossEntropy(),
         targets=[[1], [0], [1]]),
    Case("squares", TWO, dl.MeanSquaredError(), targets=REAL),
    Case("one number", [dl.Dense(1)], dl.MeanSquaredError(), targets=[[1.0], [0.0], [2.0]]),
    Case("Huber", TWO, dl.Huber(), targets=REAL),
    *(Case(repr(rule), TWO, dl.MeanSquaredError(), rule, targets=REAL, steps_before=steps)
      for steps in (0, 2) for rule in (
        dl.SGD(0.1, momentum=0.9), dl.SGD(0.1, momentum=0.9, nesterov=True), dl.Adam(0.05),
        dl.AdamW(0.05, weight_decay=0.1), dl.SGD(0.1, weight_decay=0.1), dl.RMSprop(0.01),
        dl.Adam(0.05, amsgrad=True), dl.SGD(0.1, clip_norm=0.2), dl.SGD(0.1, clip_norm=90.0),
        dl.SGD(0.1, clip_value=0.1), dl.SGD(dl.ExponentialDecay(0.1, steps=2, factor=0.5)),
    )),
    Case("penalty, constraint", [HELD], dl.MeanSquaredError(), dl.Adam(0.5), targets=REAL),
    Case("frozen", [_frozen(dl.Dense(3)), dl.ReLU(), dl.Dense(2)], dl.MeanSquaredError(),
         targets=REAL),
]  # fmt: skip


@functools.cache
def page_of(name: str, digits: int = 12) -> dl.StepExplanation:
    """The page of a case, made once for all tests."""
    case = next(case for case in CASES if str(case) == name)
    return dl.explain_step(*case.build(), digits=digits)
