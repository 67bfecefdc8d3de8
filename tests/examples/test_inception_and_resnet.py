"""The Inception-like and the ResNet-like network, run as a user runs them."""

import importlib.util
import re
from pathlib import Path

import pytest

PATH = Path(__file__).resolve().parents[2] / "examples" / "inception_and_resnet.py"


@pytest.fixture
def example():
    spec = importlib.util.spec_from_file_location("inception_and_resnet", PATH)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_both_networks_learn_something(example, capsys):
    example.main(["--synthetic", "--rows", "800", "--epochs", "2"])
    output = capsys.readouterr().out
    assert "synthetic digits, drawn by the program" in output.splitlines()[0]
    found = dict(re.findall(r"(\w+), test accuracy: (0\.\d{4})", output))
    assert found.keys() == {"inception", "resnet"}
    losses = [float(loss) for loss in re.findall(r"epoch \d/2  loss (\d\.\d+)", output)]
    assert losses[1] < losses[0]
    assert losses[3] < losses[2]


def test_one_network_and_seeds(example, capsys):
    options = ["--synthetic", "--rows", "100", "--epochs", "1", "--network", "resnet"]
    results = []
    for seed in ("0", "0", "1"):
        example.main([*options, "--seed", seed])
        output = capsys.readouterr().out
        assert "inception" not in output
        results.append(re.search(r"loss (\d\.\d+)", output)[1])
    assert results[0] == results[1] != results[2]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--rows", "5"], "--rows must be at least 100, got 5"),
        (["--learning-rate", "nan"], "--learning-rate must be positive and finite"),
        (["--network", "vgg"], "invalid choice: 'vgg'"),
    ],
)
def test_senseless_options_are_explained(example, capsys, options, message):
    with pytest.raises(SystemExit, match="2"):
        example.main(options)
    assert message in capsys.readouterr().err
