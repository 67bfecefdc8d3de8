"""Masking: which steps count, and what the layers behind make of it."""

import numpy as np
import pytest

import minidl as dl


def padded(value):
    """Three sequences of 4, 2 and no steps."""
    x = np.random.default_rng(0).normal(size=(3, 4, 2))
    x[1, 2:] = value
    x[2] = value
    return x, np.arange(4) < np.array([[4], [2], [0]])


@pytest.mark.parametrize("value", [0.0, -1.0, 7.5])
def test_a_step_counts_unless_all_of_it_is_the_value(value):
    x, mask = padded(value)
    x[0, 1, 0] = value  # one number of two
    layer = dl.Masking(value).build((4, 2), dtype=np.float64)
    np.testing.assert_array_equal(layer.compute_mask(x), mask)


def test_nothing_else_happens():
    x, _ = padded(0.0)
    layer = dl.Masking().build((None, 2), dtype=np.float64)
    np.testing.assert_array_equal(layer.forward(x, training=True), x)
    np.testing.assert_array_equal(layer.backward(x), x)


@pytest.mark.parametrize("kind", [dl.SimpleRNN, dl.LSTM, dl.GRU])
def test_the_mask_reaches_recurrent_layers(kind):
    x, mask = padded(-1.0)
    layers = [dl.Masking(-1.0), kind(3, return_sequences=True), dl.Dropout(0.0), kind(2)]
    model = dl.Sequential(layers).build((None, 2), rng=0, dtype=np.float64)
    first, second = (layer.detached_copy() for layer in layers[1::2])
    first.build((None, 2), dtype=np.float64)
    second.build((None, 3), dtype=np.float64)
    y = model.forward(x, training=True)
    expected = second.forward(first.forward(x, training=True, mask=mask), training=True, mask=mask)
    np.testing.assert_array_equal(y, expected)
    np.testing.assert_array_equal(model(x), expected)
    np.testing.assert_array_equal(model.backward(y), first.backward(second.backward(y)))
    np.testing.assert_array_equal(layers[1].gradients["weight"], first.gradients["weight"])


@pytest.mark.parametrize("value", [np.nan, np.inf, "0", None])
def test_wrong_values_are_explained(value):
    with pytest.raises(dl.ArgumentError, match="Masking: mask_value must be a number"):
        dl.Masking(value)


def test_wrong_rank_is_explained():
    with pytest.raises(dl.ShapeError, match=r"Masking\(\): expected input of shape \(N, T, D\)"):
        dl.Masking().build((5,))


def test_inside_a_model_too_backward_runs_once():
    model = dl.Sequential([dl.Masking(), dl.LSTM(3)]).build((4, 2), rng=0)
    model.forward(np.ones((5, 4, 2), np.float32), training=True)
    inner, dy = model.layers[0], np.ones((5, 4, 2), np.float32)
    inner.backward(dy)
    with pytest.raises(dl.StateError, match=r"^Masking\(\) in layer 0 of Sequential: backward"):
        inner.backward(dy)
