"""The transformer that learns the documentation, run small."""

import importlib.util
import math
import re
from pathlib import Path

import numpy as np
import pytest

import minidl as dl

PATH = Path(__file__).resolve().parents[2] / "examples" / "text_transformer.py"
SMALL = [
    *("--epochs", "1", "--width", "16", "--blocks", "1", "--batch-size", "16"),
    *("--learning-rate", "0.02", "--write", "30"),
]


@pytest.fixture
def example():
    spec = importlib.util.spec_from_file_location("text_transformer", PATH)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def run(example, capsys, *options):
    """Return the printed losses by name, and the written text."""
    example.main([*SMALL, *options])
    printed, written = capsys.readouterr().out.split("what it writes:\n")
    table = printed.split("held-out text, nats per character:\n")[1]
    rows = [re.fullmatch(r"  (\S.*?) +(\d\.\d{3})", line).groups() for line in table.splitlines()]
    return {name.split()[0]: float(value) for name, value in rows}, written.removesuffix("\n")


def test_it_learns_more_than_which_characters_are_frequent(example, capsys, monkeypatch):
    monkeypatch.setattr(example, "STRIDE", 64)
    losses, written = run(example, capsys, "--prompt", "Each ")
    assert list(losses) == ["uniform", "unigram", "bigram", "transformer"]
    assert losses["bigram"] < losses["unigram"] < losses["uniform"]
    assert losses["transformer"] < losses["unigram"]
    assert written.startswith("Each ")
    assert len(written) == len("Each ") + 30


def test_the_seed_decides_everything(example, capsys, monkeypatch):
    monkeypatch.setattr(example, "STRIDE", 1024)
    first, again, other = (run(example, capsys, "--seed", seed) for seed in ("1", "1", "2"))
    assert first == again
    assert first[1] != other[1]


def test_the_text_is_the_documentation_and_each_page_is_split(example):
    pages = example.read_pages()
    assert any(page.startswith("# minidl") for page in pages)
    assert any(page.startswith("# Adding a layer") for page in pages)
    train, held_out = example.split(pages)
    assert len(train) + len(held_out) == sum(map(len, pages))
    assert example.split(["abcdefghij", "0123456789" * 2]) == (
        "abcdefghi" + "012345678901234567",
        "j" + "89",
    )


def test_targets_are_the_inputs_one_character_further_on(example, monkeypatch):
    monkeypatch.setattr(example, "LENGTH", 3)
    x, y = example.sequences(np.arange(10), 2)
    np.testing.assert_array_equal(x, [[0, 1, 2], [2, 3, 4], [4, 5, 6], [6, 7, 8]])
    np.testing.assert_array_equal(y, x + 1)


def test_the_baselines_by_hand(example):
    codes, n = np.array([0, 1] * 5 + [0]), 3
    x, y = np.array([[0, 1]]), np.array([[1, 0]])
    losses = example.counting_losses(codes, (x, y), n)
    assert losses["uniform over 3 characters"] == math.log(3)
    # 6 zeros and 5 ones, each character counted once more
    assert losses["unigram"] == pytest.approx(-(math.log(7 / 14) + math.log(6 / 14)) / 2)
    # after each of the 5 zeros that another character follows stands a one, and the reverse
    after_0, after_1 = (5 + 6 / 14) / 6, (5 + 7 / 14) / 6
    assert losses["bigram"] == pytest.approx(-(math.log(after_0) + math.log(after_1)) / 2)


def test_writing_draws_from_the_models_probabilities(example):
    model = dl.Sequential([dl.Embedding(3, 3)]).build((4,))
    model.params = np.log([[0.01, 0.98, 0.01], [0.01, 0.01, 0.98], [0.98, 0.01, 0.01]]).ravel()
    written = example.write(model, np.array([0]), 300, np.random.default_rng(0))
    assert len(written) == 301
    follows = np.mean((written[1:] - written[:-1]) % 3 == 1)
    assert 0.95 < follows < 1.0


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--epochs", "0"], "--epochs must be at least 1, got 0"),
        (["--batch-size", "0"], "--batch-size must be at least 1, got 0"),
        (["--blocks", "-1"], "--blocks must be at least 1, got -1"),
        (["--width", "6"], "--width must be a multiple of the 4 heads, got 6"),
        (["--learning-rate", "nan"], "--learning-rate must be positive and finite, got nan"),
        (["--write", "-1"], "--write must not be negative, got -1"),
        (["--seed", "-1"], "--seed must not be negative, got -1"),
        (["--prompt", ""], "--prompt must have at least one character"),
    ],
)
def test_wrong_options_are_explained(example, capsys, options, message):
    with pytest.raises(SystemExit, match="2"):
        example.main(options)
    assert message in capsys.readouterr().err


def test_a_prompt_of_unknown_characters_is_explained(example):
    with pytest.raises(SystemExit, match="--prompt has characters that the text does not have"):
        example.main(["--prompt", "\x07"])
