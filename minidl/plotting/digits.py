"""Images with their true and their predicted labels."""

from typing import TYPE_CHECKING

from numpy.typing import ArrayLike

from minidl.errors import ShapeError
from minidl.plotting.canvas import VERMILION
from minidl.plotting.checks import check_finite, check_image_shape, check_labels, real_array
from minidl.plotting.grid import image_grid
from minidl.typing import Array

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from matplotlib.image import AxesImage


def plot_digits(
    images: ArrayLike,
    y_true: ArrayLike | None = None,
    y_pred: ArrayLike | None = None,
    *,
    image_shape: tuple[int, int] = (28, 28),
    columns: int = 10,
    title: str | None = None,
) -> "Figure":
    """Draw images in a grid, with their labels and, where they differ, the predicted ones.

    A wrong prediction has a frame and a bold label `true → predicted`; a line below counts them.
    Any images of one channel will do, and any labels: whole numbers or names.

    Args:
        images: Shape (N, D), (N, H, W) or (N, H, W, 1); the smallest value is white.
        y_true: N true labels.
        y_pred: N predicted labels; alone, they are drawn as they are.
        image_shape: (H, W) with H * W = D.
        columns: Images in a row.
        title: A line above the figure.

    Returns:
        A figure with one axes that holds the N images.

    Raises:
        ShapeError: The images are not of `image_shape`, or a label array is not of shape (N,).
        DTypeError: Labels are neither whole numbers nor names (probabilities, for example).
        DataError: A pixel is NaN or infinite.
        ArgumentError: `image_shape` or `columns` does not fit.
        ImportError: matplotlib is missing.

    Example:
        >>> import numpy as np
        >>> images = np.random.default_rng(0).random((3, 784))
        >>> figure = plot_digits(images, [7, 2, 1], [7, 3, 1])
        >>> [text.get_text() for text in figure.axes[0].texts]
        ['7', '2 → 3', '1']
    """
    who = "plot_digits"
    pixels = _pixels(who, images, check_image_shape(who, image_shape))
    n = len(pixels)
    true, predicted = check_labels(who, "y_true", y_true, n), check_labels(who, "y_pred", y_pred, n)
    labels, wrong, note = true or predicted, [], ""
    if true and predicted:
        wrong = [i for i in range(n) if true[i] != predicted[i]]
        arrow = " → " if max(map(len, true + predicted)) <= 3 else "\n→ "
        labels = [t if t == p else t + arrow + p for t, p in zip(true, predicted, strict=True)]
        note = f"{len(wrong)} of {n} wrong" + (" (framed: true → predicted)" if wrong else "")
    figure, axes = image_grid(
        who,
        pixels,
        labels,
        columns,
        title=title,
        cmap="gray_r",
        limits=(pixels.min(), pixels.max()),
        note=note,
    )
    for i in wrong:
        _frame(axes.images[i])
        axes.texts[i].set_fontweight("bold")
    return figure


def _pixels(who: str, images: ArrayLike, image_shape: tuple[int, int]) -> Array:
    pixels = real_array(who, "images", images)
    height, width = image_shape
    sample_shapes = (height * width,), (height, width), (height, width, 1)
    if not pixels.size or pixels.shape[1:] not in sample_shapes:
        raise ShapeError(
            f"{who}: expected images of shape (N, {height * width}) or (N, {height}, {width}) "
            f"with N at least 1, got {pixels.shape}. Pass image_shape=(H, W) for another size, "
            "and images[i : i + 1] for a single image."
        )
    check_finite(who, "images", pixels)
    return pixels.reshape(-1, height, width)


def _frame(image: "AxesImage") -> None:
    from matplotlib.patches import Rectangle

    left, right, bottom, top = image.get_extent()
    frame = Rectangle((left, top), right - left, bottom - top, fill=False, ec=VERMILION, lw=2)
    image.axes.add_patch(frame)
