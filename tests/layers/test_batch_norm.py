"""Batch normalization: its derivative by hand, its running values, and where they go."""

import copy
import pickle

import numpy as np
import pytest

import minidl as dl
from minidl.buffers import batch_empty


def built(shape, dtype=np.float64, **options):
    layer = dl.BatchNorm(**options).build(shape, dtype=dtype)
    layer.gamma = np.linspace(0.5, 2.0, shape[-1])
    layer.beta = np.linspace(-1.0, 1.0, shape[-1])
    return layer


def model(rng=0):
    layers = [dl.Dense(6), dl.BatchNorm(), dl.ReLU(), dl.Dense(3), dl.Softmax()]
    return dl.Sequential(layers).build((4,), rng=rng)


def data(n=64, seed=0):
    rng = np.random.default_rng(seed)
    x = rng.normal(1.0, 2.0, size=(n, 4)).astype(np.float32)
    return x, (x.sum(axis=1) > 4).astype(int) + (x[:, 0] > 1)


def trained(epochs=2, **options):
    trainer = dl.Trainer(model(), dl.CrossEntropy(), dl.SGD(0.1), rng=0, **options)
    trainer.fit(*data(), epochs=epochs, batch_size=16, validation_split=0.25)
    return trainer


def test_batch_norm_backward_is_the_full_jacobian():
    # dz_i/dx_j = (1 if i = j, minus 1/n, minus z_i z_j / n) / s, written out element by element
    x = np.array([[1.0, -2.0], [4.0, 0.5], [2.5, 0.0], [-1.0, 7.0]])
    dy = np.array([[0.3, -1.0], [2.0, 0.7], [-0.4, 0.1], [1.1, -2.2]])
    layer = built((2,))
    layer.forward(x, training=True)
    dx = layer.backward(dy)
    n = len(x)
    for c in range(2):
        m = sum(x[i, c] for i in range(n)) / n
        s = (sum((x[i, c] - m) ** 2 for i in range(n)) / n + 1e-5) ** 0.5
        z = [(x[i, c] - m) / s for i in range(n)]
        for j in range(n):
            column = [((i == j) - 1 / n - z[i] * z[j] / n) / s for i in range(n)]
            expected = sum(dy[i, c] * layer.gamma[c] * column[i] for i in range(n))
            assert dx[j, c] == pytest.approx(expected, rel=1e-12)
        by_gamma = sum(dy[i, c] * z[i] for i in range(n))
        assert layer.gradients["gamma"][c] == pytest.approx(by_gamma, rel=1e-12)
        assert layer.gradients["beta"][c] == pytest.approx(sum(dy[:, c]), rel=1e-12)


def test_the_output_has_mean_beta_and_deviation_gamma():
    layer = built((3,))
    x = np.random.default_rng(0).normal(5.0, 9.0, size=(200, 3))
    y = layer.forward(x, training=True)
    np.testing.assert_allclose(y.mean(axis=0), layer.beta, atol=1e-14)
    np.testing.assert_allclose(y.std(axis=0), layer.gamma, rtol=1e-6)


def test_running_values_by_hand():
    layer = dl.BatchNorm(momentum=0.75).build((1,), dtype=np.float64)
    layer.forward(np.array([[1.0], [5.0]]), training=True)  # mean 3, biased variance 4
    assert layer.running_mean == pytest.approx([0.75 * 0 + 0.25 * 3])
    assert layer.running_variance == pytest.approx([0.75 * 1 + 0.25 * 4])
    layer.forward(np.array([[-2.0], [-2.0]]), training=True)
    assert layer.running_mean == pytest.approx([0.75 * 0.75 + 0.25 * -2])
    assert layer.running_variance == pytest.approx([0.75 * 1.75])
    x = np.array([[0.0625]])  # one deviation of sqrt(1.3125) above the running mean of 0.0625
    assert layer(x) == pytest.approx(0.0, abs=1e-15)
    assert layer(x + 1.3125**0.5) == pytest.approx(1.0, rel=1e-5)


