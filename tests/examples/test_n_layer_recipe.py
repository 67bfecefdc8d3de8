"""The recipe for the deeper network, run small."""

import importlib.util
import re
from pathlib import Path

import numpy as np
import pytest

import minidl as dl

PATH = Path(__file__).resolve().parents[2] / "examples" / "n_layer_recipe.py"


@pytest.fixture
def example():
    spec = importlib.util.spec_from_file_location("n_layer_recipe", PATH)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def run(example, capsys, *options):
    """Return the numbers of the last epoch by name, and the test accuracy."""
    example.main(["--synthetic", *options])
    *_, epoch, seconds, last = capsys.readouterr().out.splitlines()
    assert re.fullmatch(r"trained for \d+ s", seconds)
    values = {name: float(value) for name, value in re.findall(r"(\w+) (\d\.\d{4})", epoch)}
    return values, float(re.fullmatch(r"test accuracy: (0\.\d{4})", last)[1])


def test_it_learns_and_augmentation_makes_training_the_harder_part(example, capsys):
    values, accuracy = run(example, capsys, "--epochs", "4")
    assert accuracy > 0.9
    assert values["accuracy"] < values["val_accuracy"]
    plain, plain_accuracy = run(example, capsys, "--epochs", "4", "--no-augmentation")
    assert plain_accuracy > 0.9
    assert plain["accuracy"] > plain["val_accuracy"]


def test_the_data_are_changed_anew_in_every_epoch_and_the_arrays_stay(example):
    x, y = dl.synthetic_digits(64, rng=0)
    before = x.copy()
    source = example.training_batches(x, y, 64, True, 0)
    (first, labels), (second, _) = (next(iter(source)) for _ in range(2))
    assert (first != second).any(axis=1).all()
    assert sorted(labels) == sorted(y)
    np.testing.assert_array_equal(x, before)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--epochs", "0"], "--epochs must be at least 1, got 0"),
        (["--batch-size", "0"], "--batch-size must be at least 1, got 0"),
        (["--seed", "-1"], "--seed must be at least 0, got -1"),
    ],
)
def test_options_that_make_no_sense_are_explained(example, capsys, options, message):
    with pytest.raises(SystemExit, match="2"):
        example.main(options)
    assert message in capsys.readouterr().err


def test_a_folder_without_mnist_is_explained(example, tmp_path):
    with pytest.raises(SystemExit, match="error: load_mnist: expected the"):
        example.main(["--data-dir", str(tmp_path)])
