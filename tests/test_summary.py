import io
from xml.etree import ElementTree

import pytest

import minidl as dl


def test_summary_shows_shapes_numbers_and_bytes(capsys):
    model = dl.Sequential([dl.Flatten(), dl.Dense(10), dl.ReLU(), dl.Dense(10), dl.Softmax()])
    model.build((28, 28), rng=0)
    assert model.summary() is None
    text = capsys.readouterr().out
    rows = [line.split() for line in text.splitlines()]
    assert text.startswith("Sequential: input (N, 28, 28), float32")
    assert ["0", "Flatten()", "(N,", "784)"] in rows
    assert ["1", "Dense(10)", "(N,", "10)", "7,850", "31,400"] in rows
    assert ["total", "7,960", "31,840"] in rows


def test_summary_shows_nesting_and_frozen_layers():
    inner = dl.Sequential([dl.Dense(3), dl.ReLU()])
    model = dl.Sequential([inner, dl.Dense(2)]).build((4,), dtype=float)
    inner.trainable = False
    file = io.StringIO()
    model.summary(file=file)
    lines = file.getvalue().splitlines()
    assert any(line.startswith("  0 Dense(3)") for line in lines)
    assert any(line.startswith("0 Sequential, frozen") for line in lines)
    assert lines[-1] == "of these frozen: 15"
    assert any(line.split() == ["total", "23", "184"] for line in lines)


def test_a_single_layer_has_a_summary(capsys):
    dl.Dense(3).build((4,)).summary()
    assert "Dense(3)" in capsys.readouterr().out


def test_summary_needs_build():
    with pytest.raises(dl.StateError, match="is not built"):
        dl.Dense(3).summary()


def test_notebooks_show_the_same_as_a_table():
    odd = type("A<b>", (dl.Dense,), {})
    model = dl.Sequential([odd(3), dl.BatchNorm(), dl.Sequential([dl.Dense(2)])]).build((4,))
    model.layers[0].trainable = False
    page = model._repr_html_()
    root = ElementTree.fromstring(page)
    rows = [[cell.text or "" for cell in row] for row in root.iter("tr")]
    file = io.StringIO()
    model.summary(file=file)
    title, _, *lines = [line for line in file.getvalue().splitlines() if set(line) != {"-"}]
    assert [" ".join(row).split() for row in rows[1:]] == [line.split() for line in lines[:-2]]
    assert [element.text for element in root.iter("strong")] == [title]
    assert [element.text for element in root.iter("div")][1:] == lines[-2:]


def test_notebooks_show_what_an_unbuilt_model_is_made_of():
    assert dl.Dense(3)._repr_html_() == "<pre>Dense(3)</pre>"
