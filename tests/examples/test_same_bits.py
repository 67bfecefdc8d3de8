"""Every example gives the same parameters twice, bit for bit, and others from another seed."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest

import minidl as dl

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
SMALL = {  # how to run each in less than a second, on drawn digits
    "two_layer_mnist": "--synthetic --epochs 2 --no-plots",
    "n_layer_mnist": "--synthetic --epochs 2",
    "n_layer_recipe": "--synthetic --epochs 1",
    "dropout_mnist": "--synthetic --epochs 2 --units 32",
    "lenet_mnist": "--synthetic --epochs 1",
    "inception_and_resnet": "--synthetic --rows 300 --epochs 1",
    "fine_tuning": "--synthetic --rows 100 --epochs 2",
    "lstm_mnist": "--synthetic --units 8 --epochs 1",
    "text_transformer": "--epochs 1 --width 8 --blocks 1 --write 5",
    "two_layer_from_scratch": "--synthetic --rows 500 --iterations 5",
    "n_layer_from_scratch": "--synthetic --rows 500 --iterations 5",
}
ELSEWHERE = {"tensorflow_comparison"}  # tests/parity/test_tensorflow.py: it needs TensorFlow
ROWS = 400  # to train on


@pytest.fixture
def parameters_of(monkeypatch, tmp_path):
    """A function that runs an example and returns all that it has trained, as one vector."""
    x, y = dl.synthetic_digits(1_000, rng=0)

    def digits(n, rng):
        return np.resize(x, (n, 784)), np.resize(y, n)

    def run(name, *options):
        spec = importlib.util.spec_from_file_location(name, EXAMPLES / f"{name}.py")
        example = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(example)
        for setting, value in (("STRIDE", 512), ("OUTPUT", tmp_path)):
            monkeypatch.setattr(example, setting, value, raising=False)
        found = []
        fit, descend = dl.Trainer.fit, getattr(example, "gradient_descent", None)

        def fit_few_rows(trainer, *data, **others):
            arrays = [a[:ROWS] if isinstance(a, np.ndarray) else a for a in data]
            history = fit(trainer, *arrays, **others)
            found.append(trainer.model.params.copy())
            return history

        def note_params(*args):
            params = descend(*args)
            for array in params:
                found.extend(map(np.ravel, array if isinstance(array, list) else [array]))
            return params

        with monkeypatch.context() as patch:
            patch.setattr(dl, "synthetic_digits", digits)
            patch.setattr(dl.Trainer, "fit", fit_few_rows)
            patch.setattr(example, "gradient_descent", note_params, raising=False)
            example.main([*SMALL[name].split(), *options])
        return np.concatenate(found)

    return run


def test_every_example_is_here():
    assert {path.stem for path in EXAMPLES.glob("*.py")} == {*SMALL, *ELSEWHERE}


@pytest.mark.parametrize("name", SMALL)
def test_two_runs_give_the_same_bits(name, parameters_of):
    first = parameters_of(name)
    np.testing.assert_array_equal(parameters_of(name), first)
    assert (parameters_of(name, "--seed", "3") != first).mean() > 0.5
