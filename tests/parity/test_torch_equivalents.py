"""The tables for users of PyTorch hold in PyTorch."""

import inspect

import pytest
import torch
from parity.equivalent_rows import check_tables
from torch import nn, optim

import minidl as dl

NAMES = {"learning_rate": "lr", "epsilon": "eps", "rho": "alpha"}


def test_the_page_is_right_about_pytorch(tmp_path, monkeypatch):
    network = nn.Linear(2, 2)
    names = {
        "__version__": torch.__version__,
        "nn": nn,
        "optim": optim,
        "optimizer": optim.SGD(network.parameters()),
        "parameters": list(network.parameters()),
    }
    assert len(check_tables("coming-from-pytorch.md", names, tmp_path, monkeypatch)) == 3


@pytest.mark.parametrize("rule", ["Adam", "AdamW", "NAdam", "RMSprop", "Adagrad", "Adadelta"])
def test_the_other_optimizers_have_the_same_defaults(rule):
    theirs = inspect.signature(getattr(optim, rule)).parameters
    ours = inspect.signature(getattr(dl, rule)).parameters
    compared = 0
    for name, parameter in ours.items():
        other = theirs.get(name) or theirs.get(NAMES.get(name, ""))
        if other is not None:
            assert parameter.default == other.default, name
            compared += 1
    assert compared >= 3
    if "betas" in theirs:
        assert (ours["beta1"].default, ours["beta2"].default) == theirs["betas"].default