@pytest.mark.parametrize("shape", [(3,), (5, 3), (4, 4, 3)])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_constant_channel_gives_beta_exactly_and_a_finite_gradient(shape, dtype):
    layer = built(shape, dtype)
    x = np.broadcast_to(np.array([0.1, -1e4, 0.0], dtype), (9, *shape))
    y = layer.forward(x, training=True)
    np.testing.assert_array_equal(y, np.broadcast_to(layer.beta, y.shape))
    dy = np.random.default_rng(0).normal(size=y.shape).astype(dtype)
    axes = tuple(range(x.ndim - 1))
    expected = layer.gamma / 1e-5**0.5 * (dy - dy.mean(axis=axes))  # all that z = 0 leaves
    tolerance = {"rtol": 1e-9, "atol": 1e-11} if dtype == np.float64 else {"atol": 1e-3}
    np.testing.assert_allclose(layer.backward(dy), expected, **tolerance)
    np.testing.assert_array_equal(layer.gradients["gamma"], np.zeros(3))
    np.testing.assert_allclose(layer.gradients["beta"], dy.sum(axis=axes), rtol=1e-4)


def test_a_batch_of_one_vector():
    layer = built((3,))
    y = layer.forward(np.array([[1.0, 2.0, 3.0]]), training=True)
    np.testing.assert_array_equal(y, [layer.beta])
    np.testing.assert_array_equal(layer.backward(np.ones((1, 3))), np.zeros((1, 3)))
    np.testing.assert_array_equal(layer.running_mean, [0, 0, 0])
    np.testing.assert_array_equal(layer.running_variance, [1, 1, 1])


@pytest.mark.parametrize("shape", [(3,), (4, 4, 3)])
@pytest.mark.parametrize("scale", [1e-30, 1.0, 1e18, 1e30, 1e37])
def test_tiny_and_huge_inputs(shape, scale):
    rng = np.random.default_rng(0)
    x = (scale * rng.normal(size=(50, *shape))).astype(np.float32)
    layer, exact = built(shape, np.float32), built(shape, np.float64)
    y, dy = layer.forward(x, training=True), rng.normal(size=x.shape)
    expected = exact.forward(x.astype(np.float64), training=True)
    np.testing.assert_allclose(y, expected, rtol=1e-4, atol=1e-5)
    dx, expected_dx = layer.backward(dy.astype(np.float32)), exact.backward(dy)
    np.testing.assert_allclose(dx, expected_dx, rtol=1e-3, atol=1e-5 * abs(expected_dx).max())
    assert np.isfinite(layer.state).all()
    assert np.isfinite(layer(x)).all()


@pytest.mark.parametrize("shape", [(3,), (5, 3), (4, 4, 3)])
def test_a_large_mean_in_float32(shape):
    rng = np.random.default_rng(0)
    x = (1e4 + rng.normal(size=(500, *shape))).astype(np.float32)
    layer, exact = built(shape, np.float32), built(shape, np.float64)
    y, dy = layer.forward(x, training=True), rng.normal(size=x.shape).astype(np.float32)
    expected = exact.forward(x.astype(np.float64), training=True)
    np.testing.assert_allclose(y, expected, atol=1e-5)
    np.testing.assert_allclose(layer.backward(dy), exact.backward(dy.astype(float)), atol=1e-5)
    np.testing.assert_allclose(layer.running_variance, exact.running_variance, rtol=1e-5)


def test_images_in_any_memory_order_give_the_same():
    rng = np.random.default_rng(0)
    x, dy = rng.normal(size=(2, 6, 5, 4, 3))
    innermost = batch_empty(6, (5, 4, 3), np.float64)
    innermost[...] = x
    results = []
    for given in (x, innermost, x[:, ::-1][:, ::-1], np.asfortranarray(x)):
        layer = built((5, 4, 3))
        y = layer.forward(given, training=True)
        results.append((y, layer.backward(dy), layer.grads, layer.state))
    for found in results[1:]:
        for mine, first in zip(found, results[0], strict=True):
            np.testing.assert_allclose(mine, first, rtol=1e-12, atol=1e-14)


