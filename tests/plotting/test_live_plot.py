"""Curves that are drawn while training goes on."""

import sys
import time
import types

import numpy as np
import pytest

import minidl as dl
from minidl.plotting.live_plot import PAUSE

X = np.random.default_rng(0).normal(size=(64, 3)).astype(np.float32)
Y = X @ np.array([[1.0], [2.0], [3.0]], np.float32)


def trainer(*callbacks):
    model = dl.Dense(1).build((3,), rng=0)
    return dl.Trainer(model, dl.MeanSquaredError(), dl.SGD(0.01), callbacks=callbacks, rng=0)


class Clock(dl.Callback):
    """An epoch takes so many seconds."""

    def __init__(self, monkeypatch, seconds):
        self.now, self.seconds = 0.0, seconds
        monkeypatch.setattr(time, "monotonic", lambda: self.now)

    def on_epoch_begin(self, trainer):
        self.now += self.seconds


@pytest.fixture
def shown(monkeypatch):
    """What a notebook shows: the figures drawn, and how many displays they are on."""
    figures, displays = [], []

    class Display:
        def update(self, figure):
            figures.append(figure)

    def display(figure, *, display_id):
        assert display_id is True
        figures.append(figure)
        displays.append(Display())
        return displays[-1]

    monkeypatch.setitem(sys.modules, "ipykernel", types.ModuleType("ipykernel"))
    module = types.ModuleType("IPython.display")
    module.display = display
    package = types.ModuleType("IPython")
    package.version_info, package.get_ipython = (9, 0), lambda: None  # matplotlib asks for these
    monkeypatch.setitem(sys.modules, "IPython", package)
    monkeypatch.setitem(sys.modules, "IPython.display", module)
    return figures, displays


def epochs_in(figure):
    return len(figure.axes[0].lines[0].get_xdata())


@pytest.mark.parametrize(
    ("seconds", "drawn"),
    [(PAUSE, [1, 2, 3, 4]), (PAUSE / 2, [1, 3, 4]), (0.0, [1, 4]), (PAUSE * 0.99, [1, 3, 4])],
)
def test_the_figure_is_replaced_at_most_once_a_second(monkeypatch, shown, seconds, drawn):
    figures, displays = shown
    run = trainer(Clock(monkeypatch, seconds), dl.LivePlot(), dl.ProgressBar(enabled=False))
    run.fit(X, Y, epochs=4)
    assert [epochs_in(figure) for figure in figures] == drawn
    assert len(displays) == 1
    run.fit(X, Y, epochs=1)  # in another cell
    assert [epochs_in(figure) for figure in figures] == [*drawn, 5]
    assert len(displays) == 2


def test_outside_a_notebook_a_file_is_drawn(tmp_path):
    path = tmp_path / "figures" / "deep" / "curves.png"
    sizes = []
    looks = dl.Callback()
    looks.on_epoch_end = lambda trainer: sizes.append(path.stat().st_size)
    trainer(dl.LivePlot(path), looks).fit(X, Y, epochs=2)
    assert sizes[0] > 1000
    content = path.read_bytes()
    assert content.startswith(b"\x89PNG")
    assert content.endswith(b"IEND\xaeB`\x82")
    assert len(list(path.parent.iterdir())) == 1


def test_without_a_notebook_and_a_file_it_says_what_is_missing():
    run = trainer(dl.LivePlot())
    with pytest.raises(dl.ArgumentError, match=r'expected a notebook.*LivePlot\("curves.png"\)\.'):
        run.fit(X, Y, epochs=1)
    assert run.step == 0


def test_a_run_without_an_epoch_draws_nothing(tmp_path):
    class Fails(dl.Callback):
        def on_epoch_begin(self, trainer):
            raise ValueError("no")

    with pytest.raises(ValueError, match="no") as caught:
        trainer(dl.LivePlot(tmp_path / "curves.png"), Fails()).fit(X, Y, epochs=1)
    assert len(caught.value.__notes__) == 1
    assert not list(tmp_path.iterdir())
