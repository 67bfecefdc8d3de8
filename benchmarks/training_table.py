"""The tables of losses and optimizers: how exact each is, and how long.

    python benchmarks/training_table.py

Prints two Markdown tables, made from the rows of tests/loss_cases.py and tests/optimizer_cases.py
and, where the environment has PyTorch, those of tests/parity. A loss has the worst relative error
of its gradient against central differences of the reference and the worst difference of its value
to the reference; an optimizer the worst difference of any coordinate to the reference over fifty
steps. Both have the worst difference to PyTorch, in float64, and the lines of code of their files
without docstrings, comments and blank lines.
"""

from __future__ import annotations

import copy
import inspect
from collections import defaultdict

import numpy as np

import minidl as dl
from benchmarks.layer_table import lines_of_code

WEIGHTS = (None, np.array([2.0, 0.0, 0.5, 1.0, 3.0]))

Worst = dict[str, float]


def relative(a, b) -> float:
    """The largest difference, relative to the largest number or to 1."""
    return float(np.abs(np.subtract(a, b)).max() / max(np.abs(b).max(), 1.0))


def losses() -> tuple[dict[str, int], Worst, Worst]:
    """Rows, worst gradient error and worst difference of the value, by class."""
    from loss_cases import LOSS_CASES

    rows, gradients, values = defaultdict(int), defaultdict(float), defaultdict(float)
    for case in LOSS_CASES:
        name = type(case.loss).__name__
        rows[name] += 1
        for weight in WEIGHTS:
            value, gradient = case.loss.value_and_grad(
                case.prediction, case.target, sample_weight=weight
            )
            expected = dl.numerical_gradient(
                lambda p, case=case, weight=weight: case.mean(p, weight), case.prediction
            )
            gradients[name] = max(gradients[name], relative(gradient, expected))
            values[name] = max(values[name], relative(value, case.mean(case.prediction, weight)))
    return rows, gradients, values


def losses_beside_torch() -> Worst:
    """The worst difference of value and gradient to PyTorch, by class."""
    try:
        from parity import test_torch_losses as parity
    except ImportError:
        return {}
    worst: Worst = defaultdict(float)
    for case in parity.LOSS_CASES:
        target = case.target if case.target.ndim == 1 else case.target.astype(float)
        z = parity.tensor(case.prediction, grad=True)
        theirs = parity.LOSSES[repr(case.loss)](z, parity.tensor(target), reduction="none")
        theirs = theirs.reshape(len(case.prediction), -1).mean(1).mean()
        theirs.backward()
        value, gradient = case.loss.value_and_grad(case.prediction, case.target)
        name = type(case.loss).__name__
        found = relative(value, theirs.item()), relative(gradient, z.grad.numpy())
        worst[name] = max(worst[name], *found)
    return worst


def optimizers() -> tuple[dict[str, int], Worst]:
    """Rows and worst difference to the reference, by class."""
    from optimizer_cases import OPTIMIZER_CASES, rosenbrock

    rows, worst = defaultdict(int), defaultdict(float)
    for case in OPTIMIZER_CASES:
        name, start = type(case.make()).__name__, [-1.2, 1.0, 0.5]
        expected = np.array(case.reference(start, rosenbrock, 50))
        rows[name] += 1
        found = case.run(np.array(start), rosenbrock, 50)
        worst[name] = max(worst[name], float(np.abs(found - expected).max()))
    return rows, worst


def optimizers_beside_torch() -> Worst:
    """The worst difference to PyTorch in fifty steps, by class."""
    try:
        import torch
        from parity import test_torch_optimizers as parity
    except ImportError:
        return {}
    torch.set_default_dtype(torch.float64)
    worst: Worst = defaultdict(float)
    for mine, theirs, options in parity.RULES.values():
        name = type(mine).__name__
        other = theirs([parity.valley_point()], **options)
        worst[name] = max(worst[name], parity.worst_difference(copy.deepcopy(mine), other))
    return worst


def number(name: str, found: Worst) -> str:
    return f"{found[name]:.1e}" if name in found else ""


def length(name: str) -> int:
    return lines_of_code(inspect.getfile(getattr(dl, name)))


def main() -> None:
    rows, gradients, values = losses()
    torch = losses_beside_torch()
    print(
        "| loss | cases | worst gradient error | worst difference to the reference | to PyTorch "
        "| lines of code |\n|---|---|---|---|---|---|"
    )
    for name in sorted(rows, key=str.lower):
        errors = f"{number(name, gradients)} | {number(name, values)} | {number(name, torch)}"
        print(f"| `{name}` | {rows[name]} | {errors} | {length(name)} |")
    rows, worst = optimizers()
    torch = optimizers_beside_torch()
    print(
        "\n| optimizer | cases | worst difference to the reference | to PyTorch "
        "| lines of code |\n|---|---|---|---|---|"
    )
    for name in sorted(rows, key=str.lower):
        errors = f"{number(name, worst)} | {number(name, torch)}"
        print(f"| `{name}` | {rows[name]} | {errors} | {length(name)} |")


if __name__ == "__main__":
    main()
