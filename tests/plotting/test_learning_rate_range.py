import numpy as np

import minidl as dl

RATES = np.geomspace(1e-4, 1e2, 7)
LOSSES = np.array([3.0, 3.0, 2.5, 2.0, 1.0, 2.0, 5.0])
FOUND = dl.LearningRateRange(RATES, LOSSES, LOSSES + 0.5)


def test_curve_dots_and_suggestion():
    figure = dl.plot_learning_rate_range(FOUND, title="MNIST")
    (axes,) = figure.axes
    dots, curve, line = axes.lines
    np.testing.assert_array_equal(dots.get_xydata(), np.stack([RATES, LOSSES + 0.5], axis=1))
    np.testing.assert_array_equal(curve.get_xydata(), np.stack([RATES, LOSSES], axis=1))
    np.testing.assert_allclose(line.get_xdata(), [0.1, 0.1], rtol=1e-12)
    assert line.get_linestyle() != curve.get_linestyle()
    assert axes.get_xscale() == "log"
    assert axes.get_xlabel() == "learning rate"
    assert axes.get_title(loc="left") == "loss"
    texts = [text.get_text() for text in figure.legends[0].get_texts()]
    assert texts == ["batches", "smoothed", "suggested: 0.1"]
    assert figure.get_suptitle() == "MNIST"
    assert figure._repr_png_()


def test_the_axis_of_losses_shows_the_fall_of_the_smoothed_curve():
    losses = np.array([2.0, 2.5, 1.5, 1.0, 1.25, 9.0, 99.0])
    wild = dl.LearningRateRange(RATES, losses, losses * 1e6)
    axes = dl.plot_learning_rate_range(wild).axes[0]
    np.testing.assert_allclose(axes.get_ylim(), [1 - 0.15, 2.5 + 0.75], rtol=1e-12)


def test_a_loss_that_never_changes():
    flat = dl.LearningRateRange(RATES, np.ones(7), np.ones(7))
    figure = flat.plot()
    low, high = figure.axes[0].get_ylim()
    assert low < 1 < high
    assert figure._repr_png_()
