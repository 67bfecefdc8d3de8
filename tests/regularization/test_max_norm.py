"""MaxNorm: which weights share a norm, what stays, what training does with it."""

import numpy as np
import pytest

import minidl as dl

RNG = np.random.default_rng(0)
LAYERS = {  # each array's axis of units
    "dense": (lambda c: dl.Dense(3, weight_constraint=c), (5,), {"weight": 1}),
    "dense of sixteen": (lambda c: dl.Dense(16, weight_constraint=c), (5,), {"weight": 1}),
    "conv1d": (lambda c: dl.Conv1D(2, 3, weight_constraint=c), (6, 4), {"weight": 2}),
    "conv2d": (lambda c: dl.Conv2D(4, 2, weight_constraint=c), (3, 4, 2), {"weight": 3}),
    "conv2d transpose": (
        lambda c: dl.Conv2DTranspose(2, 2, weight_constraint=c),
        (2, 2, 3),
        {"weight": 2},
    ),
    "embedding": (lambda c: dl.Embedding(5, 3, weight_constraint=c), (4,), {"weight": 0}),
    "simple rnn": (
        lambda c: dl.SimpleRNN(3, weight_constraint=c),
        (4, 2),
        {"weight": 1, "recurrent_weight": 1},
    ),
    "gru": (
        lambda c: dl.GRU(3, weight_constraint=c),
        (4, 2),
        {"weight": 1, "recurrent_weight": 1},
    ),
    "lstm": (
        lambda c: dl.LSTM(2, weight_constraint=c),
        (4, 2),
        {"weight": 1, "recurrent_weight": 1},
    ),
    "attention": (
        lambda c: dl.MultiHeadSelfAttention(2, weight_constraint=c),
        (3, 4),
        {"weight": 1, "output_weight": 1},
    ),
}


def units(w, axis):
    """Each unit's weights as a list."""
    return [np.take(w, i, axis=axis).ravel() for i in range(w.shape[axis])]


@pytest.mark.parametrize(
    ("make", "input_shape", "axes"), list(LAYERS.values()), ids=list(LAYERS.keys())
)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_each_unit_keeps_its_direction_and_gets_the_limit(make, input_shape, axes, dtype):
    layer = make(dl.MaxNorm(1.5)).build(input_shape, rng=0, dtype=dtype)
    layer.params = RNG.normal(size=layer.params.size)
    before = {name: view.copy() for name, view in layer._views.items()}
    dl.Objective(layer, dl.MeanSquaredError()).constrain()
    n_cut = 0
    for name, old in before.items():
        new = getattr(layer, name)
        if name not in axes:
            np.testing.assert_array_equal(new, old)  # biases
            continue
        for w, changed in zip(units(old, axes[name]), units(new, axes[name]), strict=True):
            norm = np.sqrt((w.astype(float) ** 2).sum())
            if norm <= 1.5:
                np.testing.assert_array_equal(changed, w)
            else:
                np.testing.assert_allclose(changed, w * 1.5 / norm, rtol=1e-6)
                n_cut += 1
    assert n_cut > 0


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_zeros_stay_zeros_and_large_weights_get_the_limit(dtype):
    w = np.array([[0.0, 3e30, 1.0], [0.0, -4e30, 0.0]], dtype)
    dl.MaxNorm(1.0).apply(w)
    np.testing.assert_allclose(w, [[0.0, 0.6, 1.0], [0.0, -0.8, 0.0]], rtol=1e-6)
    assert w.dtype == dtype


def test_a_vector_has_a_norm_an_element():
    w = np.array([-3.0, 0.5])
    dl.MaxNorm(2).apply(w)
    assert w.tolist() == [-2.0, 0.5]


@pytest.mark.parametrize("limit", [0, 0.0, -1, np.inf, np.nan, "2"])
def test_a_limit_is_a_number_above_0(limit):
    with pytest.raises(dl.ArgumentError, match="MaxNorm: limit must be"):
        dl.MaxNorm(limit)


def test_training_keeps_to_it_after_every_step_and_leaves_frozen_layers():
    norms = []

    class Watch(dl.Callback):
        def on_batch_end(self, trainer, loss):
            norms.append([np.linalg.norm(layer.weight, axis=0) for layer in trainer.model.layers])

    layers = [dl.Dense(8, weight_constraint=dl.MaxNorm(0.5)) for _ in range(2)]
    model = dl.Sequential([*layers, dl.Dense(1)]).build((4,), rng=0)
    layers[0].trainable = False
    first = layers[0].weight.copy()
    x = RNG.normal(size=(20, 4)).astype(np.float32)
    trainer = dl.Trainer(model, dl.MeanSquaredError(), dl.SGD(0.02), callbacks=[Watch()], rng=0)
    trainer.fit(x, 2 * x[:, :1], epochs=3, batch_size=5)
    assert len(norms) == 12
    np.testing.assert_array_equal(layers[0].weight, first)
    assert np.max([n[0] for n in norms]) > 0.6
    assert np.max([n[1] for n in norms]) <= 0.5 + 1e-6
    assert np.max([n[2] for n in norms]) > 0.6
    layers[0].trainable = True  # counts from step to step
    trainer.objective.constrain()
    assert np.linalg.norm(layers[0].weight, axis=0).max() <= 0.5 + 1e-6
