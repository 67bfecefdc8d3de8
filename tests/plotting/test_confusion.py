import numpy as np
import pytest
from matplotlib.colors import to_rgb

from minidl.errors import ArgumentError, DataError, DTypeError, ShapeError
from minidl.plotting import plot_confusion_matrix

MATRIX = np.array([[90, 10, 0], [1, 49, 0], [3, 0, 7]])


def texts(axes):
    return [text.get_text() for text in axes.texts]


def test_cells_rows_and_axes_say_what_they_are():
    figure = plot_confusion_matrix(MATRIX, class_names=["cat", "dog", "cow"], title="animals")
    axes, bar = figure.axes
    assert texts(axes)[:9] == ["90", "10", "0", "1", "49", "0", "3", "0", "7"]
    assert texts(axes)[9:] == ["90.0%", "98.0%", "70.0%", "correct", "all 91.2%"]
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("predicted", "true")
    assert [label.get_text() for label in axes.get_xticklabels()] == ["cat", "dog", "cow"]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["cat", "dog", "cow"]
    assert bar.get_ylabel() == "errors: share of the true class"
    assert figure.get_suptitle() == "animals"
    assert figure._repr_png_()


def test_colour_is_the_share_of_the_row_and_the_diagonal_has_none():
    (image,) = plot_confusion_matrix(MATRIX).axes[0].images
    np.testing.assert_allclose(image.get_array(), [[0, 10, 0], [2, 0, 0], [30, 0, 0]])
    assert image.get_clim() == (0, pytest.approx(30))


def test_text_is_white_on_dark_cells_and_black_on_light_ones():
    cells = plot_confusion_matrix(MATRIX).axes[0].texts
    assert to_rgb(cells[6].get_color()) == (1, 1, 1)  # the worst confusion
    assert to_rgb(cells[3].get_color()) == to_rgb(cells[0].get_color()) == (0, 0, 0)


def test_no_errors_need_no_colour_bar_and_an_empty_class_no_accuracy():
    figure = plot_confusion_matrix(np.diag([5, 0]))
    (axes,) = figure.axes
    assert texts(axes)[4:] == ["100.0%", "no rows", "correct", "all 100.0%"]
    assert figure._repr_png_()


@pytest.mark.parametrize(("classes", "cells", "ticks"), [(1, 1, 1), (30, 900, 30), (100, 0, 34)])
def test_any_number_of_classes_fits_a_page(classes, cells, ticks):
    figure = plot_confusion_matrix(np.eye(classes, dtype=int) * 500 + 1)
    axes = figure.axes[0]
    assert len(axes.texts) == cells + ticks + 2
    assert len(axes.get_xticks()) == len(axes.get_yticks()) == ticks
    assert figure.get_size_inches()[0] <= 6.5
    if classes != 30:  # 900 texts take a second
        assert figure._repr_png_()


def test_long_names_are_turned_and_short_ones_are_not():
    for names, rotation in ((["a", "b"], 0), (["ankle boot", "b"], 45)):
        axes = plot_confusion_matrix([[2, 1], [0, 3]], class_names=names).axes[0]
        assert axes.get_xticklabels()[0].get_rotation() == rotation


@pytest.mark.parametrize("matrix", [[1, 2], [[1, 2, 3], [4, 5, 6]], np.zeros((0, 0)), 3])
def test_a_matrix_that_is_not_square(matrix):
    with pytest.raises(ShapeError, match=r"plot_confusion_matrix: expected .*\(C, C\), got \("):
        plot_confusion_matrix(matrix)


def test_rows_of_different_lengths():
    with pytest.raises(ShapeError, match=r"matrix as a rectangular array"):
        plot_confusion_matrix([[1, 2], [3]])


@pytest.mark.parametrize("entry", [0.97, -1, np.nan, np.inf])
def test_entries_that_are_no_counts(entry):
    with pytest.raises(DataError, match=rf"got {float(entry)} in row 1, column 0\. .*not normal"):
        plot_confusion_matrix([[1, 0], [entry, 1]])


def test_entries_that_are_no_numbers():
    with pytest.raises(DTypeError, match=r"matrix of real numbers, got dtype complex128"):
        plot_confusion_matrix([[1j]])


def test_a_wrong_number_of_names():
    with pytest.raises(ArgumentError, match=r"class_names of length 3, got 2\. .*for 0, \.\.\., 2"):
        plot_confusion_matrix(MATRIX, class_names=["cat", "dog"])
