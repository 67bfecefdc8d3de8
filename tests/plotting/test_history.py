import numpy as np
import pytest

from minidl.errors import DataError, DTypeError, ShapeError
from minidl.plotting import plot_history

TWO = {
    "loss": np.array([0.9, 0.5, 0.4]),
    "accuracy": np.array([0.7, 0.8, 0.9]),
    "val_loss": np.array([0.8, 0.6, 0.7]),
    "val_accuracy": np.array([0.6, 0.9, 0.8]),
    "seconds": np.array([1.0, 1.0, 1.0]),
    "learning_rate": np.array([0.1, 0.1, 0.1]),
}


def legend(figure):
    return [text.get_text() for text in figure.legends[0].get_texts()]


def test_one_panel_a_quantity_with_training_and_validation_from_epoch_1():
    figure = plot_history(TWO, title="MNIST")
    assert [a.get_title(loc="left") for a in figure.axes] == ["loss", "accuracy"]
    assert [a.get_xlabel() for a in figure.axes] == ["epoch", "epoch"]
    assert figure.get_suptitle() == "MNIST"
    assert legend(figure) == ["training", "validation", "best validation"]
    training, validation, _ = figure.axes[1].lines
    np.testing.assert_array_equal(training.get_xydata(), [[1, 0.7], [2, 0.8], [3, 0.9]])
    np.testing.assert_array_equal(validation.get_xydata(), [[1, 0.6], [2, 0.9], [3, 0.8]])
    assert training.get_linestyle() != validation.get_linestyle()
    assert figure._repr_png_()


@pytest.mark.parametrize(
    ("name", "epoch", "value"),
    [("loss", 2, 1), ("mean_squared_error", 2, 1), ("mae", 2, 1), ("accuracy", 3, 5), ("f1", 3, 5)],
)
def test_the_best_validation_value_is_marked(name, epoch, value):
    figure = plot_history({f"val_{name}": [np.nan, 1.0, 5.0, np.inf]})
    ring = figure.axes[0].lines[-1]
    np.testing.assert_array_equal(ring.get_xydata(), [[epoch, value]])
    assert figure.axes[0].get_title(loc="right") == f"best {value}.000 (epoch {epoch})"


def test_without_validation_there_is_one_line_and_no_mark():
    figure = plot_history({"loss": [0.9, 0.5]})
    (axes,) = figure.axes
    assert len(axes.lines) == 1
    assert axes.get_title(loc="right") == ""
    assert legend(figure) == ["training"]


@pytest.mark.parametrize(
    ("epochs", "ticks"),
    [(1, [1]), (3, [1, 2, 3]), (12, [1, 5, 10]), (100, [1, 20, 40, 60, 80, 100]), (401, [1, 100])],
)
def test_epoch_ticks_are_few_whole_numbers_from_1(epochs, ticks):
    figure = plot_history({"loss": np.ones(epochs)})
    assert list(figure.axes[0].get_xticks())[: len(ticks)] == ticks
    assert len(figure.axes[0].get_xticks()) <= 10
    assert figure._repr_png_()


def test_values_that_are_not_finite_are_left_out_without_a_gap():
    history = {"loss": [2.0, np.inf, 1.7e308], "val_loss": [2, np.nan, 1], "val_auc": [np.nan] * 3}
    figure = plot_history(history)
    training, validation, _ = figure.axes[0].lines
    np.testing.assert_array_equal(training.get_xydata(), [[1, 2]])
    np.testing.assert_array_equal(validation.get_xydata(), [[1, 2], [3, 1]])
    assert figure.axes[1].get_title(loc="right") == ""
    assert figure._repr_png_()


def test_huge_values_put_no_common_factor_into_the_heading():
    figure = plot_history({"loss": [1.0, 3e12]})
    figure._repr_png_()
    assert figure.axes[0].yaxis.get_offset_text().get_text() == ""


def test_a_long_name_gets_a_line_above_the_best_value():
    figure = plot_history({"val_mean_absolute_error": [1.0]})
    assert figure.axes[0].get_title(loc="left") == "mean absolute error\n"


@pytest.mark.parametrize("history", [{}, {"loss": []}, {"seconds": [1.0]}])
def test_nothing_to_draw(history):
    with pytest.raises(DataError, match=r"plot_history: expected a loss .* at least one epoch"):
        plot_history(history)


@pytest.mark.parametrize("other", [[1.0], [[1.0, 2.0]], 1.0])
def test_quantities_of_different_shapes(other):
    with pytest.raises(ShapeError, match=r"one value an epoch .* got shapes .*'val_loss': \("):
        plot_history({"loss": [1.0, 2.0], "val_loss": other})


def test_quantities_that_are_no_numbers():
    with pytest.raises(DTypeError, match=r"expected loss of real numbers, got dtype <U3"):
        plot_history({"loss": ["low"]})
