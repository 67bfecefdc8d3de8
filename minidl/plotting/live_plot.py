"""Training curves that grow while a notebook cell runs."""

import math
import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from minidl.errors import ArgumentError
from minidl.io.whole_files import make_folder_of, replacing
from minidl.plotting.canvas import png
from minidl.plotting.history import plot_history
from minidl.training.callbacks import Callback

if TYPE_CHECKING:
    from minidl.training.trainer import Trainer

PAUSE = 1.0  # seconds: a figure takes a fifth of that, in which nothing is trained


class LivePlot(Callback):
    """Draw the history after an epoch, in a notebook or into a picture file.

    In a notebook the figure stands below the cell and is replaced by the next one. It is drawn
    after the first epoch, at most once a second, and at the end of `fit`.

    Args:
        path: A PNG file to draw into, for runs outside a notebook; None to draw in the notebook.

    Raises:
        ArgumentError: At the beginning of `fit`, if there is neither a notebook nor a path, or the
            path is that of a folder.

    Example:
        >>> import pathlib, tempfile, minidl as dl
        >>> x, y = dl.synthetic_digits(100, rng=0)
        >>> model = dl.Sequential([dl.Dense(10), dl.Softmax()]).build((784,), rng=0)
        >>> folder = tempfile.TemporaryDirectory()
        >>> plot = dl.LivePlot(pathlib.Path(folder.name, "curves.png"))
        >>> trainer = dl.Trainer(model, dl.CrossEntropy(), dl.SGD(0.1), callbacks=[plot], rng=0)
        >>> history = trainer.fit(x, y, epochs=2)
        >>> plot.path.read_bytes()[1:4]
        b'PNG'
        >>> folder.cleanup()
    """

    def __init__(self, path: str | os.PathLike[str] | None = None) -> None:
        self.path = None if path is None else Path(path).expanduser()
        self._display: Any = None
        self._drawn_at, self._drawn_epochs = -math.inf, 0

    def on_fit_begin(self, trainer: "Trainer") -> None:
        self._display, self._drawn_at, self._drawn_epochs = None, -math.inf, trainer.history.epochs
        if self.path is not None:
            make_folder_of(self.path, "LivePlot")
        elif "ipykernel" not in sys.modules:
            raise ArgumentError(
                "LivePlot: expected a notebook, and this is none. Name a file to draw into: "
                'LivePlot("curves.png").'
            )

    def on_epoch_end(self, trainer: "Trainer") -> None:
        if time.monotonic() - self._drawn_at >= PAUSE:
            self._draw(trainer)

    def on_fit_end(self, trainer: "Trainer") -> None:
        if trainer.history.epochs > self._drawn_epochs:
            self._draw(trainer)

    def _draw(self, trainer: "Trainer") -> None:
        figure = plot_history(trainer.history)
        self._drawn_epochs = trainer.history.epochs
        if self.path is not None:
            with replacing(self.path) as file:
                file.write(png(figure))
        elif self._display is None:
            from IPython.display import display

            self._display = display(figure, display_id=True)
        else:
            self._display.update(figure)
        self._drawn_at = time.monotonic()

    def __getstate__(self) -> dict[str, Any]:
        return vars(self) | {"_display": None}
