"""The example of fine-tuning, run as a user runs it, but small."""

import importlib.util
import re
from pathlib import Path

import pytest

import minidl as dl

PATH = Path(__file__).resolve().parents[2] / "examples" / "fine_tuning.py"
ROW = re.compile(r"(from scratch|copied and frozen|copied, then trained) +([\d,]+) +(0\.\d{4})")


@pytest.fixture
def example():
    spec = importlib.util.spec_from_file_location("fine_tuning", PATH)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_table(example, capsys, monkeypatch):
    x, y = dl.synthetic_digits(3_000, rng=0)
    small = (x[:2_000], y[:2_000]), (x[2_000:], y[2_000:])
    monkeypatch.setattr(example, "load_data", lambda *_: small)
    example.main(["--rows", "60", "--epochs", "4", "--first-epochs", "2"])
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == f"trained on {(y[:2_000] < 5).sum():,} images of 0-4; now 60 of 5-9"
    table = {row[1]: (row[2], float(row[3])) for row in map(ROW.fullmatch, lines) if row}
    assert {name: trained for name, (trained, _) in table.items()} == {
        "from scratch": "3,277",
        "copied and frozen": "2,005",  # 400 x 5 weights and 5 biases
        "copied, then trained": "3,277",
    }
    accuracy = {name: value for name, (_, value) in table.items()}
    assert accuracy["copied and frozen"] > accuracy["from scratch"]
    assert accuracy["copied, then trained"] > accuracy["from scratch"]


def test_without_mnist_it_says_why(example, capsys, monkeypatch):
    def unavailable(data_dir=None):
        raise dl.DatasetNotFoundError("load_mnist: no internet")

    monkeypatch.setattr(dl, "load_mnist", unavailable)
    (x, y), (x_test, _) = example.load_data(None, False, 0)
    assert (len(x), len(y), len(x_test)) == (20_000, 20_000, 5_000)
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("MNIST is not at hand: using synthetic digits")
    assert lines[1] == "Why: load_mnist: no internet"
    with pytest.raises(SystemExit, match="error: load_mnist: no internet"):
        example.main(["--data-dir", "nowhere"])


def test_drawn_digits_are_named(example, capsys, monkeypatch):
    monkeypatch.setattr(dl, "load_mnist", None)  # is not asked
    example.load_data(None, True, 0)
    assert "synthetic digits, drawn by the program" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--rows", "0"], "--rows must be at least 1, got 0"),
        (["--first-epochs", "0"], "--first-epochs must be at least 1, got 0"),
        (["--epochs", "-1"], "--epochs must be at least 1, got -1"),
        (["--seed", "-1"], "--seed must be at least 0, got -1"),
    ],
)
def test_wrong_options_are_explained(example, capsys, options, message):
    with pytest.raises(SystemExit, match="2"):
        example.main(options)
    assert message in capsys.readouterr().err
