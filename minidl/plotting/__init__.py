"""Figures of training and of what a network has learned, drawn with matplotlib.

Every function returns a `matplotlib.figure.Figure` and shows or writes nothing: a notebook displays
it, `figure.savefig("curves.pdf")` stores it. No function touches `pyplot`, so nothing outside the
returned figure changes: no current figure, no backend, no memory that stays behind.

Figures are at most 6.5 inches wide, the text width of a page, and say nothing by colour alone.
Matplotlib comes with `pip install minidl[plot]` and is imported by the first figure.
"""

from minidl.plotting.confusion import plot_confusion_matrix
from minidl.plotting.digits import plot_digits
from minidl.plotting.history import plot_history
from minidl.plotting.learning_rate_range import plot_learning_rate_range
from minidl.plotting.live_plot import LivePlot
from minidl.plotting.saliency import plot_saliency
from minidl.plotting.weights import plot_weight_images

__all__ = [
    "LivePlot",
    "plot_confusion_matrix",
    "plot_digits",
    "plot_history",
    "plot_learning_rate_range",
    "plot_saliency",
    "plot_weight_images",
]
