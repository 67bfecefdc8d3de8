"""The weights of a layer that reads pixels, as images."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from minidl.errors import ShapeError
from minidl.plotting.canvas import FONT_SIZE
from minidl.plotting.checks import check_finite, check_image_shape, check_names, real_array
from minidl.plotting.grid import image_grid

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def plot_weight_images(
    weight: ArrayLike,
    image_shape: tuple[int, int],
    *,
    titles: Sequence[object] | None = None,
    columns: int = 5,
    title: str | None = None,
) -> "Figure":
    """Draw the weights of every unit of a first layer as an image of its input.

    Column j of `weight` is what unit j multiplies the pixels with: ink on a blue pixel raises the
    unit's value, ink on a red one lowers it, ink on a white one does nothing. All units share one
    scale, symmetric about 0.

    Args:
        weight: Shape (D, M), as `Dense.weight`.
        image_shape: (H, W) with H * W = D.
        titles: M titles; `unit 0`, `unit 1`, ... by default.
        columns: Images in a row.
        title: A line above the figure.

    Returns:
        A figure with one axes that holds the M images, and one for the colour bar.

    Raises:
        ShapeError: `weight` is not of shape (H * W, M).
        DTypeError: `weight` is not of real numbers.
        DataError: A weight is NaN or infinite.
        ArgumentError: `image_shape`, `columns` or the number of titles does not fit.
        ImportError: matplotlib is missing.

    Example:
        >>> import numpy as np
        >>> weight = np.random.default_rng(0).normal(size=(784, 10))
        >>> figure = plot_weight_images(weight, (28, 28))
        >>> len(figure.axes[0].images)
        10
    """
    who = "plot_weight_images"
    values = real_array(who, "weight", weight)
    height, width = check_image_shape(who, image_shape)
    if values.ndim != 2 or values.shape[0] != height * width or not values.size:
        raise ShapeError(
            f"{who}: expected weight of shape ({height * width}, M) for images of "
            f"{height} x {width} pixels, got {values.shape}. Pass the weight of the layer that "
            "reads the pixels, and the image_shape that belongs to it."
        )
    check_finite(who, "weight", values)
    units = values.shape[1]
    labels = check_names(who, "titles", titles, [f"unit {j}" for j in range(units)])
    limit = float(np.abs(values).max()) or 1.0
    figure, axes = image_grid(
        who,
        values.T.reshape(units, height, width),
        labels,
        columns,
        title=title,
        cmap="RdBu",
        limits=(-limit, limit),
        beside=0.9,
    )
    bar = figure.colorbar(axes.images[0], ax=axes, aspect=figure.get_figheight() / 0.16, pad=0.03)
    bar.set_label("weight", fontsize=FONT_SIZE)
    bar.ax.tick_params(labelsize=FONT_SIZE)
    bar.outline.set_visible(False)
    return figure
