"""Configs that are broken at random: the documented error or a run, never anything else."""

import copy
import json
import tomllib

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from minidl.command_line.config.run import Run
from minidl.errors import MinidlError

BASE = """
loss = { type = "CrossEntropy", label_smoothing = 0.1 }
[model]
layers = [
    { type = "Dense", units = 4, weight_initializer = { type = "Normal", std = 0.1 } },
    { type = "Sequential", layers = ["BatchNorm", "ReLU"] },
    { type = "Residual", body = "Tanh" },
    { type = "Dense", units = 2, use_bias = true, weight_penalty = { type = "L2", strength = 1 } },
    "Softmax",
]
input_shape = [3]
seed = 0
[optimizer]
type = "Adam"
learning_rate.type = "WarmUp"
learning_rate.steps = 3
learning_rate.schedule = { type = "StepDecay", initial = 0.1, step_size = 2 }
clip_norm = 1.0
[data]
source = "d.npz"
validation_split = 0.2
divide_by = 2.0
rows = 10
transforms = [{ type = "RandomNoise", deviation = 0.1 }]
[training]
epochs = 1
batch_size = 4
workers = 1
metrics = ["accuracy", { type = "top_k_accuracy", k = 1 }]
[[callbacks]]
type = "EarlyStopping"
monitor = "val_loss"
patience = 2
[output]
model = "m.safetensors"
history = "h.csv"
"""
TEXTS = ["", "\0", "~nobody/x", "..", "SGD", "Dense", "LSTM", "Conv2D", "Embedding", "LayerNorm"]
TEXTS += ["Parallel", "MultiHeadSelfAttention", "Hinge", "Mixup", "Quantile", "Reshape", "roc_auc"]
NUMBERS = [0, -1, 3, 2**31, 10**30, 0.5, -0.0, 1e-300, 1e300, float("nan"), float("inf")]
ARGUMENTS = ["type", "units", "layers", "body", "rate", "filters", "kernel_size", "rng", "initial"]


def places(value, key=()):
    """The key of every value."""
    children = value.items() if isinstance(value, dict) else enumerate(value)
    for name, child in children:
        yield (*key, name)
        if isinstance(child, dict | list):
            yield from places(child, (*key, name))


def at(value, key):
    for name in key:
        value = value[name]
    return value


def toml(value):
    """A value in TOML, on one line."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(k)} = {toml(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(toml, value)) + "]"
    if isinstance(value, float):
        return repr(value)
    return json.dumps(value)


PARSED = tomllib.loads(BASE)
PLACES = list(places(PARSED))
VALUES = st.one_of(
    st.sampled_from([*TEXTS, *NUMBERS, True, [], {}, [[1]]]),
    st.sampled_from(PLACES).map(lambda key: at(PARSED, key)),
)
CHANGES = st.lists(
    st.tuples(st.sampled_from(PLACES), st.sampled_from(["put", "drop", *ARGUMENTS]), VALUES),
    min_size=1,
    max_size=3,
)
FEW = settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow], deadline=None)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return data_in(tmp_path_factory.mktemp("fuzz"))


def data_in(folder):
    x = np.random.default_rng(0).normal(size=(12, 3))
    np.savez(folder / "d.npz", x=x, y=np.arange(12) % 2)
    return folder


def attempt(folder, content):
    """Do all that `minidl train` does short of training; return the error's text, if any."""
    path = folder / "config.toml"
    path.write_bytes(content)
    try:
        Run(path).prepare(resume=False)
    except MinidlError as error:
        text = str(error)
        if not text.startswith(str(path)):
            raise
        return text
    return ""


def changed(changes):
    """The base with some values put in the places of others, dropped, or added as arguments."""
    config = copy.deepcopy(PARSED)
    for key, how, value in changes:
        try:
            around, place = at(config, key[:-1]), at(config, key)
        except (KeyError, IndexError, TypeError):  # a change before this one took it away
            continue
        if isinstance(around, str):
            continue
        if how == "drop":
            del around[key[-1]]
        elif how == "put":
            around[key[-1]] = copy.deepcopy(value)
        elif isinstance(place, dict):
            place[how] = copy.deepcopy(value)
    return "\n".join(f"{json.dumps(name)} = {toml(value)}" for name, value in config.items())


def test_the_base_is_right(folder):
    assert attempt(folder, BASE.encode()) == ""
    assert attempt(folder, changed([]).encode()) == ""


@FEW
@given(CHANGES)
def test_other_values(folder, changes):
    attempt(folder, changed(changes).encode())


@FEW
@given(st.integers(0, len(BASE) - 1), st.binary(max_size=3), st.integers(0, 5))
def test_other_bytes(folder, place, put, dropped):
    content = BASE.encode()
    attempt(folder, content[:place] + put + content[place + dropped :])
