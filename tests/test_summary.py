import io

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
