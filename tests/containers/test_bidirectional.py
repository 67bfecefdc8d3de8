"""Bidirectional: both directions of time, with masks, and copies of the whole."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from references import recurrent

import minidl as dl

LAYERS = [dl.SimpleRNN, dl.LSTM, dl.GRU]
each_kind = pytest.mark.parametrize("kind", LAYERS)
each_output = pytest.mark.parametrize("return_sequences", [False, True], ids=["last", "sequences"])


def built(kind, return_sequences=False):
    model = dl.Bidirectional(kind(3, return_sequences=return_sequences))
    model.build((None, 2), rng=0, dtype=np.float64)
    model.params += 0.3 * np.random.default_rng(1).normal(size=len(model.params))
    return model


@each_kind
@each_output
@settings(max_examples=20, deadline=None)
@given(st.integers(1, 3), st.integers(1, 5), st.integers(0, 99), st.booleans())
def test_any_mask_agrees_with_loops(kind, return_sequences, n, steps, seed, masked):
    model, rng = built(kind, return_sequences), np.random.default_rng(seed)
    x = rng.normal(size=(n, steps, 2))
    mask = rng.random((n, steps)) < 0.6 if masked else None
    expected = recurrent.bidirectional(model, x, mask)
    np.testing.assert_allclose(model.forward(x, mask=mask), expected, rtol=1e-12, atol=1e-14)


@each_kind
@each_output
@settings(max_examples=20, deadline=None)
@given(st.integers(1, 3), st.integers(1, 5), st.integers(0, 99))
def test_masked_steps_might_as_well_not_be_there(kind, return_sequences, n, steps, seed):
    model, rng = built(kind, return_sequences), np.random.default_rng(seed)
    x, mask = rng.normal(size=(n, steps, 2)), rng.random((n, steps)) < 0.6
    y = model.forward(x, training=True, mask=mask)
    dy = rng.normal(size=y.shape)
    if return_sequences:
        dy[~mask] = 0
    dx = model.backward(dy)
    batch_grads, grads = model.grads.copy(), np.zeros_like(model.grads)
    assert not dx[~mask].any()
    for i, counts in enumerate(mask):
        if not counts.any():
            assert not y[i].any()
            continue
        alone = model.forward(x[i : i + 1, counts], training=True)[0]
        where = (i, counts) if return_sequences else i
        np.testing.assert_allclose(y[where], alone, rtol=0, atol=1e-12)
        own_dy = dy[i : i + 1, counts] if return_sequences else dy[i : i + 1]
        np.testing.assert_allclose(dx[i, counts], model.backward(own_dy)[0], rtol=0, atol=1e-12)
        grads += model.grads
    np.testing.assert_allclose(batch_grads, grads, rtol=0, atol=1e-12)


@each_output
def test_masked_gradients_agree_with_central_differences(return_sequences):
    model, rng = built(dl.LSTM, return_sequences), np.random.default_rng(0)
    x, mask = rng.normal(size=(3, 4, 2)), np.array([[1, 0, 1, 1], [0, 0, 0, 0], [1, 1, 0, 0]], bool)
    dy = rng.normal(size=model.forward(x, training=True, mask=mask).shape)
    dx = model.backward(dy)
    numeric = dl.numerical_gradient(lambda v: float((model.forward(v, mask=mask) * dy).sum()), x)
    np.testing.assert_allclose(dx, numeric, rtol=0, atol=1e-8)


@each_kind
def test_a_palindrome_reads_the_same_both_ways(kind):
    model = built(kind, return_sequences=True)
    model.backward_layer.params = model.layer.params
    x = np.random.default_rng(0).normal(size=(2, 3, 2))
    x = np.concatenate([x, x[:, ::-1]], axis=1)
    y = model(x)
    np.testing.assert_allclose(y[..., :3], y[:, ::-1, 3:], rtol=1e-13)


def test_the_directions_have_values_of_their_own():
    model = built(dl.GRU)
    assert type(model.backward_layer) is dl.GRU
    assert model.backward_layer is not model.layer
    assert model.params.size == 2 * model.layer.params.size
    assert (model.backward_layer.weight != model.layer.weight).all()


def test_directions_stack():
    layers = [dl.Bidirectional(dl.LSTM(3, return_sequences=True)), dl.Bidirectional(dl.LSTM(2))]
    model = dl.Sequential(layers).build((None, 2), rng=0)
    assert model.output_shape((None, 2)) == (4,)
    assert layers[0].bound.output_shape == (None, 6)
    assert dl.check_layer(model, (4, 2)).worst <= 1e-6


def test_repr_and_config_tell_the_layer():
    model = dl.Bidirectional(dl.LSTM(3, return_sequences=True))
    assert repr(model) == "Bidirectional(LSTM(3, return_sequences=True))"
    assert model.config() == {"layer": model.layer}


@pytest.mark.parametrize("layer", [dl.Dense(3), dl.Sequential([dl.LSTM(2)]), dl.LSTM, "LSTM"])
def test_other_layers_are_refused(layer):
    with pytest.raises(dl.ArgumentTypeError, match=r"Bidirectional: layer must be an? "):
        dl.Bidirectional(layer)


def test_wrong_rank_is_explained():
    with pytest.raises(dl.ShapeError, match=r"LSTM\(3\) in layer 0 of Bidirectional: expected"):
        dl.Bidirectional(dl.LSTM(3)).build((4,))


def test_inside_a_model_too_backward_runs_once():
    model = dl.Sequential([dl.Bidirectional(dl.LSTM(3)), dl.Dense(2)]).build((4, 2), rng=0)
    model.forward(np.ones((5, 4, 2), np.float32), training=True)
    inner, dy = model.layers[0], np.ones((5, 6), np.float32)
    inner.backward(dy)
    with pytest.raises(dl.StateError, match=r"^Bidirectional in layer 0 of Sequential: backward"):
        inner.backward(dy)
