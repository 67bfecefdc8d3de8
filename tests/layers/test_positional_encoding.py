"""Positional encoding of any length and width."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from references import attention

import minidl as dl


@settings(max_examples=20, deadline=None)
@given(st.integers(1, 6), st.integers(1, 7))
def test_positions_of_any_length_and_width(t, d):
    x = np.random.default_rng(t).normal(size=(2, t, d))
    layer = dl.PositionalEncoding().build((None, d), dtype=np.float64)
    expected = attention.positional_encoding(x)
    np.testing.assert_allclose(layer.forward(x), expected, rtol=1e-12, atol=1e-14)


def test_far_positions_are_as_exact_in_single_precision():
    layer = dl.PositionalEncoding().build((None, 2))
    far = layer(np.zeros((1, 100_000, 2)))[0, -1]
    np.testing.assert_allclose(far, [np.sin(99_999.0), np.cos(99_999.0)], rtol=1e-6)


def test_a_shift_turns_each_pair_of_columns():
    p = dl.PositionalEncoding().build((9, 2), dtype=np.float64)(np.zeros((1, 9, 2)))[0]
    turn = np.array([[np.cos(3), -np.sin(3)], [np.sin(3), np.cos(3)]])
    np.testing.assert_allclose(p[3:], p[:-3] @ turn, rtol=1e-12, atol=1e-14)


def test_positions_are_no_parameters():
    layer = dl.PositionalEncoding().build((3, 2))
    assert not layer.params.size
    dy = np.ones((1, 3, 2), np.float32)
    layer.forward(dy, training=True)
    np.testing.assert_array_equal(layer.backward(dy), dy)


@pytest.mark.parametrize("shape", [(4,), (2, 3, 4)])
def test_samples_must_be_sequences_of_vectors(shape):
    with pytest.raises(
        dl.ShapeError,
        match=r"PositionalEncoding\(\): expected input of shape \(N, T, D\), T steps of D numbers, "
        rf"got \(N, {str(shape).strip('(,)')}\)\. Put Embedding or Reshape before it",
    ):
        dl.PositionalEncoding().build(shape)


def test_backward_needs_a_forward_inside_a_model_too():
    model = dl.Sequential([dl.PositionalEncoding()]).build((3, 2))
    with pytest.raises(dl.StateError, match="backward needs a training forward before it"):
        model.layers[0].backward(np.ones((1, 3, 2), np.float32))
