"""Which pixels a prediction depends on."""

import math
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from minidl.arguments import instance, whole_number
from minidl.errors import ShapeError
from minidl.layers.base import Layer
from minidl.plotting.canvas import FONT_SIZE, new_figure
from minidl.plotting.checks import check_finite, check_image_shape, real_array
from minidl.saliency import saliency_map
from minidl.typing import Array

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SIDE = 2.4  # inches of an image's longer side


def plot_saliency(
    model: Layer,
    x: ArrayLike,
    target: int | None = None,
    *,
    image_shape: tuple[int, int] | None = None,
    title: str | None = None,
) -> "Figure":
    """Draw an image and, beside it, how strongly a class's score depends on each of its pixels.

    The map is that of `saliency_map`, of several channels the largest at each pixel.

    Args:
        model: A built classifier or other model of images, flat or not.
        x: One image of the model's input shape.
        target: The class; by default the predicted one.
        image_shape: (H, W) of flat images; by default square.
        title: A line above the figure.

    Returns:
        A figure with one axes for the image, one for the map, and one for the map's colours.

    Raises:
        ShapeError: If `x` is not one image that the model takes.
        DTypeError: If `x` is not of real numbers.
        ArgumentError: If there is no such class, or `image_shape` does not fit.
        ImportError: If matplotlib is missing.

    Example:
        >>> import minidl as dl
        >>> x, y = dl.synthetic_digits(1, rng=0)
        >>> model = dl.Sequential([dl.Dense(10), dl.Softmax()]).build((784,), rng=0)
        >>> figure = plot_saliency(model, x[0])
        >>> [axes.get_title() for axes in figure.axes[:2]]
        ['input', 'saliency of output 1 (0.26)']
    """
    who = "plot_saliency"
    wanted = instance(who, "model", model, Layer).input_shape
    image = real_array(who, "x", x)
    if image.shape[:1] == (1,) and image.ndim == len(wanted) + 1:
        image = image[0]
    if image.ndim != len(wanted):
        raise ShapeError(
            f"{who}: expected one image of shape {wanted}, got {image.shape}. Give x[i] of several."
        )
    check_finite(who, "x", image)
    shape = _pixels_of(who, image, image_shape)
    sample = image.astype(model.dtype)[np.newaxis]
    output = model.predict(sample)[0]
    c = int(output.argmax()) if target is None else whole_number(who, "target", target, 0)
    strength = saliency_map(model, sample, c)[0].reshape(*shape, -1).max(axis=-1)  # (H, W)

    height, width = (SIDE * length / max(shape) for length in shape)
    figure = new_figure(2 * width + 1.2, height + 0.3, title, layout="compressed")
    left, right = figure.subplots(1, 2)
    shown, colors = _as_shown(image.reshape(*shape, -1))
    left.imshow(shown, interpolation="nearest", **colors)
    drawn = right.imshow(strength, cmap="gray_r", vmin=0, interpolation="nearest")
    left.set_title("input", fontsize=FONT_SIZE)
    right.set_title(f"saliency of output {c} ({output[c]:.2f})", fontsize=FONT_SIZE)
    for axes in (left, right):
        axes.set(xticks=[], yticks=[])
    bar = figure.colorbar(drawn, ax=right, fraction=0.05, pad=0.03)
    bar.ax.tick_params(labelsize=FONT_SIZE)
    bar.set_label("|change of the score / change of a pixel|", fontsize=FONT_SIZE - 2)
    return figure


def _pixels_of(who: str, image: Array, image_shape: tuple[int, int] | None) -> tuple[int, int]:
    """Height and width of an image."""
    if image.ndim > 1 and image_shape is None and image.ndim <= 3:
        return image.shape[0], image.shape[1]
    side = math.isqrt(image.size)
    height, width = (side, side) if image_shape is None else check_image_shape(who, image_shape)
    if not image.size or height * width != image.size:
        raise ShapeError(
            f"{who}: {image.size} numbers make no image of {height} x {width} pixels. Give "
            "image_shape=(H, W)."
        )
    return height, width


def _as_shown(image: Array) -> tuple[Array, dict[str, Any]]:
    """Three channels as colours between the smallest and the largest value, others as grey."""
    if image.shape[-1] != 3:
        return image.mean(axis=-1), {"cmap": "gray_r"}
    low, high = image.min(), image.max()
    return (image - low) / ((high - low) or 1.0), {}
