"""Trains the main example's network while mkdocs builds the site, for the page that draws digits.

mkdocs.yml loads this file as a hook. It writes two safetensors files into the site, beside the page
docs/try/draw-a-digit.md, and nothing into the repository:

    try/two_layer_mnist.safetensors    the network's arrays as float16, named as `model.save` names
                                       them; what they were trained on and how well they read
    try/sample_digits.safetensors      test digits that a visitor can load

Where MNIST cannot be had the example's own stand-in, drawn digits, is used, and the files say so.
"""

import functools
import importlib.util
from pathlib import Path

import numpy as np
from safetensors.numpy import save

import minidl as dl
from minidl.datasets import load_mnist  # pages may see a stand-in under the name dl.load_mnist

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "two_layer_mnist.py"
MISREAD = 4  # how many of the samples are digits that the network reads wrong


def load_example():
    """Import the main example."""
    spec = importlib.util.spec_from_file_location(EXAMPLE.stem, EXAMPLE)
    example = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(example)
    return example


def mnist_is_at_hand():
    """Whether the real digits can be loaded."""
    try:
        load_mnist()
    except dl.DatasetNotFoundError:
        return False
    return True


def train(example, data):
    """Train as `main` of the example does with its defaults; return the model."""
    (x, y), _, _ = data
    settings = example.parse_arguments([])
    model = example.build_model(settings.hidden, settings.seed)
    trainer = dl.Trainer(
        model, dl.CrossEntropy(), dl.SGD(settings.learning_rate), rng=settings.seed
    )
    trainer.fit(
        x,
        y,
        epochs=settings.epochs,
        batch_size=settings.batch_size,
        validation_split=example.VALIDATION_ROWS / len(x),
    )
    return model


def network_file(model, data):
    """The trained network as a safetensors file; from here on the model has its rounded values."""
    _, (x_test, y_test), name = data
    exact = model.predict(x_test)
    model.params = model.params.astype(np.float16)
    rounded = model.predict(x_test)
    notes = {
        "data": name,
        "test_digits": str(len(y_test)),
        "accuracy": f"{dl.accuracy(y_test, exact.argmax(1)):.4f}",
        "accuracy_float16": f"{dl.accuracy(y_test, rounded.argmax(1)):.4f}",
        "largest_change": f"{np.abs(rounded - exact).max():.1e}",
    }
    arrays = {  # order: safetensors writes memory as it lies
        f"{place}.dense.{kind}": getattr(model.layers[place], kind).astype(np.float16, order="C")
        for place in (0, 2)
        for kind in ("weight", "bias")
    }
    return save(arrays, notes)


def samples_file(model, data):
    """The first of each digit that is read right; then the surest of those that are read wrong."""
    _, (x_test, y_test), _ = data
    probabilities = model.predict(x_test)
    predicted = probabilities.argmax(1)
    read = [np.flatnonzero((predicted == y_test) & (y_test == digit))[0] for digit in range(10)]
    surest_first = np.argsort(-probabilities.max(1), kind="stable")
    misread = surest_first[predicted[surest_first] != y_test[surest_first]]
    _, first_of_each = np.unique(y_test[misread], return_index=True)
    rows = np.concatenate([read, misread[np.sort(first_of_each)[:MISREAD]]])
    return save(
        {
            "images": np.round(255 * x_test[rows]).astype(np.uint8),
            "labels": y_test[rows].astype(np.uint8),
            "rows": rows.astype(np.int32),
        }
    )


@functools.cache
def site_files():
    """Train once for every process; return the files' contents by their names."""
    example = load_example()
    data = example.load_data(None, not mnist_is_at_hand(), example.parse_arguments([]).seed)
    model = train(example, data)
    return {
        "two_layer_mnist.safetensors": network_file(model, data),
        "sample_digits.safetensors": samples_file(model, data),
    }


def on_post_build(config):
    """Put the files into the built site."""
    folder = Path(config["site_dir"]) / "try"
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in site_files().items():
        (folder / name).write_bytes(content)
