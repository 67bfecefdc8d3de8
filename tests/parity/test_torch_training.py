"""The comparison with PyTorch: optimizers step by step, and whole training runs, in float64."""

from itertools import pairwise

import numpy as np
import pytest
import torch
from optimizer_cases import rosenbrock

import minidl as dl

F = torch.nn.functional


def tensor(array, grad=False):
    return torch.tensor(np.ascontiguousarray(array), requires_grad=grad)


# minidl's, its options, PyTorch's, its options
OPTIMIZERS = {
    "SGD": (dl.SGD, {}, torch.optim.SGD, {}),
    "momentum": (dl.SGD, {"momentum": 0.9}, torch.optim.SGD, {"momentum": 0.9}),
    "Nesterov": (
        dl.SGD,
        {"momentum": 0.8, "nesterov": True},
        torch.optim.SGD,
        {"momentum": 0.8, "nesterov": True},
    ),
    "Adam": (dl.Adam, {}, torch.optim.Adam, {}),
    "Adam, other betas": (
        dl.Adam,
        {"beta1": 0.5, "beta2": 0.75, "epsilon": 0.1},
        torch.optim.Adam,
        {"betas": (0.5, 0.75), "eps": 0.1},
    ),
    "AdamW": (dl.Adam, {"weight_decay": 0.5}, torch.optim.AdamW, {"weight_decay": 0.5}),
}
every_optimizer = pytest.mark.parametrize(
    ("mine", "options", "theirs", "their_options"), OPTIMIZERS.values(), ids=OPTIMIZERS
)


def worst_difference(mine, theirs, x, steps, scheduler=None):
    """Largest difference of any coordinate in any of the steps down Rosenbrock's valley."""
    (parameter,), worst = theirs.param_groups[0]["params"], 0.0
    for _ in range(steps):
        gradient = np.array(rosenbrock(x.tolist()))
        parameter.grad = tensor(np.array(rosenbrock(parameter.tolist())))
        mine.update(x, gradient)
        theirs.step()
        if scheduler:
            scheduler.step()
        worst = max(worst, np.abs(x - parameter.detach().numpy()).max())
    return worst


@every_optimizer
def test_trajectory(mine, options, theirs, their_options):
    x, rate = np.array([-1.2, 1.0, 0.5]), 0.001 if mine is dl.SGD else 0.05
    optimizer = theirs([tensor(x, grad=True)], lr=rate, **their_options)
    assert worst_difference(mine(rate, **options), optimizer, x, 50) < 1e-10
    assert abs(x[0] + 1.2) > 0.05  # it has moved


@pytest.mark.parametrize("momentum", [0.0, 0.9])
def test_trajectory_with_a_schedule(momentum):
    x = np.array([-1.2, 1.0, 0.5])
    theirs = torch.optim.SGD([tensor(x, grad=True)], lr=0.001, momentum=momentum)
    scheduler = torch.optim.lr_scheduler.LambdaLR(theirs, lambda step: 1 / (1 + step))
    mine = dl.SGD(lambda step: 0.001 / (1 + step), momentum=momentum)
    assert worst_difference(mine, theirs, x, 50, scheduler) < 1e-10


@pytest.fixture(scope="module")
def digits():
    x, y = dl.synthetic_digits(500, rng=0)
    return x.astype(np.float64), y


def twins():
    """784-10-10 in both, with the same values."""
    mine = dl.Sequential([dl.Dense(10), dl.ReLU(), dl.Dense(10), dl.Softmax()])
    mine.build((784,), rng=0, dtype=np.float64)
    linear = torch.nn.Linear
    theirs = torch.nn.Sequential(linear(784, 10), torch.nn.ReLU(), linear(10, 10)).double()
    with torch.no_grad():
        for linear, dense in zip(theirs[::2], mine.layers[::2], strict=True):
            linear.weight.copy_(tensor(dense.weight.T))
            linear.bias.copy_(tensor(dense.bias))
    return mine, theirs


def difference(mine, theirs):
    return max(
        np.abs(values - other.detach().numpy()).max()
        for linear, dense in zip(theirs[::2], mine.layers[::2], strict=True)
        for values, other in ((dense.weight.T, linear.weight), (dense.bias, linear.bias))
    )


@every_optimizer
def test_fifty_steps_of_the_reference_network(mine, options, theirs, their_options, digits):
    model, network = twins()
    rate = 0.05 if mine is dl.SGD else 0.005
    objective, losses = dl.Objective(model, dl.CrossEntropy()), []
    optimizer, other = mine(rate, **options), theirs(network.parameters(), rate, **their_options)
    for xb, yb in dl.batches(*digits, batch_size=10, rng=0):
        loss, grads = objective.value_and_grad(xb, yb)
        optimizer.update(model.params, grads)
        other.zero_grad()
        their_loss = F.cross_entropy(network(tensor(xb)), tensor(yb))
        their_loss.backward()
        other.step()
        assert loss == pytest.approx(their_loss.item(), rel=1e-10)
        losses.append(loss)
    assert len(losses) == 50
    assert np.mean(losses[-10:]) < 0.9 * np.mean(losses[:10])  # it has learned
    assert difference(model, network) < 1e-10
    x = digits[0][:100]
    np.testing.assert_allclose(
        model.predict(x), F.softmax(network(tensor(x)), dim=1).detach(), rtol=1e-9, atol=1e-12
    )


def test_the_trainer_takes_the_same_steps(digits):
    model, network = twins()
    class_weight = {3: 2.0, 7: 0.5}
    weights = np.array([class_weight.get(label, 1.0) for label in range(10)])
    trainer = dl.Trainer(model, dl.CrossEntropy(), dl.SGD(0.1, momentum=0.9))
    trainer.fit(*digits, epochs=2, batch_size=64, shuffle=False, class_weight=class_weight)
    optimizer = torch.optim.SGD(network.parameters(), lr=0.1, momentum=0.9)
    ends = [*range(0, 500, 64), 500]
    for start, end in [*pairwise(ends)] * 2:
        optimizer.zero_grad()
        logits = network(tensor(digits[0][start:end]))
        F.cross_entropy(logits, tensor(digits[1][start:end]), weight=tensor(weights)).backward()
        optimizer.step()
    assert difference(model, network) < 1e-10
