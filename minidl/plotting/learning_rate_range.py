"""The loss over a growing learning rate."""

from typing import TYPE_CHECKING

from minidl.plotting.canvas import BLUE, FONT_SIZE, VERMILION, new_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from minidl.training import LearningRateRange


def plot_learning_rate_range(found: "LearningRateRange", *, title: str | None = None) -> "Figure":
    """Draw the smoothed loss of a learning-rate range test over the rates.

    Dots are the losses of single batches. A dashed line stands at the suggested rate; it should lie
    where the loss is falling, well in front of its minimum. The axis of losses shows the fall; the
    rise behind it, which may be steep, leaves the picture.

    Args:
        found: What `learning_rate_range_test` returns.
        title: A line above the figure.

    Returns:
        A figure with one axes.

    Raises:
        ImportError: matplotlib is missing.

    Example:
        >>> import numpy as np, minidl as dl
        >>> rates, losses = np.array([0.01, 0.1, 1.0]), np.array([2.0, 1.0, 3.0])
        >>> figure = dl.plot_learning_rate_range(dl.LearningRateRange(rates, losses, losses))
        >>> figure.axes[0].get_xscale()
        'log'
    """
    figure = new_figure(4.4, 2.9, title, layout="constrained")
    axes = figure.add_subplot()
    axes.plot(found.rates, found.batch_losses, ".", color="0.6", ms=4, label="batches")
    axes.plot(found.rates, found.losses, color=BLUE, lw=1.5, label="smoothed")
    label = f"suggested: {found.suggestion:.2g}"
    axes.axvline(found.suggestion, color=VERMILION, ls="--", lw=1.5, label=label)
    low, high = found.losses.min(), found.losses[: found.losses.argmin() + 1].max()
    fall = float(high - low) or 0.1
    axes.set(xscale="log", ylim=(low - 0.1 * fall, high + 0.5 * fall))
    axes.set_title("loss", loc="left", fontsize=10, fontweight="bold")
    axes.set_xlabel("learning rate", fontsize=FONT_SIZE)
    axes.tick_params(labelsize=FONT_SIZE)
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(axis="y", color="0.5", alpha=0.25, lw=0.8)
    axes.set_axisbelow(True)
    figure.legend(loc="outside lower center", ncols=3, frameon=False, fontsize=FONT_SIZE)
    return figure
