import numpy as np
import pytest

from minidl.errors import ArgumentError, DataError, DTypeError, ShapeError
from minidl.plotting import plot_weight_images

WEIGHT = np.random.default_rng(0).normal(size=(6, 4)).astype(np.float32)


def test_column_j_is_image_j_on_one_symmetric_scale():
    figure = plot_weight_images(WEIGHT, (2, 3), columns=3, title="weights")
    axes, bar = figure.axes
    limit = np.abs(WEIGHT).max()
    for j, image in enumerate(axes.images):
        np.testing.assert_array_equal(image.get_array(), WEIGHT[:, j].reshape(2, 3))
        assert image.get_clim() == (-limit, limit)
    assert [text.get_text() for text in axes.texts] == [f"unit {j}" for j in range(4)]
    assert bar.get_ylabel() == "weight"
    assert figure.get_suptitle() == "weights"
    assert figure._repr_png_()


def test_images_stand_upright_in_rows_and_do_not_overlap():
    axes = plot_weight_images(WEIGHT, (2, 3), columns=3).axes[0]
    boxes = [image.get_extent() for image in axes.images]  # left, right, bottom, top
    assert all(bottom > top for _, _, bottom, top in boxes)
    assert axes.yaxis_inverted()
    assert boxes[0][1] < boxes[1][0]
    assert boxes[0][0] == boxes[3][0]
    assert boxes[0][2] < boxes[3][3]
    assert all(image.origin == "upper" for image in axes.images)


def test_titles_and_a_layer_of_zeros():
    figure = plot_weight_images(np.zeros((6, 2)), (2, 3), titles=["a", 1])
    assert [text.get_text() for text in figure.axes[0].texts] == ["a", "1"]
    assert figure.axes[0].images[0].get_clim() == (-1, 1)
    assert figure._repr_png_()


@pytest.mark.parametrize("shape", [(5, 4), (6,), (6, 0), (4, 6)])
def test_weights_of_another_shape(shape):
    expected = rf"plot_weight_images: expected .*\(6, M\) for .* 2 x 3 pixels, got \({shape[0]},.*"
    with pytest.raises(ShapeError, match=expected + "Pass the weight"):
        plot_weight_images(np.ones(shape), (2, 3))


def test_weights_that_diverged():
    weight = WEIGHT.copy()
    weight[4, 1] = np.nan
    with pytest.raises(DataError, match=r"finite weight, got 1 NaN or infinite, .* \(4, 1\)"):
        plot_weight_images(weight, (2, 3))


def test_weights_that_are_no_numbers():
    with pytest.raises(DTypeError, match=r"weight of real numbers, got dtype object"):
        plot_weight_images([None], (2, 3))


@pytest.mark.parametrize("shape", [(2, 3, 1), (6,), 6, (2.0, 3.0), (-2, -3)])
def test_image_shapes_that_are_none(shape):
    with pytest.raises(ArgumentError, match=r"expected image_shape=\(H, W\), got"):
        plot_weight_images(WEIGHT, shape)


@pytest.mark.parametrize("columns", [0, -1, 2.5])
def test_columns_out_of_range(columns):
    with pytest.raises(ArgumentError, match=rf"columns as a whole number .* got {columns}"):
        plot_weight_images(WEIGHT, (2, 3), columns=columns)


def test_a_wrong_number_of_titles():
    with pytest.raises(ArgumentError, match=r"titles of length 4, got 1\. .*for unit 0, \.\.\."):
        plot_weight_images(WEIGHT, (2, 3), titles=["a"])
