"""The examples on images, run small, as a user runs them."""

import importlib.util
import os
import re
from pathlib import Path

import pytest

import minidl as dl

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
LAST_LINE = re.compile(r"test accuracy: (0\.\d{4})")
EPOCH = re.compile(r"epoch +\d+/\d+  loss \d\.\d{4}  accuracy 0\.\d{4}  val_loss .*")


def load_example(name):
    spec = importlib.util.spec_from_file_location(name, EXAMPLES / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


lenet = load_example("lenet_mnist")
dropout = load_example("dropout_mnist")
each_example = pytest.mark.parametrize("example", [lenet, dropout], ids=["lenet", "dropout"])


@pytest.fixture
def few_digits(monkeypatch):
    """Two thousand drawn digits for training in place of twenty, and five for the test."""
    digits = dl.synthetic_digits(7_000, rng=0)
    monkeypatch.setattr(dl, "synthetic_digits", lambda n, rng: digits)
    for example in (lenet, dropout):
        monkeypatch.setattr(example, "VALIDATION_ROWS", 500)


def run(example, capsys, *options):
    example.main(list(options))
    lines = capsys.readouterr().out.splitlines()
    return lines, float(LAST_LINE.fullmatch(lines[-1])[1])


@pytest.mark.usefixtures("few_digits")
def test_lenet_learns_and_draws_what_it_has_learned(capsys, tmp_path, monkeypatch):
    monkeypatch.setattr(lenet, "OUTPUT", tmp_path / "output")
    lines, accuracy = run(lenet, capsys, "--synthetic", "--epochs", "3")
    assert "synthetic digits, drawn by the program" in lines[0]
    assert lines[1] == "synthetic digits: 2,000 images, 500 of them held out for validation"
    assert any(re.fullmatch(r"total +61,706 .*", line) for line in lines)
    assert sum(bool(EPOCH.fullmatch(line)) for line in lines) == 3
    assert accuracy > 0.8
    pictures = [Path(line.removeprefix("picture: ")) for line in lines if "picture: " in line]
    assert [picture.name for picture in pictures] == ["lenet_filters.png", "lenet_feature_maps.png"]
    assert all(picture.read_bytes().startswith(b"\x89PNG") for picture in pictures)


@pytest.mark.usefixtures("few_digits")
def test_dropout_learns(capsys):
    options = ["--synthetic", "--epochs", "3", "--units", "128", "--batch-size", "16"]
    options += ["--learning-rate", "0.003"]
    lines, accuracy = run(dropout, capsys, *options)
    assert lines[0].startswith("Using synthetic digits, drawn by the program")
    assert sum(bool(EPOCH.fullmatch(line)) for line in lines) == 3
    assert accuracy > 0.75
    again = run(dropout, capsys, *options)[1]
    without = run(dropout, capsys, *options, "--rate", "0")[1]
    assert accuracy == again != without


@each_example
def test_the_learning_rate_falls_to_zero(example):
    rate = example.falling_to_zero(0.5, 100)
    assert [rate(step) for step in (0, 50, 100)] == [0.5, 0.25, 0.0]


@each_example
@pytest.mark.usefixtures("few_digits")
def test_without_mnist_they_say_why(example, capsys, monkeypatch):
    def unavailable(data_dir=None):
        raise dl.DatasetNotFoundError("load_mnist: no internet")

    monkeypatch.setattr(dl, "load_mnist", unavailable)
    options = ["--no-plots"] if example is lenet else ["--units", "8"]
    lines, _ = run(example, capsys, "--epochs", "1", *options)
    assert lines[0].startswith("MNIST is not at hand: using synthetic digits")
    assert lines[1] == "Why: load_mnist: no internet"
    with pytest.raises(SystemExit, match="error: load_mnist: no internet"):
        example.main(["--data-dir", "nowhere"])


@pytest.mark.parametrize(
    ("example", "option", "value", "message"),
    [
        (example, *row)
        for example in (lenet, dropout)
        for row in (
            ("--epochs", "0", "--epochs must be at least 1, got 0"),
            ("--batch-size", "-1", "--batch-size must be at least 1, got -1"),
            ("--learning-rate", "inf", "--learning-rate must be positive and finite, got inf"),
            ("--seed", "-2", "--seed must not be negative, got -2"),
        )
    ]
    + [
        (dropout, "--units", "0", "--units must be at least 1, got 0"),
        (dropout, "--rate", "1", "--rate must be at least 0 and below 1, got 1.0"),
    ],
)
def test_bad_options_are_explained(example, option, value, message, capsys):
    with pytest.raises(SystemExit, match="2"):
        example.main([option, value])
    assert message in capsys.readouterr().err


@pytest.mark.skipif("MINIDL_DATA_DIR" not in os.environ, reason="MINIDL_DATA_DIR is not set")
def test_lenet_on_real_mnist(capsys):
    lines, accuracy = run(lenet, capsys, "--epochs", "1", "--no-plots")
    assert lines[0] == "MNIST: 60,000 images, 5,000 of them held out for validation"
    assert accuracy >= 0.98
