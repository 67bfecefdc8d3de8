"""Residual: a shortcut around layers."""

import numpy as np
import pytest
import scipy.sparse as sp

import minidl as dl

X = np.random.default_rng(0).normal(size=(3, 4))


def test_the_gradient_passes_undiminished():
    model = dl.Residual(dl.Dense(4)).build((4,), dtype=np.float64)
    model.body.weight = np.zeros((4, 4))
    np.testing.assert_array_equal(model.forward(X, training=True), X)
    dy = np.ones_like(X)
    np.testing.assert_array_equal(model.backward(dy), dy)
    np.testing.assert_allclose(model.body.gradients["weight"], X.T @ dy, rtol=1e-12)


def test_the_sum_does_not_destroy_what_the_body_saved():
    # adding x into the body's own output gives a gradient error of 1.0, and only when nested
    body = dl.Sequential([dl.Dense(4), dl.ReLU()])
    model = dl.Sequential([dl.Dense(4), dl.Residual(body), dl.Dense(2)])
    assert dl.check_layer(model, (4,)).worst < 1e-6


def test_without_input_grad_the_body_learns_all_the_same():
    models = [dl.Residual(dl.Dense(4), dl.Dense(4)).build((4,), rng=0, dtype=float) for _ in "ab"]
    for model, input_grad in zip(models, (True, False), strict=True):
        y = model.forward(X, training=True)
        assert (model.backward(y, input_grad=input_grad) is None) != input_grad
    np.testing.assert_array_equal(models[0].grads, models[1].grads)
    assert models[1].shortcut.gradients["weight"].any()


def test_inside_a_model_too_backward_needs_a_forward():
    model = dl.Sequential([dl.Residual(dl.ReLU())]).build((4,))
    with pytest.raises(dl.StateError, match=r"^Residual in layer 0 of Sequential: backward needs"):
        model.layers[0].backward(np.ones((1, 4), np.float32))


def test_shapes_must_agree():
    with pytest.raises(
        dl.ShapeError,
        match=r"Residual in layer 1 of Sequential: the body's output has the shape \(N, 3\), the "
        r"shortcut's \(N, 4\)\. Give a shortcut .* Dense\(units\)",
    ):
        dl.Sequential([dl.ReLU(), dl.Residual(dl.Dense(3))]).build((4,))
    with pytest.raises(dl.ShapeError, match=r"shape \(N, 3\), the shortcut's \(N, 2\)"):
        dl.Residual(dl.Dense(3), dl.Dense(2)).build((4,))


def test_a_convolution_that_makes_images_smaller_is_told_of_padding():
    with pytest.raises(dl.ShapeError, match=r'padding="same" keeps height and width'):
        dl.Residual(dl.Conv2D(4, 3)).build((8, 8, 4))
    for body, shape in ((dl.Dense(3), (4,)), (dl.Conv2D(5, 3, padding="same"), (8, 8, 4))):
        with pytest.raises(dl.ShapeError, match=r"stride=2\)\.$"):
            dl.Residual(body).build(shape)


def test_sparse_rows_go_where_body_and_shortcut_take_them():
    x = sp.csr_array(X * (X > 0))
    model = dl.Sequential([dl.Residual(dl.Dense(3), dl.Dense(3)), dl.ReLU()])
    model.build((4,), rng=0, dtype=np.float64)
    np.testing.assert_allclose(model.predict(x), model.predict(x.toarray()), rtol=1e-12)
    grads = []
    for given in (x, x.toarray()):
        y = model.forward(given, training=True)
        model.backward(y, input_grad=False)
        grads.append(model.grads.copy())
    np.testing.assert_allclose(*grads, rtol=1e-12)
    for layer in (dl.Residual(dl.Dense(4)), dl.Residual(dl.Dense(3), dl.ReLU())):
        assert not layer.accepts_sparse


@pytest.mark.parametrize(
    ("arguments", "name"),
    [((dl.ReLU,), "body"), ((dl.ReLU(), 3), "shortcut"), ((dl.ReLU(), False), "shortcut")],
)
def test_arguments_must_be_layers(arguments, name):
    with pytest.raises(dl.ArgumentTypeError, match=f"Residual: {name} must be"):
        dl.Residual(*arguments)


def test_a_body_whose_list_was_changed_is_noticed():
    body = dl.Sequential([dl.Dense(4), dl.ReLU()])
    model = dl.Residual(body).build((4,), dtype=np.float64)
    model.predict(X)
    body.layers.append(dl.Tanh())
    with pytest.raises(dl.StateError, match="its list of layers was changed after build"):
        model.predict(X)


def test_rows_coupled_inside_are_coupled_outside():
    class Centre(dl.ReLU):
        couples_rows = True

    assert dl.Residual(Centre()).couples_rows
    assert dl.Parallel([dl.ReLU(), Centre()]).couples_rows
    assert not dl.Residual(dl.ReLU()).couples_rows


def test_a_deep_network_with_shortcuts_learns_where_a_plain_one_stalls():
    rng = np.random.default_rng(1)
    x = rng.normal(size=(64, 8))
    y = (x[:, 0] * x[:, 1] > 0).astype(np.int64)

    def loss_after(wrap):
        layers = [wrap(dl.Sequential([dl.Dense(8), dl.Sigmoid()])) for _ in range(20)]
        model = dl.Sequential([*layers, dl.Dense(2), dl.Softmax()]).build((8,), rng=0)
        trainer = dl.Trainer(model, dl.CrossEntropy(), dl.Adam(0.01), rng=0)
        return trainer.fit(x, y, epochs=120, batch_size=64)["loss"][-1]

    assert loss_after(dl.Residual) < 0.3
    assert loss_after(lambda body: body) > 0.6
