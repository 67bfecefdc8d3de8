"""minidl follows the from-scratch examples step by step.

Same initial values, same data, float64: after 100 full-batch steps every parameter agrees within
1e-10, through the hand-written loop and through `Trainer.fit`. The examples are an independent
derivation (samples are columns there, and no line is shared), so this proves forward, loss,
backward and update of minidl together.
"""

import importlib.util
from pathlib import Path

import numpy as np
import pytest

import minidl as dl

EXAMPLES = Path(__file__).parents[2] / "examples"
STEPS = 100
LAYER_DIMS = [784, 128, 64, 32, 10]


def load_example(name):
    spec = importlib.util.spec_from_file_location(name, EXAMPLES / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


two = load_example("two_layer_from_scratch")
deep = load_example("n_layer_from_scratch")
n_layer_mnist = load_example("n_layer_mnist")


def two_layer_reference(X, Y):
    """Initial and trained values of R1, as flat lists [W1, b1, W2, b2]."""
    params = two.init_params(0)
    return params, two.gradient_descent(X, Y, params, STEPS, 0.1)


def n_layer_reference(X, Y):
    """Initial and trained values of R2, as flat lists [W1, b1, W2, b2, ...]."""
    params = deep.init_params(LAYER_DIMS, 0)
    trained = deep.gradient_descent(X, Y, params, STEPS, 0.1)
    interleave = [
        [p for pair in zip(*split, strict=True) for p in pair] for split in (params, trained)
    ]
    return tuple(interleave)


def model_from(params):
    """Build the network with the given values; minidl's weights are the transposed ones."""
    layers = []
    for W in params[::2]:
        layers += [dl.Dense(W.shape[0]), dl.ReLU()]
    model = dl.Sequential([*layers[:-1], dl.Softmax()]).build((784,), rng=0, dtype=np.float64)
    for layer, W, b in zip(model.layers[::2], params[::2], params[1::2], strict=True):
        layer.weight, layer.bias = W.T, b.ravel()
    return model


def train_by_hand(model, x, y):
    objective, optimizer = dl.Objective(model, dl.CrossEntropy()), dl.SGD(0.1)
    for _ in range(STEPS):
        _, grads = objective.value_and_grad(x, y)
        optimizer.update(model.params, grads)


def train_with_trainer(model, x, y):
    trainer = dl.Trainer(model, dl.CrossEntropy(), dl.SGD(0.1))
    trainer.fit(x, y, epochs=STEPS, batch_size=len(x), shuffle=False)


def largest_difference(model, params):
    return max(
        np.abs(mine - reference).max()
        for layer, W, b in zip(model.layers[::2], params[::2], params[1::2], strict=True)
        for mine, reference in ((layer.weight, W.T), (layer.bias, b.ravel()))
    )


@pytest.fixture(scope="module")
def digits():
    x, y = dl.synthetic_digits(300, rng=0)
    return x.astype(np.float64), y


@pytest.fixture(scope="module", params=[two_layer_reference, n_layer_reference], ids=["R1", "R2"])
def reference(request, digits):
    x, y = digits
    return request.param(x.T, y)


@pytest.mark.parametrize("train", [train_by_hand, train_with_trainer])
def test_same_trajectory_as_from_scratch(reference, digits, train):
    initial, trained = reference
    model = model_from(initial)
    train(model, *digits)
    assert largest_difference(model, initial) > 1e-2  # it has moved at all
    assert largest_difference(model, trained) < 1e-10


def test_n_layer_example_builds_the_reference_network():
    dense = n_layer_mnist.build_model(LAYER_DIMS[1:-1], 0).layers[::2]
    Ws, _ = deep.init_params(LAYER_DIMS, 0)
    assert [layer.weight.shape for layer in dense] == [W.T.shape for W in Ws]
    for layer, W in zip(dense[:-1], Ws[:-1], strict=True):
        assert layer.weight.std() == pytest.approx(W.std(), rel=0.05)  # He in both


def test_n_layer_example_learns(capsys):
    n_layer_mnist.main(["--synthetic", "--epochs", "1", "--hidden", "16"])
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("Using synthetic digits, drawn by the program")
    assert lines[-2].startswith("epoch 1/1  loss ")
    name, figure = lines[-1].split(": ")
    assert name == "test accuracy"
    assert 0.8 < float(figure) <= 1


@pytest.mark.parametrize(
    ("option", "value", "message"),
    [
        ("--epochs", "0", "--epochs must be at least 1, got 0"),
        ("--batch-size", "-1", "--batch-size must be at least 1, got -1"),
        ("--learning-rate", "inf", "--learning-rate must be positive and finite, got inf"),
        ("--hidden", "8,0", "sizes must be at least 1, got 8,0"),
        ("--seed", "-2", "--seed must not be negative, got -2"),
    ],
)
def test_bad_option_of_n_layer_example_is_explained(option, value, message, capsys):
    with pytest.raises(SystemExit, match="2"):
        n_layer_mnist.main([option, value])
    assert message in capsys.readouterr().err
