"""Models in files, and a run of the command line as a user sees it."""

from typing import NamedTuple

import numpy as np
import pytest

import minidl as dl
from minidl.command_line import main


class Ran(NamedTuple):
    """What a command left behind."""

    code: int
    out: str
    err: str


@pytest.fixture
def run(capsys):
    """A function that runs `minidl` with some words."""

    def run(*words):
        capsys.readouterr()
        code = main([str(word) for word in words])
        return Ran(code, *capsys.readouterr())

    return run


@pytest.fixture
def fails(run):
    """A function that runs a command which must fail, and returns its one message."""

    def fails(*words):
        code, _, err = run(*words)
        _, mark, message = err.rpartition("minidl: error: ")
        assert (code, mark) == (1, "minidl: error: ")
        assert "Traceback" not in err
        return message.removesuffix("\n")

    return fails


def saved(path, layers, input_shape):
    """The path of a model whose first dense layer passes its inputs on."""
    model = dl.Sequential(layers).build(input_shape, rng=0)
    for layer in model.layers:
        if isinstance(layer, dl.Dense):
            layer.weight = np.eye(*layer.weight.shape)
    model.save(path)
    return path


@pytest.fixture
def classifier(tmp_path):
    """Three numbers in, probabilities of three classes out; the largest number wins."""
    return saved(tmp_path / "c.safetensors", [dl.Dense(3), dl.Softmax()], (3,))


@pytest.fixture
def two_classes(tmp_path):
    """The probability that a number is positive."""
    return saved(tmp_path / "b.safetensors", [dl.Dense(1), dl.Sigmoid()], (1,))


@pytest.fixture
def regressor(tmp_path):
    """The first of two numbers."""
    return saved(tmp_path / "r.safetensors", [dl.Dense(1)], (2,))


@pytest.fixture
def image_reader(tmp_path):
    """The four pixels of an image of 2 x 2, flat."""
    return saved(tmp_path / "i.safetensors", [dl.Dense(4)], (4,))
