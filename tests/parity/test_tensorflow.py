"""The comparison with TensorFlow: the same network, step by step, within float32 rounding."""

import importlib.util
import os
import sys
from pathlib import Path

import numpy as np
import pytest

import minidl as dl

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # read at import: errors only
import tensorflow as tf

EXAMPLE = Path(__file__).parents[2] / "examples" / "tensorflow_comparison.py"


@pytest.fixture(scope="module")
def example():
    spec = importlib.util.spec_from_file_location(EXAMPLE.stem, EXAMPLE)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def digits():
    # With these digits and the example's seed no hidden value comes closer to zero than 9e-5: far
    # from rounding (1e-6), so the two cannot fall on different sides of ReLU's kink.
    return dl.synthetic_digits(1000, rng=17)


def test_same_network_after_200_steps(example, digits):
    mine, theirs, difference = example.compare(tf, digits, digits, steps=200)
    assert difference < 1e-4
    np.testing.assert_allclose(mine.losses, theirs.losses, rtol=0, atol=1e-5)
    assert mine.test_accuracy == pytest.approx(theirs.test_accuracy, abs=0.002)
    assert theirs.losses[-1] < 0.7 * theirs.losses[0]  # it has learned, so the test compares motion


def test_a_difference_ends_with_status_1(example, monkeypatch, capsys):
    sgd = dl.SGD
    monkeypatch.setattr(dl, "SGD", lambda learning_rate: sgd(1.001 * learning_rate))
    with pytest.raises(SystemExit, match="1"):
        example.main(["--synthetic", "--steps", "50"])
    assert "The two have parted" in capsys.readouterr().err


def test_missing_tensorflow_is_explained_with_status_3(example, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "tensorflow", None)
    with pytest.raises(SystemExit, match="3"):
        example.main(["--synthetic"])
    assert "Install it with: pip install tensorflow-cpu" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("option", "value", "message"),
    [
        ("--steps", "0", "--steps must be at least 1, got 0"),
        ("--every", "0", "--every must be at least 1, got 0"),
        ("--batch-size", "5001", "--batch-size must lie in 1..5000, got 5001"),
        ("--learning-rate", "0", "--learning-rate must be positive and finite, got 0.0"),
        ("--seed", "-1", "--seed must not be negative, got -1"),
    ],
)
def test_bad_option_is_explained(example, option, value, message, capsys):
    with pytest.raises(SystemExit, match="2"):
        example.main([option, value])
    assert message in capsys.readouterr().err
