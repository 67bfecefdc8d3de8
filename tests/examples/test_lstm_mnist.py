"""The LSTM that reads digits row by row, run small, as a user runs it."""

import importlib.util
import os
import re
from pathlib import Path

import pytest

import minidl as dl

PATH = Path(__file__).resolve().parents[2] / "examples" / "lstm_mnist.py"
LAST_LINE = re.compile(r"test accuracy: (0\.\d{4})")
EPOCH = re.compile(r"epoch +\d+/\d+  loss \d\.\d{4}  accuracy 0\.\d{4}  val_loss .*")
SMALL = ["--units", "24", "--batch-size", "16", "--learning-rate", "0.02"]


@pytest.fixture
def example():
    spec = importlib.util.spec_from_file_location("lstm_mnist", PATH)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def few_digits(example, monkeypatch):
    """Two thousand drawn digits for training in place of twenty, and five for the test."""
    digits = dl.synthetic_digits(7_000, rng=0)
    monkeypatch.setattr(dl, "synthetic_digits", lambda n, rng: digits)
    monkeypatch.setattr(example, "VALIDATION_ROWS", 500)


def run(example, capsys, *options):
    example.main([*SMALL, *options])
    lines = capsys.readouterr().out.splitlines()
    return lines, float(LAST_LINE.fullmatch(lines[-1])[1])


@pytest.mark.usefixtures("few_digits")
def test_it_learns_and_needs_whole_digits(example, capsys):
    lines, accuracy = run(example, capsys, "--synthetic", "--epochs", "3")
    assert lines[0].startswith("Using synthetic digits, drawn by the program")
    assert lines[1] == "synthetic digits: 2,000 images, 500 of them held out for validation"
    assert any("0 LSTM(24)" in line for line in lines)
    assert sum(bool(EPOCH.fullmatch(line)) for line in lines) == 3
    assert accuracy > 0.6
    table = [line.split() for line in lines[-6:-1]]
    assert [int(rows) for rows, _ in table] == [14, 21, 23, 25, 28]
    assert float(table[0][1]) < accuracy == float(table[-1][1])


@pytest.mark.usefixtures("few_digits")
def test_without_mnist_it_says_why(example, capsys, monkeypatch):
    def unavailable(data_dir=None):
        raise dl.DatasetNotFoundError("load_mnist: no internet")

    monkeypatch.setattr(dl, "load_mnist", unavailable)
    lines, _ = run(example, capsys, "--epochs", "1")
    assert lines[0].startswith("MNIST is not at hand: using synthetic digits")
    assert lines[1] == "Why: load_mnist: no internet"
    with pytest.raises(SystemExit, match="error: load_mnist: no internet"):
        example.main(["--data-dir", "nowhere"])


def test_the_learning_rate_falls_to_zero(example):
    rate = example.falling_to_zero(0.5, 100)
    assert [rate(step) for step in (0, 50, 100)] == [0.5, 0.25, 0.0]


@pytest.mark.parametrize(
    ("option", "value", "message"),
    [
        ("--epochs", "0", "--epochs must be at least 1, got 0"),
        ("--batch-size", "-1", "--batch-size must be at least 1, got -1"),
        ("--units", "0", "--units must be at least 1, got 0"),
        ("--learning-rate", "inf", "--learning-rate must be positive and finite, got inf"),
        ("--seed", "-2", "--seed must not be negative, got -2"),
    ],
)
def test_bad_options_are_explained(example, option, value, message, capsys):
    with pytest.raises(SystemExit, match="2"):
        example.main([option, value])
    assert message in capsys.readouterr().err


@pytest.mark.skipif("MINIDL_DATA_DIR" not in os.environ, reason="MINIDL_DATA_DIR is not set")
def test_one_epoch_on_real_mnist(example, capsys):
    options = ["--epochs", "1", "--units", "48", "--batch-size", "64"]
    lines, accuracy = run(example, capsys, *options)
    assert lines[0] == "MNIST: 60,000 images, 5,000 of them held out for validation"
    assert accuracy >= 0.93