def test_open_time_axis():
    layer = dl.BatchNorm().build((None, 3), dtype=np.float64)
    for steps in (2, 5):
        y = layer.forward(np.random.default_rng(0).normal(size=(4, steps, 3)), training=True)
        np.testing.assert_allclose(y.mean(axis=(0, 1)), 0, atol=1e-14)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"momentum": 1.0}, r"BatchNorm: momentum must be a number in \[0, 1\), got 1.0"),
        ({"momentum": -0.1}, r"momentum must be a number in \[0, 1\), got -0.1"),
        ({"momentum": "0.9"}, "momentum must be a number"),
        ({"epsilon": 0.0}, r"BatchNorm: epsilon must be a number in \[1e-30, inf\), got 0.0"),
        ({"epsilon": float("nan")}, "epsilon must be a number"),
    ],
)
def test_wrong_options(options, message):
    with pytest.raises(dl.ArgumentError, match=message):
        dl.BatchNorm(**options)


@pytest.mark.parametrize(("shape", "got"), [((), r"\(N\)"), ((None,), r"\(N, T\)")])
def test_channels_must_be_known(shape, got):
    with pytest.raises(dl.ShapeError, match=rf"BatchNorm\(\): expected input .* got {got}\. Build"):
        dl.BatchNorm().build(shape)


# --- frozen ---------------------------------------------------------------------------------


def test_frozen_it_trains_by_its_running_values_and_keeps_them():
    layer = built((3,))
    layer.state = [1.0, 2.0, 3.0, 4.0, 0.25, 9.0]
    layer.trainable = False
    x, dy = np.random.default_rng(0).normal(size=(2, 5, 3))
    y = layer.forward(x, training=True)
    np.testing.assert_allclose(y, layer(x), rtol=1e-15)
    deviation = np.sqrt([4.0 + 1e-5, 0.25 + 1e-5, 9.0 + 1e-5])
    z = (x - [1.0, 2.0, 3.0]) / deviation
    np.testing.assert_allclose(y, layer.gamma * z + layer.beta)
    np.testing.assert_allclose(layer.backward(dy), dy * layer.gamma / deviation)
    np.testing.assert_allclose(layer.gradients["gamma"], (dy * z).sum(axis=0))
    np.testing.assert_array_equal(layer.state, [1.0, 2.0, 3.0, 4.0, 0.25, 9.0])


def test_a_frozen_container_freezes_it():
    inner = dl.BatchNorm()
    outer = dl.Sequential([dl.Dense(2), dl.Sequential([inner]), dl.Dense(1)]).build((3,), rng=0)
    assert not inner.frozen
    outer.layers[1].trainable = False
    assert inner.frozen
    assert not outer.frozen
    before = outer.state.copy()
    outer.forward(np.ones((4, 3), np.float32), training=True)
    np.testing.assert_array_equal(outer.state, before)
    outer.layers[1].trainable = True
    outer.backward(np.ones((4, 1), np.float32))
    outer.forward(np.ones((4, 3), np.float32), training=True)
    assert (outer.state != before).any()


def test_frozen_between_forward_and_backward_counts_from_the_next_pass_on():
    x, dy = np.random.default_rng(0).normal(size=(2, 5, 3))
    layer, other = built((3,)), built((3,))
    layer.forward(x, training=True)
    other.forward(x, training=True)
    layer.trainable = False
    np.testing.assert_array_equal(layer.backward(dy), other.backward(dy))


# --- who carries the running values ---------------------------------------------------------


def test_whatever_only_looks_leaves_them():
    trainer = trained()
    before = trainer.model.state.copy()
    assert (before != model().state).any()
    x, y = data()
    trainer.evaluate(x, y)
    trainer.model.predict(x)
    dl.Objective(trainer.model, dl.CrossEntropy()).value(x, y)
    dl.check_layer(trainer.model.layers[1], (6,))
    with trainer.model.preserved():
        trainer.model.forward(x, training=True)
        assert (trainer.model.state != before).any()
    np.testing.assert_array_equal(trainer.model.state, before)


