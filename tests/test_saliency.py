"""Saliency maps: the gradient of a score at the input, in inference mode."""

import numpy as np
import pytest

import minidl as dl
from minidl.containers.chain import Chain
from minidl.testing import numerical_gradient

MODELS = {
    "dense": lambda: [dl.Flatten(), dl.Dense(7), dl.Tanh(), dl.Dense(3), dl.Softmax()],
    "log softmax": lambda: [dl.Flatten(), dl.Dense(3), dl.LogSoftmax()],
    "sigmoid": lambda: [dl.Flatten(), dl.Dense(3), dl.Sigmoid()],
    "scores": lambda: [dl.Flatten(), dl.Dropout(0.5), dl.Dense(3)],
    "convolution": lambda: [
        *(dl.Conv2D(4, 3), dl.BatchNorm(), dl.SiLU(), dl.SpatialDropout2D(0.5)),
        *(dl.GaussianNoise(0.5), dl.GlobalAveragePool2D(), dl.Dense(3), dl.Softmax()),
    ],
    "nested": lambda: [dl.Sequential([dl.Flatten()]), dl.Sequential([dl.Dense(3), dl.Softmax()])],
}
BEFORE = {"Softmax", "LogSoftmax", "Sigmoid"}


def built(name):
    model = dl.Sequential(MODELS[name]()).build((4, 4, 2), rng=0, dtype=float)
    model.state = model.state + 0.3  # BatchNorm: not what one batch would give
    return model


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("target", [0, 2])
def test_map_is_the_gradient_of_the_score_in_inference_mode(name, target):
    model = built(name)
    x = np.random.default_rng(1).normal(size=(3, 4, 4, 2))
    flat = [layer for layer in model.walk() if not layer.children]
    scores = flat[:-1] if type(flat[-1]).__name__ in BEFORE else flat

    def score(values):
        for layer in scores:
            values = layer.forward(values)
        return float(values[:, target].sum())

    expected = np.abs(numerical_gradient(score, x))
    np.testing.assert_allclose(dl.saliency_map(model, x, target), expected, rtol=1e-6, atol=1e-8)
    each = dl.saliency_map(model, x, [target] * 3)
    np.testing.assert_array_equal(each, dl.saliency_map(model, x, target))


def test_default_is_each_samples_largest_output():
    model = built("dense")
    x = np.random.default_rng(2).normal(size=(8, 4, 4, 2))
    best = model.predict(x).argmax(axis=1)
    assert len(set(best)) > 1
    np.testing.assert_array_equal(dl.saliency_map(model, x), dl.saliency_map(model, x, best))


def test_model_is_left_as_it_is():
    model = built("convolution")
    x = np.random.default_rng(3).normal(size=(5, 4, 4, 2))
    model.forward(x, training=True)
    model.backward(np.ones((5, 3)))
    kept = [a.copy() for a in (model.params, model.grads, model.state)]
    draws = [str(layer.rng.bit_generator.state) for layer in model.walk()]
    dl.saliency_map(model, x)
    for before, now in zip(kept, (model.params, model.grads, model.state), strict=True):
        np.testing.assert_array_equal(now, before)
    assert [str(layer.rng.bit_generator.state) for layer in model.walk()] == draws
    assert model.trainable
    assert model.layers[3].rate == 0.5


@pytest.mark.parametrize("target", [None, 1, np.arange(11) % 3])
def test_many_samples_pass_in_parts(monkeypatch, target):
    model = built("convolution")
    x = np.random.default_rng(4).normal(size=(11, 4, 4, 2))
    whole = dl.saliency_map(model, x, target)
    monkeypatch.setattr(model.bound.plan, "chunk_rows", 4)
    seen, infer = [], Chain.infer
    monkeypatch.setattr(Chain, "infer", lambda chain, x: seen.append(len(x)) or infer(chain, x))
    np.testing.assert_allclose(dl.saliency_map(model, x, target), whole, rtol=1e-12)
    assert seen == [4, 4, 3]


def test_scores_must_be_finite():
    model, x = built("dense"), np.ones((2, 4, 4, 2))
    x[1, 0, 0, 0] = np.nan
    with pytest.raises(dl.DataError, match="x has NaN in row 1"):
        dl.saliency_map(model, x)
    model.layers[3].bias[0] = np.inf
    with pytest.raises(dl.DataError, match="the model's scores are not finite, although x is"):
        dl.saliency_map(model, np.ones((2, 4, 4, 2)))


def test_a_softmax_alone_and_a_layer_inside_a_model():
    softmax = dl.Softmax().build((3,), dtype=float)
    x = np.array([[0.0, 1.0, 2.0]])
    p = softmax.predict(x)[0]
    jacobian = np.diag(p) - np.outer(p, p)
    np.testing.assert_allclose(dl.saliency_map(softmax, x, 1)[0], np.abs(jacobian[1]))
    model = built("dense")
    inner = model.layers[3]
    x = np.ones((1, 7))
    np.testing.assert_allclose(dl.saliency_map(inner, x, 2)[0], np.abs(inner.weight[:, 2]))


class Shifted(dl.Layer):
    """Something else in training passes, by this much."""

    def __init__(self, shift):
        self.shift = shift

    def forward(self, x, *, training=False, out=None):
        return x + x.dtype.type(self.shift) if training else x

    def backward(self, dy, *, input_grad=True, out=None):
        return dy


def test_passes_may_differ_by_a_thousandth_of_the_largest_score():
    x = np.array([[-1000.0, 1.0]])
    near, far = (Shifted(shift).build((2,), dtype=float) for shift in (0.9, 1.1))
    np.testing.assert_array_equal(dl.saliency_map(near, x, 1), [[0, 1]])
    with pytest.raises(dl.ArgumentError, match="computes something else than inference"):
        dl.saliency_map(far, x, 1)


def test_wrong_calls():
    model, x = built("dense"), np.ones((2, 4, 4, 2))
    with pytest.raises(dl.ArgumentError, match="has the outputs 0 to 2, got target 3"):
        dl.saliency_map(model, x, 3)
    with pytest.raises(dl.ArgumentError, match="got target -1"):
        dl.saliency_map(model, x, -1)
    with pytest.raises(dl.DTypeError, match="whole, got float64"):
        dl.saliency_map(model, x, 0.5)
    with pytest.raises(dl.ShapeError, match="one for each of 2 samples"):
        dl.saliency_map(model, x, [0, 1, 2])
    words = dl.Sequential([dl.Embedding(5, 3), dl.Flatten()]).build((4,), rng=0)
    with pytest.raises(dl.DTypeError, match="got indices"):
        dl.saliency_map(words, np.zeros((1, 4), int))
    with pytest.raises(dl.ArgumentTypeError, match="saliency_map: model must be a Layer"):
        dl.saliency_map("model", x)
    image = dl.Conv2D(2, 3).build((4, 4, 2), rng=0)
    with pytest.raises(dl.ShapeError, match=r"outputs of shape \(N, M\), got \(N, 2, 2, 2\)"):
        dl.saliency_map(image, x)
    nested = dl.Sequential([Shifted(1.0), dl.Dense(2)]).build((3,), rng=0)
    with pytest.raises(dl.ArgumentError, match="computes something else than inference"):
        dl.saliency_map(nested, np.ones((1, 3)))
