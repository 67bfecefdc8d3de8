"""The main example, run as a user runs it."""

import importlib.util
import os
import re
from pathlib import Path

import pytest

import minidl as dl

PATH = Path(__file__).resolve().parents[2] / "examples" / "two_layer_mnist.py"
LAST_LINE = re.compile(r"test accuracy: (0\.\d{4})")
EPOCH = re.compile(
    r"epoch +\d+/\d+  loss \d\.\d{4}  accuracy 0\.\d{4}  val_loss \d\.\d{4}  "
    r"val_accuracy 0\.\d{4}  \d+\.\d\d s"
)


@pytest.fixture
def example():
    spec = importlib.util.spec_from_file_location("two_layer_mnist", PATH)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def run(example, capsys, *options):
    example.main(list(options))
    lines = capsys.readouterr().out.splitlines()
    return lines, float(LAST_LINE.fullmatch(lines[-1])[1])


def test_synthetic_digits_are_learned_and_named(example, capsys, tmp_path, monkeypatch):
    monkeypatch.setattr(example, "OUTPUT", tmp_path / "output")
    lines, accuracy = run(example, capsys, "--synthetic", "--epochs", "3")
    assert "synthetic digits, drawn by the program" in lines[0]
    assert sum(bool(EPOCH.fullmatch(line)) for line in lines) == 3
    assert accuracy > 0.85
    pictures = [Path(line.removeprefix("picture: ")) for line in lines if "picture: " in line]
    assert [picture.name for picture in pictures] == [
        "training_curves.png",
        "confusion_matrix.png",
        "first_layer_weights.png",
        "predictions.png",
    ]
    assert all(picture.read_bytes().startswith(b"\x89PNG") for picture in pictures)


def test_options_reach_the_network(example, capsys):
    options = ["--synthetic", "--epochs", "2", "--no-plots", "--seed", "3"]
    _, first = run(example, capsys, *options)
    lines, again = run(example, capsys, *options)
    assert first == again
    assert not any("picture" in line for line in lines)
    lines, wide = run(example, capsys, *options, "--hidden", "40", "--batch-size", "16")
    assert any("0 Dense(40)" in line for line in lines)
    assert wide > first


def test_full_batch_makes_one_step_an_epoch(example, capsys, monkeypatch):
    steps = []
    update = dl.SGD.update
    monkeypatch.setattr(
        dl.SGD, "update", lambda self, *a, **k: (steps.append(1), update(self, *a, **k))[1]
    )
    run(example, capsys, "--synthetic", "--full-batch", "--epochs", "4", "--no-plots")
    assert len(steps) == 4


def test_without_mnist_it_says_why(example, capsys, monkeypatch):
    def unavailable(data_dir=None):
        raise dl.DatasetNotFoundError("load_mnist: no internet")

    monkeypatch.setattr(dl, "load_mnist", unavailable)
    lines, _ = run(example, capsys, "--epochs", "1", "--no-plots")
    assert lines[0].startswith("MNIST is not at hand: using synthetic digits")
    assert lines[1] == "Why: load_mnist: no internet"
    with pytest.raises(SystemExit, match="error: load_mnist: no internet"):
        example.main(["--data-dir", "nowhere"])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--epochs", "0"], "--epochs must be at least 1, got 0"),
        (["--batch-size", "-3"], "--batch-size must be at least 1, got -3"),
        (["--hidden", "0"], "--hidden must be at least 1"),
        (["--learning-rate", "nan"], "--learning-rate must be above 0 and finite, got nan"),
        (["--seed", "-1"], "--seed must be at least 0, got -1"),
        (["--epochs", "ten"], "invalid int value: 'ten'"),
    ],
)
def test_wrong_options_are_explained(example, capsys, options, message):
    with pytest.raises(SystemExit, match="2"):
        example.main(options)
    assert message in capsys.readouterr().err


def test_a_learning_rate_that_diverges_is_explained(example):
    with pytest.raises(SystemExit, match="error: Trainer: the loss or its gradient stopped being"):
        example.main(["--synthetic", "--no-plots", "--learning-rate", "1e30"])


def test_help_explains_each_option(example, capsys):
    with pytest.raises(SystemExit, match="0"):
        example.main(["--help"])
    text = capsys.readouterr().out
    for option in ("epochs", "batch-size", "learning-rate", "hidden", "seed", "data-dir"):
        assert f"--{option} " in text
    for option in ("synthetic", "full-batch", "no-plots"):
        assert f"--{option}" in text


@pytest.mark.skipif("MINIDL_DATA_DIR" not in os.environ, reason="MINIDL_DATA_DIR is not set")
def test_real_mnist_reaches_092(example, capsys):
    lines, accuracy = run(example, capsys, "--epochs", "10", "--no-plots", "--seed", "1")
    assert lines[0].startswith("MNIST: 60,000 rows, 5,000 of them held out")
    assert accuracy >= 0.92