def test_early_stopping_restores_them_with_the_parameters():
    class Spoil(dl.Callback):
        """After the best epoch: parameters and statistics that no restored part may show."""

        def on_epoch_begin(self, trainer):
            if trainer.epoch == 0:
                return
            self.params, self.state = (
                (trainer.model.params.copy(), trainer.model.state.copy())
                if trainer.epoch == 1
                else (self.params, self.state)
            )
            trainer.model.params = -3 * self.params
            trainer.model.state = 5 + self.state

    spoil = Spoil()
    trainer = trained(epochs=9, callbacks=[dl.EarlyStopping(patience=2), spoil])
    assert trainer.history.epochs == 3
    np.testing.assert_array_equal(trainer.model.params, spoil.params)
    np.testing.assert_array_equal(trainer.model.state, spoil.state)
    x, _ = data()
    expected = trainer.model.predict(x)
    trainer.model.state = model().state  # parameters alone would not be enough
    assert abs(trainer.model.predict(x) - expected).max() > 0.01


def test_copies_have_their_own_and_replicas_share_them():
    source = trained().model
    state, (x, _) = source.state.copy(), data()
    inner = copy.deepcopy(source.layers[1])
    copies = [
        copy.deepcopy(source),
        pickle.loads(pickle.dumps(source)),
        source.detached_copy().build((4,)),
        dl.Sequential([dl.Dense(6), inner]).build((4,)),
    ]
    for each in copies:
        np.testing.assert_array_equal(each.state, state)
        each.forward(x, training=True)
        assert (each.state != state).any()
        np.testing.assert_array_equal(source.state, state)
    replica = source.replica()
    replica.forward(x, training=True)
    np.testing.assert_array_equal(replica.state, source.state)
    assert (source.state != state).any()


def test_a_batch_is_never_cut_into_chunks():
    objective = dl.Objective(model(), dl.CrossEntropy(), chunk_rows=8)
    assert not objective.chunked
    x, y = data()
    objective.value_and_grad(x, y)
    hidden = objective.model.forward_to(1, x)
    np.testing.assert_allclose(
        objective.model.layers[1].running_mean, 0.1 * hidden.mean(axis=0), rtol=1e-4
    )


def test_a_step_that_diverges_puts_them_back():
    trainer = dl.Trainer(model(), dl.CrossEntropy(), dl.SGD(0.1), rng=0)
    x, y = data()
    x[3] = np.nan
    with pytest.raises(dl.DataError, match="NaN in row 3"):
        trainer.fit(x, y, epochs=1, batch_size=64)
    np.testing.assert_array_equal(trainer.model.state, model().state)


def test_a_batch_of_one_vector_leaves_the_running_values():
    layer = dl.BatchNorm().build((3,), dtype=np.float64)
    layer.forward(np.array([[1.0, 5.0, -2.0], [2.0, 3.0, 4.0]]), training=True)
    before = layer.state.copy()
    y = layer.forward(np.array([[7.0, 8.0, 9.0]]), training=True)
    np.testing.assert_array_equal(y, np.zeros((1, 3)))
    np.testing.assert_array_equal(layer.state, before)
    step = dl.BatchNorm(momentum=0.0).build((1, 3), dtype=np.float64)
    before = step.state.copy()
    step.forward(np.array([[[7.0, 8.0, 9.0]]]), training=True)
    np.testing.assert_array_equal(step.state, before)
    images = dl.BatchNorm(momentum=0.0).build((2, 1, 3), dtype=np.float64)
    images.forward(np.array([[[[1.0, 2.0, 3.0]], [[3.0, 2.0, 5.0]]]]), training=True)
    np.testing.assert_array_equal(images.running_mean, [2, 2, 4])  # two pixels are enough
    np.testing.assert_array_equal(images.running_variance, [1, 0, 1])
