"""Which parameters weight decay shrinks, from the layers' own word for it to every rule."""

import numpy as np
import pytest
from optimizer_cases import OPTIMIZER_CASES

import minidl as dl

KINDS = sorted({type(case.make()) for case in OPTIMIZER_CASES}, key=lambda kind: kind.__name__)


def network():
    layers = [
        dl.Embedding(7, 4),
        dl.LayerNorm(),
        dl.Flatten(),
        dl.Dense(5),
        dl.BatchNorm(),
        dl.PReLU(),
        dl.Dense(3),
    ]
    return dl.Sequential(layers).build((2,), rng=0)


def parameters(model):
    """Every parameter by the name of its layer and its own."""
    return {
        f"{layer} {spec.name}": getattr(child, spec.name)
        for layer, child in model.named_layers()
        for spec in child.bound.plan.specs
    }


@pytest.mark.parametrize("kind", KINDS)
def test_biases_and_the_parameters_of_normalisation_do_not_decay(kind):
    model = network()
    model.params[:] = 1.0  # biases as well, or nobody would see them shrink
    optimizer = kind(0.125, weight_decay=0.5)
    optimizer.update(model.params, np.zeros_like(model.params), decay=model.decay_mask)
    moved = {name for name, values in parameters(model).items() if (values != 1).all()}
    still = {name for name, values in parameters(model).items() if (values == 1).all()}
    assert moved == {"0.embedding weight", "3.dense weight", "6.dense weight"}
    assert still == {
        *("1.layernorm gamma", "1.layernorm beta", "3.dense bias", "4.batchnorm gamma"),
        *("4.batchnorm beta", "5.prelu slope", "6.dense bias"),
    }
    np.testing.assert_array_equal(parameters(model)["3.dense weight"], 1 - 0.125 * 0.5)


@pytest.mark.parametrize("kind", KINDS)
def test_the_trainer_passes_the_mask_on(kind):
    model = network()
    model.params[:] = 1.0
    for layer in model.layers:
        if isinstance(layer, dl.Embedding):
            layer.trainable = False
    weights = parameters(model)
    x, y = np.zeros((4, 2), np.int64), np.zeros((4, 3), np.float32)
    trainer = dl.Trainer(model, dl.MeanSquaredError(), kind(1e-12, weight_decay=1e11))
    trainer.fit(x, y, epochs=1, sample_weight=np.zeros(4))  # gradients of zero
    moved = {name for name, values in weights.items() if (values != 1).any()}
    assert moved == {"3.dense weight", "6.dense weight"}
    np.testing.assert_allclose(weights["3.dense weight"], 0.9, rtol=1e-6)
