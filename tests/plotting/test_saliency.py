import numpy as np
import pytest

import minidl as dl
from minidl.plotting import plot_saliency

FLAT = dl.Sequential([dl.Dense(3), dl.Softmax()]).build((6,), rng=0)
X = np.random.default_rng(0).random(6).astype(np.float32)


def test_map_beside_the_image():
    figure = plot_saliency(FLAT, X, image_shape=(2, 3), title="one")
    left, right, bar = figure.axes
    p = FLAT.predict(X[np.newaxis])[0]
    c = int(p.argmax())
    np.testing.assert_allclose(left.images[0].get_array(), X.reshape(2, 3), rtol=1e-6)
    expected = np.abs(FLAT.layers[0].weight[:, c]).reshape(2, 3)
    np.testing.assert_allclose(right.images[0].get_array(), expected, rtol=1e-6)
    assert right.get_title() == f"saliency of output {c} ({p[c]:.2f})"
    assert "score" in bar.get_ylabel()
    assert figure.get_suptitle() == "one"
    assert figure._repr_png_()


def test_another_class_and_channels():
    layers = [dl.Conv2D(2, 3), dl.Flatten(), dl.Dense(2), dl.Softmax()]
    model = dl.Sequential(layers).build((5, 4, 3), rng=0)
    x = np.random.default_rng(1).normal(size=(1, 5, 4, 3))
    figure = plot_saliency(model, x, 1)
    left, right, _ = figure.axes
    expected = dl.saliency_map(model, x.astype(np.float32), 1)[0].max(axis=-1)
    np.testing.assert_array_equal(right.images[0].get_array(), expected)
    colors = left.images[0].get_array()
    assert (colors.shape, colors.min(), colors.max()) == ((5, 4, 3), 0, 1)
    assert figure._repr_png_()


def test_grey_images_and_flat_squares():
    model = dl.Sequential([dl.Flatten(), dl.Dense(2)]).build((2, 2, 1), rng=0)
    assert plot_saliency(model, np.zeros((2, 2, 1))).axes[0].images[0].get_array().shape == (2, 2)
    square = dl.Dense(2).build((9,), rng=0)
    assert plot_saliency(square, np.ones(9)).axes[1].images[0].get_array().shape == (3, 3)


def test_wrong_calls():
    with pytest.raises(dl.ShapeError, match="6 numbers make no image of 2 x 2"):
        plot_saliency(FLAT, X)
    with pytest.raises(dl.ShapeError, match=r"one image of shape \(6,\), got \(2, 6\)"):
        plot_saliency(FLAT, np.ones((2, 6)))
    with pytest.raises(dl.DataError, match="NaN"):
        plot_saliency(FLAT, X * np.nan, image_shape=(2, 3))
    with pytest.raises(dl.ArgumentError, match="got target 7"):
        plot_saliency(FLAT, X, 7, image_shape=(2, 3))
    for target in ([1], 1.0, -1):
        with pytest.raises(
            dl.ArgumentError, match="plot_saliency: target must be a whole number of at least 0"
        ):
            plot_saliency(FLAT, X, target, image_shape=(2, 3))
    with pytest.raises(dl.ArgumentTypeError, match="must be a Layer"):
        plot_saliency("model", X)
