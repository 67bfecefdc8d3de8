"""The hook that trains the network for the page that draws digits."""

import json

import numpy as np
import pytest
from safetensors.numpy import load

import minidl as dl
from docs.hooks import digit_network


@pytest.fixture
def example(monkeypatch):
    """The main example on a few drawn digits."""
    example = digit_network.load_example()
    x, y = dl.synthetic_digits(1200, rng=0)
    data = (x[:600], y[:600]), (x[600:], y[600:]), "synthetic digits"
    monkeypatch.setattr(example, "load_data", lambda *options: data)
    monkeypatch.setattr(example, "VALIDATION_ROWS", 100)
    return example


@pytest.fixture
def data(example):
    return example.load_data()


@pytest.fixture
def model(example, data):
    return digit_network.train(example, data)


def notes_of(content):
    length = int.from_bytes(content[:8], "little")
    return json.loads(content[8 : 8 + length])["__metadata__"]


def test_it_trains_as_the_example_does_bit_for_bit(example, model, monkeypatch):
    built = []
    build = example.build_model
    monkeypatch.setattr(example, "build_model", lambda *a: built.append(build(*a)) or built[0])
    example.main(["--no-plots"])
    np.testing.assert_array_equal(model.params, built[0].params)


def test_the_network_file_holds_what_model_save_names(model, data, tmp_path):
    exact = model.params.copy()
    arrays = load(digit_network.network_file(model, data))
    model.save(tmp_path / "model.safetensors")
    saved = load((tmp_path / "model.safetensors").read_bytes())
    assert {name: array.shape for name, array in arrays.items()} == {
        name: array.shape for name, array in saved.items()
    }
    for name, array in arrays.items():
        assert array.dtype == np.float16
        np.testing.assert_array_equal(array, saved[name])  # the model has been rounded, too
    assert 0 < np.abs(model.params - exact).max() < 1e-3


def test_its_notes_say_what_was_measured(model, data):
    _, (x, y), name = data
    accuracy = dl.accuracy(y, model.predict(x).argmax(1))
    notes = notes_of(digit_network.network_file(model, data))
    assert notes["accuracy"] == f"{accuracy:.4f}"
    assert notes["accuracy_float16"] == f"{dl.accuracy(y, model.predict(x).argmax(1)):.4f}"
    assert (notes["data"], notes["test_digits"]) == (name, "600")
    assert 0 < float(notes["largest_change"]) < 0.01


def test_samples_are_ten_that_it_reads_and_four_that_it_does_not(model, data):
    _, (x, y), _ = data
    samples = load(digit_network.samples_file(model, data))
    rows = samples["rows"]
    np.testing.assert_array_equal(samples["images"], np.round(255 * x[rows]))
    np.testing.assert_array_equal(samples["labels"], y[rows])
    read = model.predict(x).argmax(1)
    assert list(read[rows] == y[rows]) == [True] * 10 + [False] * 4
    assert list(y[rows[:10]]) == list(range(10))
    assert len(set(y[rows[10:]])) == 4
    surest = model.predict(x[read != y]).max()
    assert model.predict(x[rows[10:11]]).max() == pytest.approx(surest)


def test_the_files_go_into_the_site_and_are_made_once(example, tmp_path, monkeypatch):
    monkeypatch.setattr(digit_network, "load_example", lambda: example)
    monkeypatch.setattr(digit_network, "mnist_is_at_hand", lambda: False)
    digit_network.site_files.cache_clear()
    digit_network.on_post_build({"site_dir": str(tmp_path)})
    written = {path.name for path in (tmp_path / "try").iterdir()}
    assert written == {"two_layer_mnist.safetensors", "sample_digits.safetensors"}
    monkeypatch.delattr(digit_network, "train")
    digit_network.on_post_build({"site_dir": str(tmp_path)})
    digit_network.site_files.cache_clear()


def test_without_mnist_the_network_is_trained_on_drawn_digits(monkeypatch):
    def missing():
        raise dl.DatasetNotFoundError("no MNIST")

    monkeypatch.setattr(digit_network, "load_mnist", missing)
    assert not digit_network.mnist_is_at_hand()
    monkeypatch.setattr(digit_network, "load_mnist", lambda: None)
    assert digit_network.mnist_is_at_hand()
