import numpy as np
import pytest

from minidl.errors import ArgumentError, DataError, DTypeError, ShapeError
from minidl.plotting import plot_digits

IMAGES = np.random.default_rng(0).random((5, 784), dtype=np.float32)
TRUE, PREDICTED = np.array([7, 2, 1, 0, 4]), np.array([7, 3, 1, 6, 4])


def labels(figure):
    return [text.get_text() for text in figure.axes[0].texts]


def test_errors_have_a_frame_a_bold_label_and_are_counted():
    figure = plot_digits(IMAGES, TRUE, PREDICTED, columns=2, title="test set")
    (axes,) = figure.axes
    assert labels(figure) == ["7", "2 → 3", "1", "0 → 6", "4"]
    weights = [text.get_fontweight() for text in axes.texts]
    assert weights == ["normal", "bold", "normal", "bold", "normal"]
    frames = [patch.get_bbox().extents for patch in axes.patches]
    boxes = [np.array(axes.images[i].get_extent())[[0, 3, 1, 2]] for i in (1, 3)]
    np.testing.assert_allclose(frames, boxes)
    assert figure.get_supxlabel() == "2 of 5 wrong (framed: true → predicted)"
    assert figure.get_suptitle() == "test set"
    assert figure._repr_png_()


def test_all_right_needs_no_frame():
    figure = plot_digits(IMAGES, TRUE, TRUE)
    assert figure.get_supxlabel() == "0 of 5 wrong"
    assert not figure.axes[0].patches


@pytest.mark.parametrize("given", [{"y_true": TRUE}, {"y_pred": TRUE}])
def test_one_kind_of_label_alone_is_written_and_not_judged(given):
    figure = plot_digits(IMAGES, **given)
    assert labels(figure) == ["7", "2", "1", "0", "4"]
    assert figure.get_supxlabel() == ""


def test_without_labels_images_stand_alone():
    figure = plot_digits(IMAGES)
    assert labels(figure) == [""] * 5
    assert figure.get_size_inches()[1] < plot_digits(IMAGES, TRUE).get_size_inches()[1]
    assert figure._repr_png_()


def test_names_as_labels_take_two_lines():
    figure = plot_digits(IMAGES[:2], ["bag", "coat"], ["bag", "dress"])
    assert labels(figure) == ["bag", "coat\n→ dress"]
    assert figure._repr_png_()


@pytest.mark.parametrize("shape", [(2, 6), (2, 2, 3), (2, 2, 3, 1)])
def test_every_form_of_image_is_drawn_dark_on_white_on_one_scale(shape):
    pixels = np.arange(12, dtype=np.uint8).reshape(shape)
    images = plot_digits(pixels, image_shape=(2, 3)).axes[0].images
    np.testing.assert_array_equal(images[1].get_array(), [[6, 7, 8], [9, 10, 11]])
    assert [image.get_clim() for image in images] == [(0, 11)] * 2
    assert images[0].to_rgba(0) == (1, 1, 1, 1)


@pytest.mark.parametrize("shape", [(784,), (5, 100), (5, 7, 112), (0, 784), (5, 28, 28, 3), ()])
def test_images_of_another_shape(shape):
    with pytest.raises(ShapeError, match=r"plot_digits: .*\(N, 784\) or \(N, 28, 28\).* got \("):
        plot_digits(np.zeros(shape))


def test_probabilities_for_labels():
    with pytest.raises(ShapeError, match=r"y_pred of shape \(5,\), .* \(5, 10\)\. .*argmax"):
        plot_digits(IMAGES, TRUE, np.full((5, 10), 0.1))
    with pytest.raises(DTypeError, match=r"y_pred of whole numbers or names, got dtype float64"):
        plot_digits(IMAGES, TRUE, np.full(5, 0.1))


def test_labels_of_another_length():
    with pytest.raises(ShapeError, match=r"y_true of shape \(5,\), one label an image, got \(4,\)"):
        plot_digits(IMAGES, TRUE[:4], PREDICTED)


def test_pixels_that_are_not_finite():
    with pytest.raises(DataError, match=r"finite images, got 784 NaN or infinite, .* \(0, 0\)"):
        plot_digits(np.full((1, 784), np.inf))


def test_columns_out_of_range():
    with pytest.raises(ArgumentError, match=r"plot_digits: expected columns .* got 0"):
        plot_digits(IMAGES, columns=0)
